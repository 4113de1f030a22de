"""What hosts say is shown on one line, bounded, without escapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.printable import printable


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain é", "plain é"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bcreset", " creset".strip()),
        ("one\ntwo\r\nthree\t4", "one two three 4"),
        ("a\u202eb\u200bc", "a b c"),
        (b"bytes \xff\x1b[1m", "bytes \ufffd"),
        ("x" * 500, "x" * 399 + "…"),
        ("", ""),
    ],
)
def test_shown(said: str | bytes, shown: str) -> None:
    assert printable(said) == shown


@given(st.text() | st.binary())
def test_always_one_bounded_line_without_controls(said: str | bytes) -> None:
    shown = printable(said, 40)
    assert len(shown) <= 40
    assert all(c >= " " and not "\x7f" <= c <= "\x9f" for c in shown)
    assert len(shown.splitlines()) <= 1
