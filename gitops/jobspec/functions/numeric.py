"""Functions of numbers."""

from __future__ import annotations

import math

from gitops.jobspec.functions.lazily import Eager, given, position
from gitops.jobspec.functions.powers import logarithm, power
from gitops.jobspec.numbers import (
    MAX_DIGITS,
    Number,
    absolute,
    compared,
    counted,
    exact,
    from_float,
    is_infinite,
    to_float,
)
from gitops.jobspec.values import Value, ValueFault, number

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CASELESS = 36


def _log(value: Number, base: Number) -> Value:
    above, below = logarithm(_machine(value)), logarithm(_machine(base))
    if not below:
        return from_float(math.copysign(math.inf, above) if above else math.nan)
    return from_float(above / below)


def _pow(base: Number, exponent: Number) -> Value:
    return from_float(power(_machine(base), _machine(exponent)))


def _machine(value: Number) -> float:
    found = to_float(value)
    if math.isinf(found) and not is_infinite(value):
        raise ValueFault("the number is too large for this function")
    return found


def _ceil(value: Number) -> Value:
    return value if is_infinite(value) else counted(math.ceil(exact(value)))


def _floor(value: Number) -> Value:
    return value if is_infinite(value) else counted(math.floor(exact(value)))


def _written(value: Value) -> str:
    if isinstance(value, str):
        return value
    given(value)
    raise ValueFault("the digits are given as text")


def _parseint(digits: str, base: int) -> Value:
    if not 2 <= base <= len(_DIGITS):  # noqa: PLR2004 - the smallest base
        raise ValueFault("the base is 2 to 62")
    body = digits[1:] if digits[:1] in ("-", "+") else digits
    body = body.lower() if base <= _CASELESS else body
    known = set(_DIGITS[:base])
    if not body or len(body) > MAX_DIGITS or not known.issuperset(body):
        raise ValueFault(f"{digits[:40]!r} is no whole number of base {base}")
    total = _total(body, base)
    return counted(-total if digits.startswith("-") else total)


def _total(body: str, base: int) -> int:
    """Add the digits up by halves: digit by digit the time grows with the length's square."""
    if len(body) <= 32:  # noqa: PLR2004 - short enough for one pass
        total = 0
        for c in body:
            total = total * base + _DIGITS.index(c)
        return total
    half = len(body) // 2
    weight: int = base**half
    return _total(body[:-half], base) * weight + _total(body[-half:], base)


def _signum(value: Number) -> Value:
    return counted(compared(value, 0))


def _least(*values: Number) -> Value:
    best = values[0]
    for value in values[1:]:
        best = value if compared(value, best) < 0 else best
    return best


def _most(*values: Number) -> Value:
    best = values[0]
    for value in values[1:]:
        best = value if compared(value, best) > 0 else best
    return best


FUNCTIONS: dict[str, Eager] = {
    "abs": Eager(absolute, (number,)),
    "ceil": Eager(_ceil, (number,)),
    "floor": Eager(_floor, (number,)),
    "log": Eager(_log, (number, number)),
    "max": Eager(_most, (number,), number),
    "min": Eager(_least, (number,), number),
    "parseint": Eager(_parseint, (_written, position)),
    "pow": Eager(_pow, (number, number)),
    "signum": Eager(_signum, (number,)),
}
