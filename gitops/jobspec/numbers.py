"""Numbers of the language: binary fractions of a stated precision, rounded as the language does.

A whole number that fits the usual precision is an `int`, which computes exactly and fast; all else
is a `Real`. Every operation rounds to nearest, ties to even, at the larger precision of the two.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from fractions import Fraction
from typing import TypeAlias

# Literals and texts are read at 512 bits; counts are of 64, results of float functions of 53.
PRECISION = 512
COUNT_PRECISION = 64
FLOAT_PRECISION = 53
# Beyond these a number is refused: writing it out in full would take too long.
MAX_EXPONENT = 5_000
MAX_DIGITS = 10_000

_DECIMAL = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:([eEpP])([+-]?\d+))?", re.ASCII)
_INFINITY = re.compile(r"([+-]?)[iI]nf")
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


class NumberFault(Exception):  # noqa: N818 - becomes a fault with a place
    """A number cannot be computed or is too large."""


@dataclass(frozen=True, slots=True, eq=False)
class Real:
    """(-1)**negative * mantissa * 2**exponent; an exponent of None stands for infinity.

    `precision` is in bits. Zero has a sign, as the language prints it.
    """

    negative: bool
    mantissa: int
    exponent: int | None
    precision: int = PRECISION

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Real | int) and compared(self, other) == 0

    def __hash__(self) -> int:
        return hash(to_float(self) if self.exponent is None else exact(self))

    def __float__(self) -> float:
        return to_float(self)


Number: TypeAlias = "int | Real"


def infinity(negative: bool) -> Real:
    """Return the infinite number of a sign."""
    return Real(negative, 1, None)


def is_infinite(value: Number) -> bool:
    """Say whether a number is infinite."""
    return isinstance(value, Real) and value.exponent is None


def is_whole(value: Number) -> bool:
    """Say whether a number is finite and without a fraction."""
    if isinstance(value, int):
        return True
    return value.exponent is not None and (value.exponent >= 0 or not value.mantissa)


def exact(value: Number) -> Fraction:
    """Return a finite number as an exact fraction."""
    if isinstance(value, int):
        return Fraction(value)
    magnitude = Fraction(value.mantissa) * Fraction(2) ** (value.exponent or 0)
    return -magnitude if value.negative else magnitude


def whole(value: Number) -> int:
    """Return a finite number without its fraction."""
    if isinstance(value, int):
        return value
    exponent = value.exponent or 0
    size = value.mantissa << exponent if exponent >= 0 else value.mantissa >> -exponent
    return -size if value.negative else size


def counted(value: int) -> Number:
    """Return a count, which is less precise than a number that was written."""
    return _made(value < 0, abs(value), 0, max(COUNT_PRECISION, value.bit_length()))


def from_float(value: float) -> Number:
    """Return a machine float; raises `NumberFault` if it is not a number."""
    if math.isnan(value):
        raise NumberFault("the result is not a number")
    negative = math.copysign(1, value) < 0
    if math.isinf(value):
        return infinity(negative)
    top, bottom = abs(value).as_integer_ratio()
    return _made(negative, top, 1 - bottom.bit_length(), FLOAT_PRECISION)


def to_float(value: Number) -> float:
    """Return the nearest machine float."""
    if isinstance(value, Real) and not value.mantissa:
        return -0.0 if value.negative else 0.0
    negative = value < 0 if isinstance(value, int) else value.negative
    if is_infinite(value):
        return -math.inf if negative else math.inf
    try:
        found = exact(value)
        return found.numerator / found.denominator
    except OverflowError:
        return -math.inf if negative else math.inf


def parsed(text: str) -> Number | None:
    """Return the number that a text stands for, or None; raises `NumberFault` if too large."""
    infinite = _INFINITY.fullmatch(text)
    if infinite:
        return infinity(infinite.group(1) == "-")
    match = _DECIMAL.fullmatch(text)
    if match is None or not (match.group(2) or match.group(3)):
        return None
    sign, before, behind, mark, power = match.groups()
    digits = (before + (behind or "")).lstrip("0")
    exponent = _exponent(power)
    if len(digits) > MAX_DIGITS:
        raise NumberFault(f"a number has at most {MAX_DIGITS} digits")
    value, scale = int(Decimal(digits or "0")), len(behind or "")
    if mark in ("p", "P"):
        return _quotient(sign == "-", value, 10**scale, exponent, PRECISION)
    tens = exponent - scale if digits else 0
    if tens >= 0:
        return _made(sign == "-", value * 10**tens, 0, PRECISION)
    return _quotient(sign == "-", value, 10**-tens, 0, PRECISION)


def _exponent(text: str | None) -> int:
    exponent = int(text[:7]) if text else 0
    if abs(exponent) > MAX_EXPONENT or (text and len(text.lstrip("+-0")) > 6):  # noqa: PLR2004
        raise NumberFault(f"an exponent is at most {MAX_EXPONENT}")
    return exponent


def _made(negative: bool, mantissa: int, exponent: int, precision: int) -> Number:
    """Return the number, rounded to its precision and with the shortest mantissa."""
    extra = mantissa.bit_length() - precision
    if extra > 0:
        mantissa, exponent = _rounded(mantissa, extra), exponent + extra
    if not mantissa:
        return Real(True, 0, 0, precision) if negative else 0
    if exponent < 0:
        zeros = min((mantissa & -mantissa).bit_length() - 1, -exponent)
        mantissa, exponent = mantissa >> zeros, exponent + zeros
    if abs(exponent) > 4 * MAX_EXPONENT:
        raise NumberFault("the number is too large, or too near to 0")
    if precision == PRECISION and exponent >= 0 and mantissa.bit_length() + exponent <= precision:
        return -(mantissa << exponent) if negative else mantissa << exponent
    return Real(negative, mantissa, exponent, precision)


def _rounded(mantissa: int, bits: int) -> int:
    """Return the mantissa without its last `bits`, rounded to nearest, ties to even."""
    kept, lost, half = mantissa >> bits, mantissa & ((1 << bits) - 1), 1 << (bits - 1)
    return kept + (lost > half or (lost == half and kept & 1))


def _quotient(negative: bool, top: int, bottom: int, exponent: int, precision: int) -> Number:
    shift = max(0, precision + 2 - top.bit_length() + bottom.bit_length())
    kept, rest = divmod(top << shift, bottom)
    # One bit more says that something is left over, so that a tie is seen to be none.
    return _made(negative, kept << 1 | (rest > 0), exponent - shift - 1, precision)


def _parts(value: Number) -> tuple[bool, int, int | None, int]:
    if isinstance(value, int):
        return value < 0, abs(value), 0, PRECISION
    return value.negative, value.mantissa, value.exponent, value.precision


def negated(value: Number) -> Number:
    """Return the number with the other sign; zero has one too."""
    negative, mantissa, exponent, precision = _parts(value)
    if exponent is None:
        return infinity(not negative)
    return _made(not negative, mantissa, exponent, precision)


def absolute(value: Number) -> Number:
    """Return the number without its sign."""
    return negated(value) if _parts(value)[0] else value


def added(one: Number, two: Number) -> Number:
    """Return the sum; raises `NumberFault` for infinities of two signs."""
    if isinstance(one, int) and isinstance(two, int):
        return _made(one + two < 0, abs(one + two), 0, PRECISION)
    minus, a, e, p = _parts(one)
    other_minus, b, f, q = _parts(two)
    if e is None or f is None:
        if e is None and f is None and minus != other_minus:
            raise NumberFault("infinity cannot be taken from itself")
        return infinity(minus if e is None else other_minus)
    low = min(e, f)
    total = (-1 if minus else 1) * (a << (e - low)) + (-1 if other_minus else 1) * (b << (f - low))
    both_negative_zero = not total and minus and other_minus
    return _made(total < 0 or both_negative_zero, abs(total), low, max(p, q))


def subtracted(one: Number, two: Number) -> Number:
    """Return the difference; raises `NumberFault` for infinities of one sign."""
    return added(one, negated(two))


def multiplied(one: Number, two: Number) -> Number:
    """Return the product; raises `NumberFault` for 0 and infinity."""
    minus, a, e, p = _parts(one)
    other_minus, b, f, q = _parts(two)
    if e is None or f is None:
        if (e is not None and not a) or (f is not None and not b):
            raise NumberFault("0 cannot be multiplied by infinity")
        return infinity(minus != other_minus)
    return _made(minus != other_minus, a * b, e + f, max(p, q))


def divided(one: Number, two: Number) -> Number:
    """Return the quotient, infinite for a division by 0; raises `NumberFault` for 0 by 0."""
    minus, a, e, p = _parts(one)
    other_minus, b, f, q = _parts(two)
    negative = minus != other_minus
    if (not a and not b) or (e is None and f is None):
        what = "0 cannot be divided by 0" if not a else "infinity cannot be divided by infinity"
        raise NumberFault(what)
    if e is None or not b:
        return infinity(negative)
    if f is None or not a:
        return _made(negative, 0, 0, max(p, q))
    return _quotient(negative, a, b, e - f, max(p, q))


def remainder(one: Number, two: Number) -> Number:
    """Return what is left of a division that rounds towards 0; by 0 that is all of it."""
    if is_infinite(one) or is_infinite(two):
        raise NumberFault("infinity leaves no remainder")
    if not exact(two):
        return one
    # All steps are as precise as the first number, whatever the second one is.
    precision = _parts(one)[3]
    quotient = whole(divided(one, two))
    times = _rounded_to(precision, _made(quotient < 0, abs(quotient), 0, precision))
    return _rounded_to(precision, subtracted(one, _rounded_to(precision, multiplied(two, times))))


def _rounded_to(precision: int, value: Number) -> Number:
    negative, mantissa, exponent, _ = _parts(value)
    return _made(negative, mantissa, exponent or 0, precision)


def compared(one: Number, two: Number) -> int:
    """Return -1, 0 or 1 as the first number is less, equal or greater."""
    if isinstance(one, int) and isinstance(two, int):
        return (one > two) - (one < two)
    a, b = _rank(one), _rank(two)
    if a or b:
        return (a > b) - (a < b)
    left, right = exact(one), exact(two)
    return (left > right) - (left < right)


def _rank(value: Number) -> int:
    if not is_infinite(value):
        return 0
    return -1 if isinstance(value, Real) and value.negative else 1


def number_text(value: Number) -> str:
    """Return a number in full decimal, as short as it can be and still be read back."""
    if isinstance(value, int):
        return digits_of(value)
    sign = "-" if value.negative else ""
    if value.exponent is None:
        return f"{sign or '+'}Inf"
    digits, point = shortest(value)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}" if digits else f"{sign}0"
    whole_part = digits[:point].ljust(point, "0")
    return f"{sign}{whole_part}.{digits[point:]}" if digits[point:] else sign + whole_part


def digits_of(value: int) -> str:
    """Return a whole number's decimal digits, however many there are."""
    return str(Decimal(value))  # str of an int refuses long ones


