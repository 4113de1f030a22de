"""Logarithms and powers of machine floats, to the last bit as the language has them. Pure.

The C library's own differ in the last bit, which would show as a difference between plans.
"""

from __future__ import annotations

import math

# Of the polynomial and of ln 2 in two parts, as the C library of FreeBSD has them.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ODD = (
    6.666666666666735130e-01,
    2.857142874366239149e-01,
    1.818357216161805012e-01,
    1.479819860511658591e-01,
)
_EVEN = (3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01)
_FAR = 1 << 12  # exponents of two beyond which the result is infinite or 0 for certain


def logarithm(value: float) -> float:
    """Return the natural logarithm; that of 0 is infinite, and of less not a number."""
    if math.isnan(value) or value < 0:
        return math.nan
    if not value or math.isinf(value):
        return value or -math.inf
    part, exponent = math.frexp(value)
    if part < math.sqrt(2) / 2:
        part, exponent = part * 2, exponent - 1
    f = part - 1
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    odd = s2 * (_ODD[0] + s4 * (_ODD[1] + s4 * (_ODD[2] + s4 * _ODD[3])))
    even = s4 * (_EVEN[0] + s4 * (_EVEN[1] + s4 * _EVEN[2]))
    half = 0.5 * f * f
    return exponent * _LN2_HIGH - ((half - (s * (half + odd + even) + exponent * _LN2_LOW)) - f)


def power(x: float, y: float) -> float:
    """Return x to the power of y; not a number where there is no real one."""
    if not y or x == 1:
        return 1.0
    if not x or math.isinf(x) or math.isinf(y):
        return _edge(x, y)
    if abs(y) == 0.5:  # noqa: PLR2004 - the root
        root = math.sqrt(x) if x >= 0 else math.nan
        return root if y > 0 else 1 / root
    part, whole = math.modf(abs(y))
    if part and x < 0:
        return math.nan
    if whole >= 2**63:
        return _edge(x, math.copysign(math.inf, y))
    result, exponent = _raised(x, part, int(whole))
    return _scaled(1 / result, -exponent) if y < 0 else _scaled(result, exponent)


def _raised(x: float, part: float, whole: int) -> tuple[float, int]:
    """Return x to the power of part + whole, without a power of two, and that power."""
    result, total = 1.0, 0
    if part:
        if part > 0.5:  # noqa: PLR2004 - the nearer whole number
            part, whole = part - 1, whole + 1
        result = math.exp(part * logarithm(x))
    mantissa, exponent = math.frexp(x)
    while whole:
        if abs(exponent) > _FAR:
            return result, total + exponent
        if whole & 1:
            result, total = result * mantissa, total + exponent
        mantissa, exponent = mantissa * mantissa, exponent << 1
        if mantissa < 0.5:  # noqa: PLR2004 - a mantissa is from here to 1
            mantissa, exponent = mantissa + mantissa, exponent - 1
        whole >>= 1
    return result, total


def _scaled(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)


def _edge(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except (ValueError, ZeroDivisionError):
        return math.inf  # 0 to a negative power
