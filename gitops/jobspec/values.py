"""The values of expressions, and how scalars convert into another. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Self, TypeAlias, cast

from gitops.jobspec.numbers import (
    Number,
    NumberFault,
    Real,
    is_whole,
    number_text,
    parsed,
    to_float,
    whole,
)

if TYPE_CHECKING:
    from gitops.jobspec.types import Type

Value: TypeAlias = "bool | int | Real | str | tuple[Value, ...] | dict[str, Value] | None"

MAX_TEXT = 2 * 1024 * 1024
MAX_ITEMS = 200_000


class ValueFault(Exception):  # noqa: N818 - internal: becomes a Fault with a place
    """A value is not what an operation needs."""


class MapValue(dict[str, "Value"]):
    """A map: all values of the type `item`; a plain dict is an object."""

    def __init__(self, values: Iterable[tuple[str, Value]], item: Type) -> None:
        super().__init__(values)
        self.item = item


class ListValue(tuple["Value", ...]):
    """A list: all items of the type `item`; a plain tuple is a tuple."""

    item: Type

    @classmethod
    def of(cls, values: Iterable[Value], item: Type) -> Self:
        """Return the list of values that are of the type already."""
        made = cls(values)
        made.item = item
        return made


class SetValue(ListValue):
    """A set: its items each once, in the order of the language (`gitops.jobspec.sets`)."""


_SCALARS: dict[type, str] = {
    type(None): "null",
    bool: "bool",
    str: "string",
    int: "number",
    Real: "number",
}


def kind(value: Value) -> str:
    """Return the name of a value's type, for messages and rules."""
    scalar = _SCALARS.get(type(value))
    if scalar is not None:
        return scalar
    if isinstance(value, dict):
        return "map" if isinstance(value, MapValue) else "object"
    if isinstance(value, SetValue):
        return "set"
    return "list" if isinstance(value, ListValue) else "tuple"


def normal(text: str) -> str:
    """Return text in the normal form that all text of the language has (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def number(value: Value) -> Number:
    """Return `value` as a number; text that is one converts."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple | dict):
        raise ValueFault(f"a number is required, not {article(value)}")
    if not isinstance(value, str):
        return value
    try:
        found = parsed(value)
    except NumberFault as e:
        raise ValueFault(str(e)) from None
    if found is None:
        raise ValueFault(f"a number is required, not {value[:40]!r}")
    return found


def integer(value: Value) -> int:
    """Return `value` as a whole number."""
    found = number(value)
    if not is_whole(found):
        raise ValueFault(f"a whole number is required, not {number_text(found)[:40]}")
    return whole(found)


def boolean(value: Value) -> bool:
    """Return `value` as a bool; the texts ``true``, ``false``, ``1`` and ``0`` convert."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false", "1", "0") and isinstance(value, str):
        return value in ("true", "1")
    shown = repr(value[:40]) if isinstance(value, str) else article(value)
    raise ValueFault(f"a bool is required, not {shown}")


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


def equal(one: Value, two: Value) -> bool:
    """Say whether two values are equal: types count, so 1 is not "1", and no list is a tuple."""
    if kind(one) != kind(two):
        return False
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and _same_items(one, two) and all(map(equal, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        same = one.keys() == two.keys() and _same_items(one, two)
        return same and all(equal(v, two[k]) for k, v in one.items())
    return one == two


def _same_items(one: object, two: object) -> bool:
    if isinstance(one, ListValue | MapValue) and isinstance(two, ListValue | MapValue):
        return one.item == two.item
    return True


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
    if isinstance(value, Real):
        return whole(value) if is_whole(value) else to_float(value)
    return value
