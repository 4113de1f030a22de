"""What a host said, made fit to be shown: one line, bounded, without terminal escapes."""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-_])")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")
_LINE_LIMIT = 400


def printable(said: bytes | str, limit: int = _LINE_LIMIT) -> str:
    """Return the text on one line, cut to `limit` characters."""
    if isinstance(said, bytes):
        said = said[: 8 * limit].decode(errors="replace")
    line = _CONTROLS.sub(" ", _ESCAPES.sub("", said)).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"
