from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.view.columns import WIDTH, wrapped_table
from gitops.view.moment import ago, span_text
from gitops.view.palette import Palette
from gitops.view.safe import clean, quoted

S = 1_000_000_000


@given(st.text())
def test_nothing_that_moves_a_cursor_is_left(text: str) -> None:
    for shown in (clean(text), quoted(text)):
        assert not any(c < " " or "\x7f" <= c <= "\x9f" or c == "\u202e" for c in shown)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("a\nb\tc", "a b c"),
        ("\u202egnp", " gnp"),
    ],
)
def test_escapes_are_stripped(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_quotes_show_what_is_there() -> None:
    assert quoted('a"b\\\x1b\u2066é') == '"a\\"b\\\\\\x1b\\u2066é"'
    assert quoted("\a\r\n\x7f\x9f") == r'"\a\r\n\x7f\u009f"'
    assert quoted("a\u00a0b\u200bc\U000e0041😀") == r'"a\u00a0b\u200bc\U000e0041😀"'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (28, "28s"), (120, "2m"), (110, "1m50s"), (3720, "1h2m"), (90_000, "1d1h")],
)
def test_spans(seconds: int, text: str) -> None:
    assert span_text(seconds * S) == text


def test_ages_look_both_ways() -> None:
    assert (ago(0, S), ago(S, 3 * S), ago(3 * S, S)) == ("N/A", "2s ago", "2s from now")


def test_tables_stay_within_the_width() -> None:
    lines = wrapped_table(("A", "Reason"), [("x[0]", "word " * 40)])
    assert max(map(len, lines)) <= WIDTH


def test_paint_is_nothing_without_colour() -> None:
    assert Palette().paint("red", "x") == "x"
    assert Palette(enabled=True).action("forces destroy", "x") == "\x1b[31mx\x1b[0m"
