"""Specs made to hurt end in an error, not in a crash and not in a burning machine."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.jobspec.hcl import MAX_CHARACTERS
from gitops.jobspec.variables import Variables
from tests.gitops.jobspec.specs import errors_of, spec


def meta(expression: str, top: str = "") -> str:
    return spec(top=top, job=f"meta {{\nv = {expression}\n}}")


def chain(first: str, step: str, count: int = 41) -> str:
    lines = [
        f"l0 = {first}",
        *(f"l{i} = {step.replace('@', f'local.l{i - 1}')}" for i in range(1, count)),
    ]
    return "locals {\n" + "\n".join(lines) + "\n}"


BOMBS = {
    "brackets": meta("(" * 5000 + "1" + ")" * 5000),
    "templates": meta('"${' * 1000 + "1" + '}"' * 1000),
    "blocks": 'job "a" {\n' + "a {\n" * 3000 + "}\n" * 3001,
    "operators": meta("+".join(["1"] * 5000)),
    "branches": meta("true ? 1 : " * 3000 + "1"),
    "steps": meta("var.a" + ".b" * 5000),
    "text doubled": meta("local.l40", chain('"x"', '"${@}${@}${@}${@}"')),
    "lists doubled": spec(top=chain('["x"]', "[@, @, @]"), task="config {\na = local.l40\n}"),
    "lists as text": meta("jsonencode(local.l40)", chain('["x"]', "[@, @, @, @, @, @]")),
    "long range": meta("length(range(1000000000))"),
    "loops": meta("length([for a in range(900) : [for b in range(900) : 1]])"),
    "power": meta("1e4999 * 1e4999 * 1e4999 * 1e4999 * 1e4999"),
    "digits": meta("9" * 100_000),
    "exponent": meta("1e100000000"),
    "exponent in text": meta('"1e100000000" + 1'),
    "width": meta('format("%999999999d", 1)'),
    "indent": meta('indent(1000000000, "a\\nb")'),
    "matcher": meta(f'regex_replace("{"a" * 40}!", "(((a{{30}}){{30}}){{30}}){{30}}", "x")'),
    "matcher of powers": meta(f'regex_replace("{"a" * 5000}!", "(?=a*a*a*a*b)", "x")'),
    "hash": meta('bcrypt("x", 20)'),
    "precision": meta('format("%.99999f", 1)'),
    "names without blanks": f'job {"a" * 5000}"" ! {{\n}}\n',
    "signs": meta("!" * 20_000 + "true"),
    "half a character": meta('regex_replace("a1", "\ud83d", "_")'),
    "many expressions": spec(
        job="meta {\n" + "".join(f"a{i} = {i} + 1\n" for i in range(30_000)) + "}"
    ),
    "many expressions in text": meta('"' + "${1+1}" * 100_000 + '"'),
    "operators in a list": meta("[" + "1+1," * 40_000 + "]"),
    "yaml aliases": meta(
        'yamldecode("'
        + "".join(
            f"{b}: &{b} [{','.join([f'*{a}' if a else 'x'] * 9)}]\\n"
            for a, b in zip(["", *"abcdef"], "abcdefg", strict=True)
        )
        + '").a'
    ),
    "json depth": meta('jsondecode("' + "[" * 100_000 + '")'),
    "json spec depth": '{"Job":' * 100_000,
    "size": "#" * (MAX_CHARACTERS + 1),
    "heredocs": meta("<<E\n" * 50_000),
    "quotes": '"\n' * 50_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_an_error(text: str) -> None:
    found = errors_of(text)
    assert found
    assert all(len(d.text()) < 3000 for d in found)


def test_errors_without_end_are_cut() -> None:
    assert len(errors_of('job "a" {\n' + "x {\n}\n" * 500 + "}\n")) == 100


PIECES = [
    *string.printable,
    *(
        "${",
        "%{",
        "$${",
        "<<E\n",
        "E\n",
        "<<-E\n",
        "%{ if true }",
        "%{ endif }",
        "[*]",
        "...",
        "=>",
    ),
    *("for x in ", "null", "true ", "1e9", '"a"', "/*", "*/", "//", "\ufeff", "é", "\x1b[31m"),
    *('job "a" {\n', 'group "g" {\n', 'task "t" {\n', "config {\n", "}\n", "x = ", "count = "),
    *(
        'dynamic "env" {\n',
        "for_each = ",
        "content {\n",
        "var.",
        "local.",
        "upper(",
        'variable "v" {\n',
    ),
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
@settings(max_examples=300, deadline=None)
def test_any_text_loads_or_has_errors(text: str) -> None:
    for candidate in (text, spec(group=text), meta(text), "{" + text):
        for found in errors_of(candidate, Variables((("v", text),))):
            assert found.text()


SCALARS = st.none() | st.integers() | st.text(max_size=5)
GROUPS = st.dictionaries(
    st.sampled_from(["Name", "Tasks", "Count", "Update", "Networks"]),
    SCALARS | st.lists(st.integers(), max_size=2),
)
JOBS = st.dictionaries(
    st.sampled_from(["ID", "Name", "Type", "TaskGroups", "Update", "Periodic"]),
    SCALARS | st.lists(st.none() | GROUPS, max_size=3) | GROUPS,
)


@given(JOBS)
@settings(max_examples=200, deadline=None)
def test_any_json_loads_or_has_errors(data: dict[str, object]) -> None:
    assert errors_of(json.dumps(data))