def shortest(value: Real) -> tuple[str, int]:
    """Return the fewest digits that read back as this finite number, and where the point lies."""
    if not value.mantissa:
        return "", 0
    mantissa, exponent = value.mantissa, value.exponent or 0
    widen = value.precision - mantissa.bit_length()
    mantissa, exponent = mantissa << widen, exponent - widen
    # Half way to both neighbours. (The lower one of a power of two is nearer; not for this.)
    texts = _scaled((2 * mantissa - 1, 2 * mantissa, 2 * mantissa + 1), exponent - 1)
    width = max(map(len, texts[0]))
    lower, digits, upper = (t.rjust(width, "0") for t in texts[0])
    kept, carried = _chosen(lower, digits, upper, inclusive=not mantissa & 1)
    return kept.strip("0") or "0", width - texts[1] + carried - _leading(kept)


def _leading(kept: str) -> int:
    return len(kept) - len(kept.lstrip("0"))


def _scaled(values: tuple[int, int, int], exponent: int) -> tuple[list[str], int]:
    """Return whole numbers of digits for values * 2**exponent, and how many are decimals."""
    if exponent >= 0:
        return [digits_of(v << exponent) for v in values], 0
    return [digits_of(v * 5**-exponent) for v in values], -exponent


def _chosen(lower: str, digits: str, upper: str, *, inclusive: bool) -> tuple[str, int]:
    """Return the shortest digits between two bounds, and 1 if they grew by one in front."""
    low, high = lower.rstrip("0"), upper.rstrip("0")
    for i in range(len(digits)):
        d, u = digits[i], upper[i]
        down = lower[i] != d or (inclusive and i + 1 == len(low))
        up = d != u and (inclusive or int(d) + 1 < int(u) or i + 1 < len(high))
        if down and up:
            return _cut(digits, i + 1, up=_rounds_up(digits, i + 1))
        if down or up:
            return _cut(digits, i + 1, up=up)
    return digits, 0


