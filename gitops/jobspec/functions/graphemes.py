"""Text by what people see as one character, which may be several code points. Pure."""

from __future__ import annotations

import re
from typing import cast

# Between these and a consonant the language's edition of Unicode (15.0) has a boundary.
_LINKERS = "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d"
_BOUNDARY = re.compile(rf"([{_LINKERS}]\u200d?)(?=[^\W\d_])")


def clusters(value: str) -> list[str]:
    """Return the characters of `value`; a letter and its marks are one, and so is CR LF."""
    if value.isascii() and "\r" not in value:
        return list(value)
    import regex

    found = cast("list[str]", regex.findall(r"\X", value))
    if not any(c in value for c in _LINKERS):
        return found
    parts = (_BOUNDARY.sub(r"\1\0", cluster).split("\0") for cluster in found)
    return [p for cluster in parts for p in cluster if p]


def length(value: str) -> int:
    """Return how many characters `value` has."""
    if value.isascii() and "\r" not in value:
        return len(value)
    return len(clusters(value))


def cut(value: str, count: int) -> str:
    """Return the first `count` characters."""
    return "".join(clusters(value)[:count])
