"""Text from hosts and specs made fit for a terminal. Keeps what can be read, nothing else."""

from __future__ import annotations

import re

from gitops.jobspec import marks

# CSI and OSC sequences, and other two-byte escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_]?)")
_QUOTES = {c: f"\\{c}" for c in '\\"'} | dict(
    zip("\a\b\f\n\r\t\v", (f"\\{c}" for c in "abfnrtv"), strict=True)
)
_DELETE, _BEYOND_BASIC = 0x7F, 0x10000
# Characters that change the direction of the text around them.
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """Return one line without terminal escapes and control characters; blanks take their place.

    What is sensitive shows as such.
    """
    plain = marks.shown(_ESCAPES.sub("", text))
    return "".join(" " if _is_control(c) else c for c in plain)


def quoted(text: str) -> str:
    """Return the text in double quotes, with whatever can't be shown written as an escape."""
    return '"' + "".join(_QUOTES.get(c) or _escaped(c) for c in marks.shown(text)) + '"'


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if char < " " or code == _DELETE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _BEYOND_BASIC else f"\\U{code:08x}"


def _is_control(char: str) -> bool:
    return char < " " or "\x7f" <= char <= "\x9f" or char in _BIDI or char in "\u2028\u2029"
