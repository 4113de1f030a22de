"""Sets: equal items once, in the order in which the language walks them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cmp_to_key

from gitops.jobspec.numbers import Number, compared, is_infinite, number_text, scientific
from gitops.jobspec.types import BOOL, NUMBER, STRING, Type
from gitops.jobspec.values import ListValue, MapValue, SetValue, Value, ValueFault, equal, number

# Comparing each with each takes a time that grows with the square; only compound items need it.
_MAX_COMPOUND = 2_000


def set_of(values: Iterable[Value], item: Type) -> SetValue:
    """Return the set of values that are all of the type `item`."""
    scalar = item in (STRING, NUMBER, BOOL)
    unique = list(dict.fromkeys(values)) if scalar else _compound(values)
    nulls = [v for v in unique if v is None]
    return SetValue.of([*_sorted([v for v in unique if v is not None], item), *nulls], item)


def _sorted(values: list[Value], item: Type) -> list[Value]:
    if item == NUMBER:
        return sorted(values, key=cmp_to_key(_by_size))
    if item == STRING:
        return sorted(values, key=str)
    return sorted(values, key=_mark)


def _by_size(one: Value, two: Value) -> int:
    return compared(number(one), number(two))


def _compound(values: Iterable[Value]) -> list[Value]:
    groups: dict[str, list[Value]] = {}
    unique: list[Value] = []
    for value in values:
        same = groups.setdefault(_mark(value), [])
        if len(same) > _MAX_COMPOUND:
            raise ValueFault("the set has too many items")
        if not any(equal(value, s) for s in same):
            same.append(value)
            unique.append(value)
    return unique


def _mark(value: Value) -> str:
    """Return a text that orders compound items, as the language's own sets do."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        body = "".join(f"{_mark(v)};" for v in value)
        return f"[{body}]" if isinstance(value, ListValue) else f"<{body}>"
    if isinstance(value, dict):
        is_map = isinstance(value, MapValue)
        names = {k: f"{_mark(k)}:" if is_map else "" for k in sorted(value)}
        body = "".join(f"{name}{_mark(value[k])};" for k, name in names.items())
        return f"{{{body}}}" if is_map else f"<{body}>"
    if value is None or isinstance(value, bool):
        return {None: "~", True: "T", False: "F"}[value]
    return _brief(value)


def _brief(value: Number) -> str:
    """Return a number in ten digits."""
    if is_infinite(value):
        return number_text(value)
    digits, exponent = scientific(value, 9)
    digits = digits.rstrip("0") or "0"
    minus = compared(value, 0) < 0
    sign = "-" if minus else ""
    if -4 <= exponent < 10:  # noqa: PLR2004 - shown without an exponent
        whole = digits[: exponent + 1].ljust(exponent + 1, "0") if exponent >= 0 else "0"
        rest = digits[exponent + 1 :] if exponent >= 0 else "0" * (-exponent - 1) + digits
        return f"{sign}{whole}.{rest}" if rest and digits != "0" else sign + whole
    tail = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{tail}e{exponent:+03d}"
