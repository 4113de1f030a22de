"""Values as JSON text: sorted keys, exact numbers, signs that HTML gives a meaning escaped."""

from __future__ import annotations

import json
import re

from gitops.jobspec.numbers import number_text
from gitops.jobspec.values import MAX_TEXT, Value, ValueFault

_ESCAPED = re.compile(r'["\\\x00-\x1f<>&\u2028\u2029\ud800-\udfff]')
_INFINITE = {"+Inf", "-Inf"}
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f"}


def json_text(value: Value) -> str:
    """Return the JSON text of a value; raises `ValueFault` where it grows too large."""
    pieces: list[str] = []
    _write(value, pieces, [MAX_TEXT])
    if _INFINITE & set(pieces):
        raise ValueFault("JSON has no infinite numbers")
    return "".join(pieces)


def check_size(value: Value) -> None:
    """Raise `ValueFault` for a value whose text grows too large."""
    _write(value, [], [MAX_TEXT])


def quoted(value: str) -> str:
    """Return text in quotes with JSON's escapes only."""
    return json.dumps(value, ensure_ascii=False)


def _write(value: Value, pieces: list[str], left: list[int]) -> None:
    if isinstance(value, tuple):
        _write_all("[", [("", v) for v in value], "]", pieces, left)
    elif isinstance(value, dict):
        keyed = [(f"{_string(k)}:", value[k]) for k in sorted(value)]
        _write_all("{", keyed, "}", pieces, left)
    else:
        pieces.append(_scalar(value))
        left[0] -= len(pieces[-1]) + 1
        if left[0] < 0:
            raise ValueFault("the text grows too large")


def _write_all(
    opening: str,
    values: list[tuple[str, Value]],
    closing: str,
    pieces: list[str],
    left: list[int],
) -> None:
    left[0] -= 2
    for i, (key, value) in enumerate(values):
        pieces.append(f"{',' if i else opening}{key}")
        left[0] -= len(key)
        _write(value, pieces, left)
    pieces.append(closing if values else opening + closing)


def _scalar(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, tuple | dict):
        raise TypeError("not a scalar")
    return number_text(value)


def _string(value: str) -> str:
    return f'"{_ESCAPED.sub(_escape, value)}"'


def _escape(match: re.Match[str]) -> str:
    sign = match.group()
    return _SHORT.get(sign) or f"\\u{ord(sign):04x}"
