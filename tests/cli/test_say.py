"""What is printed holds no mark, and nothing on stderr holds what is to be hidden."""

from __future__ import annotations

import json

import pytest

from gitops.cli import say
from gitops.jobspec.marks import mark

WORD = 'pass"word\\of-test-say'


def test_errors_and_progress_hide_what_hosts_may_quote(capsys: pytest.CaptureFixture[str]) -> None:
    say.hide([WORD, "abc"])
    say.note(f"no such user: {WORD}, abc")
    say.say_error(f"it said {WORD}", f"Not {WORD}.")
    err = capsys.readouterr().err
    assert WORD not in err
    assert err.count("(sensitive)") == 3
    assert "abc" in err


def test_marks_show_as_sensitive_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    made = mark("0" * 8, "a" * 32)
    say.say(f"A = {made}")
    say.say_json({"A": made})
    say.note(made)
    said = capsys.readouterr()
    assert said.out == 'A = (sensitive)\n{\n  "A": "(sensitive)"\n}\n'
    assert said.err == "(sensitive)\n"


def test_advice_is_given_once_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        say.begin()
        say.say_advice("look there")
        say.say_advice("look there")
    assert capsys.readouterr().err == "look there\n" * 2


@pytest.mark.parametrize("indent", [None, 2])
def test_json_steers_no_terminal(capsys: pytest.CaptureFixture[str], indent: int | None) -> None:
    data = {"é": "\x1b[1m \x7f \x9b31m \u202e \u2028 \udc80 \\u009b 日本"}
    say.say_json(data, indent=indent)
    out = capsys.readouterr().out
    assert json.loads(out) == data
    assert out.replace("\n", "").isprintable()
    assert "日本" in out


def test_what_a_stream_can_t_encode_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    say.say("half \udc80 é")
    say.note("half \udc80")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("half \\udc80 é\n", "half \\udc80\n")
