"""``format``: verbs, flags, width and precision over values. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from gitops.jobspec.functions.json_text import json_text, quoted
from gitops.jobspec.values import MAX_TEXT, Value, ValueFault, boolean, integer, number, text

_VERB = re.compile(r"%(?:%|([-+ 0#]*)(\d{1,4})?(?:\.(\d{1,3}))?(?:\[(\d{1,4})\])?([a-zA-Z]))")


def formatted(pattern: str, values: tuple[Value, ...]) -> str:
    """Return `pattern` with its verbs replaced by the values; raises `ValueFault`."""
    if "%" in _VERB.sub("", pattern):
        raise ValueFault('a "%" without a verb; write "%%" for the sign')
    used = _Used(values)
    result = _VERB.sub(used.replaced, pattern)
    if used.next < len(values) and not used.by_position:
        raise ValueFault(f"{len(values) - used.next} arguments have no verb")
    if len(result) > MAX_TEXT:
        raise ValueFault("the text grows too large")
    return result


class _Used:
    def __init__(self, values: tuple[Value, ...]) -> None:
        self.values = values
        self.next = 0
        self.by_position = False

    def replaced(self, match: re.Match[str]) -> str:
        if match.group() == "%%":
            return "%"
        flags, width, precision, position, verb = match.groups()
        if position:
            self.by_position = True
            self.next = int(position) - 1
        if self.next >= len(self.values):
            raise ValueFault(f"there is no argument for {match.group()!r}")
        value = self.values[self.next]
        self.next += 1
        return _padded(_one(verb, flags, precision, value), flags, int(width or 0), verb)


def _one(verb: str, flags: str, precision: str | None, value: Value) -> str:
    make = _VERBS.get(verb)
    if make is None:
        raise ValueFault(f'there is no verb "%{verb}"')
    shown = make(value, flags, precision)
    if verb in "dbfeEgG" and not shown.startswith("-"):
        return ("+" if "+" in flags else " " if " " in flags else "") + shown
    return shown


def _padded(shown: str, flags: str, width: int, verb: str) -> str:
    if "-" in flags:
        return shown.ljust(width)
    if "0" in flags and verb in "dboxXfeEgG":
        sign = shown[:1] if shown[:1] in ("-", "+", " ") else ""
        return sign + shown[len(sign) :].rjust(width - len(sign), "0")
    return shown.rjust(width)


def _value(value: Value, flags: str, precision: str | None) -> str:
    if "#" in flags or value is None or isinstance(value, tuple | dict):
        return json_text(value)
    return text(value)


def _string(value: Value, flags: str, precision: str | None) -> str:
    shown = text(value)
    return shown[: int(precision)] if precision else shown


def _quoted(value: Value, flags: str, precision: str | None) -> str:
    return quoted(text(value))


def _boolean(value: Value, flags: str, precision: str | None) -> str:
    return text(boolean(value))


def _whole(code: str) -> Callable[[Value, str, str | None], str]:
    def show(value: Value, flags: str, precision: str | None) -> str:
        return format(integer(value), code)

    return show


def _hexadecimal(code: str) -> Callable[[Value, str, str | None], str]:
    def show(value: Value, flags: str, precision: str | None) -> str:
        if isinstance(value, str):
            shown = value.encode().hex()
            return shown.upper() if code == "X" else shown
        return format(integer(value), code)

    return show


def _fixed(value: Value, flags: str, precision: str | None) -> str:
    found = number(value)
    digits = int(precision) if precision is not None else 6
    if isinstance(found, float):
        return text(found)
    scaled = round(Fraction(found) * 10**digits)
    body = str(abs(scaled)).rjust(digits + 1, "0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{body[:-digits]}.{body[-digits:]}" if digits else sign + body


def _float(code: str) -> Callable[[Value, str, str | None], str]:
    def show(value: Value, flags: str, precision: str | None) -> str:
        try:
            return format(float(number(value)), f".{precision or 6}{code}")
        except OverflowError:
            raise ValueFault("the number is too large") from None

    return show


_VERBS: dict[str, Callable[[Value, str, str | None], str]] = {
    "v": _value,
    "s": _string,
    "q": _quoted,
    "t": _boolean,
    "d": _whole("d"),
    "b": _whole("b"),
    "o": _whole("o"),
    "x": _hexadecimal("x"),
    "X": _hexadecimal("X"),
    "f": _fixed,
    "e": _float("e"),
    "E": _float("E"),
    "g": _float("g"),
    "G": _float("G"),
}