def _rounds_up(digits: str, count: int) -> bool:
    rest = digits[count:]
    half = "5" + "0" * (len(rest) - 1)
    return rest > half or (rest == half and int(digits[count - 1]) % 2 == 1)


def _cut(digits: str, count: int, *, up: bool) -> tuple[str, int]:
    kept = digits[:count]
    if not up:
        return kept, 0
    raised = digits_of(int(Decimal(kept)) + 1).rjust(count, "0")
    return raised, len(raised) - count


def rounded_text(value: Number, decimals: int) -> str:
    """Return a finite number with so many decimals, rounded to nearest, ties to even."""
    fraction = exact(value)
    scaled = abs(fraction) * 10**decimals
    body = digits_of(round(scaled)).rjust(decimals + 1, "0")
    minus = value < 0 if isinstance(value, int) else value.negative
    sign = "-" if minus else ""
    return f"{sign}{body[:-decimals]}.{body[-decimals:]}" if decimals else sign + body


def scientific(value: Number, decimals: int | None) -> tuple[str, int]:
    """Return the digits (`decimals` behind the first; None for the fewest) and their exponent."""
    real = _real(value)
    if not real.mantissa:
        return "0" * (1 + (decimals or 0)), 0
    if decimals is None:
        digits, point = shortest(real)
        return digits, point - 1
    fraction = abs(exact(value))
    exponent = _ten(fraction)
    scaled = round(fraction * Fraction(10) ** (decimals - exponent))
    digits = digits_of(scaled)
    if len(digits) > decimals + 1:
        digits, exponent = digits[:-1], exponent + 1
    return digits, exponent


def _real(value: Number) -> Real:
    return Real(value < 0, abs(value), 0) if isinstance(value, int) else value


def _ten(value: Fraction) -> int:
    """Return the exponent of ten of a positive fraction's first digit."""
    guess = Decimal(value.numerator).adjusted() - Decimal(value.denominator).adjusted()
    return guess if value >= Fraction(10) ** guess else guess - 1
