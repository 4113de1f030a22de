"""``format``: verbs, flags, width and precision over values. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gitops.jobspec.functions.graphemes import cut, length
from gitops.jobspec.functions.json_text import json_text
from gitops.jobspec.numbers import (
    Number,
    Real,
    compared,
    digits_of,
    is_infinite,
    number_text,
    rounded_text,
    scientific,
    shortest,
)
from gitops.jobspec.values import MAX_TEXT, Value, ValueFault, boolean, integer, number, text

_VERB = re.compile(
    r"%(?P<flags>[-+ 0#]*)(?P<width>[1-9]\d*)?(?:\.(?P<precision>\d*))?"
    r"(?:\[(?P<position>[1-9]\d*)\])?(?P<verb>[a-zA-Z%])",
    re.ASCII,
)
_MAX_WIDTH, _MAX_PRECISION = 100_000, 1_000
_PLAIN_EXPONENTS = range(-4, 6)


@dataclass(frozen=True, slots=True)
class _Verb:
    """One verb as written; width -1 and precision -1 are not given."""

    name: str
    flags: str
    width: int = -1
    precision: int = -1

    @property
    def is_left(self) -> bool:
        return "-" in self.flags

    @property
    def is_zeroed(self) -> bool:
        return "0" in self.flags and not self.is_left


def formatted(pattern: str, values: tuple[Value, ...]) -> str:
    """Return `pattern` with its verbs replaced by the values; raises `ValueFault`."""
    pieces: list[str] = []
    used = _Used(values)
    at = size = 0
    while (found := pattern.find("%", at)) >= 0:
        match = _VERB.match(pattern, found)
        if match is None or (match["verb"] == "%" and match.group() != "%%"):
            raise ValueFault(_bad_verb(pattern[found : found + 10]))
        pieces += [pattern[at:found], "%" if match.group() == "%%" else used.replaced(match)]
        size += len(pieces[-1]) + len(pieces[-2])
        if size > MAX_TEXT:
            raise ValueFault("the text grows too large")
        at = match.end()
    used.check()
    return "".join([*pieces, pattern[at:]])


def _bad_verb(written: str) -> str:
    return f'{written!r} does not begin with a verb; write "%%" for the sign'


class _Used:
    def __init__(self, values: tuple[Value, ...]) -> None:
        self.values = values
        self.next = 0
        self.most = 0

    def replaced(self, match: re.Match[str]) -> str:
        position = match["position"]
        if position:
            self.next = int(position[:6]) - 1
        if self.next >= len(self.values):
            raise ValueFault(f"there is no argument for {match.group()[:20]!r}")
        value = self.values[self.next]
        self.next += 1
        self.most = max(self.most, self.next)
        width = _size(match["width"], _MAX_WIDTH)
        precision = _size(match["precision"], _MAX_PRECISION)
        return _one(_Verb(match["verb"], match["flags"], width, precision), value)

    def check(self) -> None:
        if self.most < len(self.values):
            raise ValueFault(f"{len(self.values) - self.most} arguments have no verb")


def _size(written: str | None, most: int) -> int:
    if written is None:
        return -1
    if len(written) > 6 or int(written or "0") > most:  # noqa: PLR2004 - not all is read
        raise ValueFault(f"this width or precision is at most {most}")
    return int(written or "0")


def _one(verb: _Verb, value: Value) -> str:
    make = _VERBS.get(verb.name)
    if make is None:
        raise ValueFault(f'there is no verb "%{verb.name}"')
    if value is None and verb.name != "v":
        raise ValueFault(f'null cannot be formatted with "%{verb.name}"')
    return make(verb, value)


def _padded(verb: _Verb, shown: str) -> str:
    """Fill up to the width, which counts what people see as one character."""
    missing = verb.width - length(shown) if verb.width > 0 else 0
    if missing <= 0:
        return shown
    fill = ("0" if "0" in verb.flags else " ") * missing
    return shown + fill if verb.is_left else fill + shown


def _value(verb: _Verb, value: Value) -> str:
    if "#" in verb.flags or value is None or isinstance(value, tuple | dict | bool):
        return _padded(verb, json_text(value))
    if isinstance(value, str):
        return _padded(verb, value)
    return _padded(verb, _general(value, -1, "e"))


def _string(verb: _Verb, value: Value) -> str:
    shown = text(value)
    return _padded(verb, cut(shown, verb.precision) if verb.precision > 0 else shown)


def _quoted(verb: _Verb, value: Value) -> str:
    shown = text(value)
    shown = cut(shown, verb.precision) if verb.precision > 0 else shown
    return _padded(verb, json_text(shown))


def _boolean(verb: _Verb, value: Value) -> str:
    return text(boolean(value))


_PREFIXES = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}


def _whole(verb: _Verb, value: Value) -> str:
    found = integer(value)
    digits = digits_of(abs(found)) if verb.name == "d" else format(abs(found), verb.name)
    if not found and not verb.precision:
        return ""
    digits = digits.rjust(verb.precision, "0")
    prefix = _PREFIXES.get(verb.name, "") if "#" in verb.flags else ""
    head = _sign(verb, negative=found < 0) + prefix
    if verb.is_zeroed and verb.precision < 0:
        digits = digits.rjust(verb.width - len(head), "0")
    return _justified(verb, head + digits)


def _sign(verb: _Verb, *, negative: bool) -> str:
    if negative:
        return "-"
    return "+" if "+" in verb.flags else " " if " " in verb.flags else ""


def _justified(verb: _Verb, shown: str) -> str:
    return shown.ljust(verb.width) if verb.is_left else shown.rjust(verb.width)


def _real(verb: _Verb, value: Value) -> str:
    found = number(value)
    negative = found.negative if isinstance(found, Real) else found < 0
    if is_infinite(found):
        sign = _sign(verb, negative=negative) or "+"
        return _justified(verb, f"{sign}Inf")
    sign = _sign(verb, negative=negative)
    body = _body(verb, found).removeprefix("-")
    if "0" in verb.flags:
        body = body.rjust(verb.width - len(sign), "0")
    return _justified(verb, sign + body)


def _body(verb: _Verb, value: Number) -> str:
    if verb.name == "f":
        return rounded_text(value, verb.precision if verb.precision >= 0 else 6)
    if verb.name in "gG":
        return _general(value, verb.precision, "e" if verb.name == "g" else "E")
    return _exponential(value, verb.precision if verb.precision >= 0 else 6, verb.name)


def _exponential(value: Number, decimals: int, mark: str) -> str:
    digits, exponent = scientific(value, decimals)
    digits = digits.ljust(decimals + 1, "0")
    point = "." if decimals else ""
    minus = "-" if compared(value, 0) < 0 else ""
    return f"{minus}{digits[0]}{point}{digits[1:]}{mark}{exponent:+03d}"


def _general(value: Number, precision: int, mark: str) -> str:
    """Return the number as short as it can be, with an exponent if it is far from 1."""
    if is_infinite(value):
        return number_text(value)
    if precision < 0:
        digits, point = shortest(value if isinstance(value, Real) else _as_real(value))
        if not digits or point - 1 in _PLAIN_EXPONENTS:
            return number_text(value)
        return _exponential(value, len(digits) - 1, mark)
    wanted = max(1, precision)
    digits, exponent = scientific(value, wanted - 1)
    digits = digits.rstrip("0") or "0"
    limit = len(digits) if wanted > len(digits) > exponent else wanted
    if not -4 <= exponent < limit:  # noqa: PLR2004 - as in C
        return _exponential(value, min(wanted, len(digits)) - 1, mark)
    return rounded_text(value, max(0, len(digits) - 1 - exponent))


def _as_real(value: int) -> Real:
    return Real(value < 0, abs(value), 0)


_VERBS: dict[str, Callable[[_Verb, Value], str]] = {
    "v": _value,
    "s": _string,
    "q": _quoted,
    "t": _boolean,
    **dict.fromkeys("dboxX", _whole),
    **dict.fromkeys("feEgG", _real),
}
