"""Functions of numbers."""

from __future__ import annotations

import math
from fractions import Fraction

from gitops.jobspec.functions.lazily import Eager
from gitops.jobspec.values import (
    MAX_BITS,
    MAX_DIGITS,
    Number,
    Value,
    ValueFault,
    integer,
    number,
    simple,
    text,
)

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CASELESS = 36


def from_float(value: float) -> Number:
    """Return the number that a float shows as."""
    if math.isnan(value):
        raise ValueFault("the result is not a number")
    return value if math.isinf(value) else simple(Fraction(repr(value)))


def _log(value: Number, base: Number) -> Value:
    if value <= 0 or base <= 0 or base == 1:
        raise ValueFault("positive numbers are required, and a base other than 1")
    return from_float(math.log(value) / math.log(base))


def _pow(base: Number, exponent: Number) -> Value:
    if isinstance(base, int) and isinstance(exponent, int):
        if not base and exponent < 0:
            raise ValueFault("0 has no negative power")
        if base.bit_length() * abs(exponent) <= MAX_BITS:
            return simple(Fraction(base) ** exponent)
    try:
        return from_float(math.pow(base, exponent))
    except (OverflowError, ValueError) as e:
        raise ValueFault(str(e)) from None


def _rounded(up: bool) -> Eager:
    def body(value: Number) -> Value:
        if isinstance(value, float):
            return value
        return math.ceil(value) if up else math.floor(value)

    return Eager(body, (number,))


def _parseint(digits: str, base: int) -> Value:
    if not 2 <= base <= len(_DIGITS):  # noqa: PLR2004 - the smallest base
        raise ValueFault("the base is 2 to 62")
    body = digits.removeprefix("-")
    body = body.lower() if base <= _CASELESS else body
    if not body or len(body) > MAX_DIGITS or any(c not in _DIGITS[:base] for c in body):
        raise ValueFault(f"{digits[:40]!r} is no whole number of base {base}")
    total = 0
    for c in body:
        total = total * base + _DIGITS.index(c)
    return simple(-total if digits.startswith("-") else total)


def _signum(value: Number) -> Value:
    return int(value > 0) - int(value < 0)


def _least(*values: Number) -> Value:
    return min(values)


def _most(*values: Number) -> Value:
    return max(values)


def _absolute(value: Number) -> Value:
    return -value if value < 0 else value


FUNCTIONS: dict[str, Eager] = {
    "abs": Eager(_absolute, (number,)),
    "ceil": _rounded(up=True),
    "floor": _rounded(up=False),
    "log": Eager(_log, (number, number)),
    "max": Eager(_most, (number,), number),
    "min": Eager(_least, (number,), number),
    "parseint": Eager(_parseint, (text, integer)),
    "pow": Eager(_pow, (number, number)),
    "signum": Eager(_signum, (number,)),
}
