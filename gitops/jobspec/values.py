"""The values of expressions, their types, and how one converts into another. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TypeAlias, cast

Value: TypeAlias = (
    "bool | int | Fraction | float | str | tuple[Value, ...] | dict[str, Value] | None"
)
Number: TypeAlias = "int | Fraction | float"

# Numbers are kept exactly; a quotient is rounded to this many bits, and printed by it.
PRECISION = 512
MAX_BITS = 8192
MAX_DIGITS = 1000
MAX_TEXT = 2 * 1024 * 1024
MAX_ITEMS = 200_000


class ValueFault(Exception):  # noqa: N818 - internal: becomes a Fault with a place
    """A value is not what an operation needs."""


class MapValue(dict[str, "Value"]):
    """A map: all values of one type; a plain dict is an object."""


class ListValue(tuple["Value", ...]):
    """A list: all items of one type; a plain tuple is a tuple."""

    __slots__ = ()


class SetValue(tuple["Value", ...]):
    """A set, its items in order and each once."""

    __slots__ = ()


def kind(value: Value) -> str:
    """Return the name of a value's type, for messages and rules."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "map" if isinstance(value, MapValue) else "object"
    if isinstance(value, tuple):
        names = {SetValue: "set", ListValue: "list"}
        return names.get(cast("type[SetValue]", type(value)), "tuple")
    return "number"


def is_number(value: Value) -> bool:
    """Say whether a value is a number (a bool is not)."""
    return isinstance(value, int | Fraction | float) and not isinstance(value, bool)


def number(value: Value) -> Number:
    """Return `value` as a number; text that is one converts."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple | dict):
        raise ValueFault(f"a number is required, not {article(value)}")
    if isinstance(value, str):
        return _parsed(value)
    return value


def _parsed(text: str) -> Number:
    short = text.isascii() and len(text) <= MAX_DIGITS and "/" not in text and text == text.strip()
    exponent = text.lower().partition("e")[2]
    if not short or "_" in text or (exponent and len(exponent) > 4):  # noqa: PLR2004
        raise ValueFault(f"a number is required, not {text[:40]!r}")
    try:
        return simple(Fraction(text))
    except ValueError:
        raise ValueFault(f"a number is required, not {text[:40]!r}") from None


def simple(value: Number) -> Number:
    """Return a whole number as int, and refuse what is too large to compute with."""
    if isinstance(value, float):
        if math.isinf(value):
            return value
        value = Fraction(value)
    if isinstance(value, Fraction) and value.denominator != 1:
        too_large = value.numerator.bit_length() + value.denominator.bit_length() > 2 * MAX_BITS
    else:
        value = int(value)
        too_large = value.bit_length() > MAX_BITS
    if too_large:
        raise ValueFault("the number is too large")
    return value


def integer(value: Value) -> int:
    """Return `value` as a whole number."""
    found = number(value)
    if not isinstance(found, int):
        raise ValueFault(f"a whole number is required, not {number_text(found)}")
    return found


def boolean(value: Value) -> bool:
    """Return `value` as a bool; the texts ``true`` and ``false`` convert."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueFault(f"a bool is required, not {article(value)}")


def text(value: Value) -> str:
    """Return `value` as text; numbers and bools convert."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, tuple | dict):
        raise ValueFault(f"a string is required, not {article(value)}")
    return number_text(value)


def article(value: Value) -> str:
    """Return the type of a value with its article."""
    name = kind(value)
    if name == "null":
        return "null"
    return f"{'an' if name == 'object' else 'a'} {name}"


def number_text(value: Number) -> str:
    """Return a number in full decimal, as short as it can be and still be read back."""
    if isinstance(value, float):
        return "+Inf" if value > 0 else "-Inf"
    if isinstance(value, int):
        return _integer_text(value)
    return _decimal_text(value)


def _integer_text(value: int) -> str:
    # Python refuses to print huge numbers at once; MAX_BITS keeps this below its limit.
    return str(value)


def _decimal_text(value: Fraction) -> str:
    exact = _exact_digits(value.denominator)
    if exact is not None:
        return _fixed(value, exact)
    rounded = to_precision(value)
    whole = len(str(abs(int(value)))) if abs(value) >= 1 else 0
    digits = next(
        (d for d in range(150, 400) if to_precision(_round_to(rounded, d - whole)) == rounded), 400
    )
    return _fixed(_round_to(rounded, digits - whole), digits - whole).rstrip("0")


def _exact_digits(denominator: int) -> int | None:
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    return max(twos, fives) if rest == 1 else None


def _round_to(value: Fraction, digits: int) -> Fraction:
    scale = Fraction(10) ** digits
    return Fraction(round(value * scale)) / scale


def _fixed(value: Fraction, digits: int) -> str:
    scaled = int(abs(value) * 10**digits)
    body = str(scaled).rjust(digits + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{body[:-digits]}.{body[-digits:]}" if digits else f"{sign}{body}"


def to_precision(value: Fraction) -> Fraction:
    """Return `value` rounded to the precision of quotients."""
    if not value:
        return value
    shift = PRECISION - (abs(value.numerator).bit_length() - value.denominator.bit_length())
    scaled = round(value * Fraction(2) ** shift)
    while abs(scaled).bit_length() > PRECISION:
        shift -= 1
        scaled = round(value * Fraction(2) ** shift)
    return Fraction(scaled) / Fraction(2) ** shift


def equal(one: Value, two: Value) -> bool:
    """Say whether two values are equal: types count, so 1 is not "1"."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(map(equal, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(equal(v, two[k]) for k, v in one.items())
    return one == two


def entries(value: Value) -> Iterator[tuple[Value, Value]]:
    """Yield the (key, value) pairs of a collection, maps in order of their keys."""
    if isinstance(value, SetValue):
        yield from ((v, v) for v in value)
    elif isinstance(value, tuple):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from ((k, value[k]) for k in sorted(value))
    else:
        raise ValueFault(f"a list, set, map or object is required, not {article(value)}")


def unified(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return values of one primitive type where they can have one: text wins over the rest."""
    kinds = {kind(v) for v in values} - {"null"}
    if "string" in kinds and kinds <= {"string", "number", "bool"} and len(kinds) > 1:
        return tuple(v if v is None else text(v) for v in values)
    return values


def set_of(values: tuple[Value, ...]) -> SetValue:
    """Return a set: equal items once, in order."""
    unique: list[Value] = []
    for value in unified(values):
        if not any(equal(value, u) for u in unique):
            unique.append(value)
    return SetValue(sorted(unique, key=_order))


def _order(value: Value) -> tuple[int, float, str]:
    if is_number(value):
        return (1, float(cast("int", value)), "")
    return (0, 0.0, value) if isinstance(value, str) else (2, 0.0, repr(value))


def plain(value: Value) -> object:
    """Return JSON data for a value; numbers that are not whole become floats."""
    budget = [MAX_ITEMS]
    return _plain(value, budget)


def _plain(value: Value, budget: list[int]) -> object:
    budget[0] -= 1
    if budget[0] < 0:
        raise ValueFault(f"the value has more than {MAX_ITEMS} parts")
    if isinstance(value, tuple):
        return [_plain(v, budget) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v, budget) for k, v in cast("Mapping[str, Value]", value).items()}
    if isinstance(value, Fraction):
        return float(value)
    return value
