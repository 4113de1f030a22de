"""Types of values, what type a value has, and values converted to a type. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gitops.jobspec.numbers import Real
from gitops.jobspec.values import (
    ListValue,
    MapValue,
    Value,
    ValueFault,
    article,
    boolean,
    entries,
    kind,
    number,
    text,
)

PRIMITIVES = ("string", "number", "bool")


@dataclass(frozen=True, slots=True)
class Type:
    """A type: its name, the type of its items, or those of its members.

    The members of an object are in order of their names. Those in `optional` may be missing when
    a value is converted; they are null then, or what `defaults` says.
    """

    name: str
    item: Type | None = None
    members: tuple[tuple[str, Type], ...] = ()
    optional: frozenset[str] = field(default=frozenset(), compare=False)
    defaults: tuple[tuple[str, Value], ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.name} of {self.item}" if self.item else self.name


ANY = Type("any")
STRING = Type("string")
NUMBER = Type("number")
BOOL = Type("bool")
_SCALARS: dict[type, Type] = {str: STRING, bool: BOOL, int: NUMBER, Real: NUMBER}


def list_type(item: Type) -> Type:
    """Return the type of lists of `item`."""
    return Type("list", item)


def type_of(value: Value) -> Type:
    """Return the type of a value; null is of any type."""
    scalar = _SCALARS.get(type(value))
    if scalar is not None:
        return scalar
    if isinstance(value, ListValue | MapValue):
        return Type(kind(value), value.item)
    if isinstance(value, tuple):
        return Type("tuple", None, tuple((str(i), type_of(v)) for i, v in enumerate(value)))
    if isinstance(value, dict):
        return Type("object", None, tuple((k, type_of(value[k])) for k in sorted(value)))
    return ANY


def has_any(wanted: Type) -> bool:
    """Say whether a type leaves something open."""
    if wanted.name == "any":
        return True
    inner = [t for _, t in wanted.members] + ([wanted.item] if wanted.item else [])
    return any(map(has_any, inner))


def convert(value: Value, wanted: Type) -> Value:
    """Return `value` as the wanted type; null is of every type. Raises `ValueFault`."""
    if value is None or wanted.name == "any":
        return value
    return _CONVERT[wanted.name](value, wanted)


def _text(value: Value, wanted: Type) -> Value:
    return text(value)


def _number(value: Value, wanted: Type) -> Value:
    return number(value)


def _boolean(value: Value, wanted: Type) -> Value:
    return boolean(value)


def _list(value: Value, wanted: Type) -> Value:
    items, item = _items(value, wanted)
    return ListValue.of(items, item)


def _set(value: Value, wanted: Type) -> Value:
    from gitops.jobspec.sets import set_of

    return set_of(*_items(value, wanted))


def _items(value: Value, wanted: Type) -> tuple[tuple[Value, ...], Type]:
    if not isinstance(value, tuple):
        raise _mismatch(value, wanted)
    given = value.item if isinstance(value, ListValue) else None
    return _uniform(value, wanted.item or ANY, given, "items")


def _map(value: Value, wanted: Type) -> Value:
    if not isinstance(value, dict):
        raise _mismatch(value, wanted)
    given = value.item if isinstance(value, MapValue) else None
    values, item = _uniform(tuple(value.values()), wanted.item or ANY, given, "values")
    return MapValue(zip(value, values, strict=True), item)


def _uniform(
    values: tuple[Value, ...], wanted: Type, given: Type | None, noun: str
) -> tuple[tuple[Value, ...], Type]:
    """Return the values as one type, as far as `wanted` leaves it open their common one."""
    from gitops.jobspec.unify import unified_type

    if given is not None and (given == wanted or wanted.name == "any"):
        return values, given
    converted = tuple(convert(v, wanted) for v in values)
    if not has_any(wanted):
        return converted, wanted
    common = unified_type([type_of(v) for v in converted]) if converted else wanted
    if common is None or (common == ANY and any(v is not None for v in converted)):
        raise ValueFault(f"all {noun} must have one type")
    return tuple(convert(v, common) for v in converted), common


def _object(value: Value, wanted: Type) -> Value:
    if not isinstance(value, dict):
        raise _mismatch(value, wanted)
    defaults = dict(wanted.defaults)
    made: dict[str, Value] = {}
    for name, member in wanted.members:
        if name not in value and name not in wanted.optional:
            raise ValueFault(f'the member "{name}" is required')
        given = value.get(name)
        made[name] = convert(defaults.get(name) if given is None else given, member)
    return made


def _tuple(value: Value, wanted: Type) -> Value:
    count = len(wanted.members)
    if not isinstance(value, tuple) or isinstance(value, ListValue) or len(value) != count:
        raise ValueFault(f"a tuple of {count} items is required, not {_sized(value)}")
    return tuple(convert(v, t) for v, (_, t) in zip(value, wanted.members, strict=True))


def _sized(value: Value) -> str:
    count = f" of {len(value)}" if isinstance(value, tuple) else ""
    return article(value) + count


_CONVERT: dict[str, Callable[[Value, Type], Value]] = {
    "string": _text,
    "number": _number,
    "bool": _boolean,
    "list": _list,
    "set": _set,
    "map": _map,
    "object": _object,
    "tuple": _tuple,
}


def _mismatch(value: Value, wanted: Type) -> ValueFault:
    return ValueFault(f"a {wanted} is required, not {article(value)}")


def keyed(value: Value) -> dict[str, Value]:
    """Return a map or object in order of its keys; raises `ValueFault`."""
    return {str(k): v for k, v in entries(value)}
