"""Colours of a terminal as single characters, so that text with them can be worked on. Pure."""

from __future__ import annotations

import re

# In the private use area: neither letters nor blanks to anybody.
_FIRST = 0xE000
_ESCAPE = re.compile(r"\x1b\[(\d*)m")
_MARK = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST + 255)}]")


def marked(text: str) -> str:
    """Return the text with a character for each change of colour."""
    return _ESCAPE.sub(lambda m: chr(_FIRST + int(m[1] or 0)), text)


def plain(text: str) -> str:
    """Return marked text without colours."""
    return _MARK.sub("", text)


def ansi(text: str) -> str:
    """Return marked text as a terminal takes it."""
    return _MARK.sub(lambda m: f"\x1b[{ord(m[0]) - _FIRST}m", text)
