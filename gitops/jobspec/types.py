"""Type expressions such as ``list(string)``: read from syntax, and values converted to them."""

from __future__ import annotations

from dataclasses import dataclass

from gitops.jobspec.syntax import Call, Constant, Expression, Fault, Name, ObjectOf, TupleOf
from gitops.jobspec.values import (
    ListValue,
    MapValue,
    Value,
    ValueFault,
    article,
    boolean,
    entries,
    number,
    set_of,
    text,
    unified,
)

_PRIMITIVE = ("string", "number", "bool", "any")
_COLLECTION = ("list", "set", "map")
_DETAIL = "Known are string, number, bool, any, list(…), set(…), map(…), object({…}), tuple([…])."


@dataclass(frozen=True, slots=True)
class Type:
    """A type: its name, the type of its items, or those of its members in order."""

    name: str
    item: Type | None = None
    members: tuple[tuple[str, Type], ...] = ()

    def __str__(self) -> str:
        return f"{self.name} of {self.item}" if self.item else self.name


ANY = Type("any")
STRING = Type("string")


def read_type(node: Expression) -> Type:
    """Return the type that an expression names; raises `Fault`."""
    if isinstance(node, Constant) and isinstance(node.value, str) and node.value in _PRIMITIVE:
        return Type(node.value)  # the old quoted form
    if isinstance(node, Name) and node.name in _PRIMITIVE:
        return Type(node.name)
    if isinstance(node, Name) and node.name in _COLLECTION:
        return Type(node.name, ANY)
    if isinstance(node, Call) and len(node.arguments) == 1:
        return _constructed(node, node.arguments[0])
    raise Fault(node.span, "Invalid type", _DETAIL)


def _constructed(node: Call, inner: Expression) -> Type:
    if node.name in _COLLECTION:
        return Type(node.name, read_type(inner))
    if node.name == "object" and isinstance(inner, ObjectOf):
        members = tuple((_member_name(k), read_type(v)) for k, v in inner.items)
        return Type("object", None, members)
    if node.name == "tuple" and isinstance(inner, TupleOf):
        return Type("tuple", None, tuple((str(i), read_type(v)) for i, v in enumerate(inner.items)))
    raise Fault(node.span, "Invalid type", _DETAIL)


def _member_name(key: Expression) -> str:
    if isinstance(key, Constant) and isinstance(key.value, str):
        return key.value
    raise Fault(key.span, "Invalid type", "The members of an object type have plain names.")


def convert(value: Value, wanted: Type) -> Value:
    """Return `value` as the wanted type; null is of every type. Raises `ValueFault`."""
    if value is None or wanted.name == "any":
        return value
    if wanted.name in _PRIMITIVE:
        return {"string": text, "number": number, "bool": boolean}[wanted.name](value)
    if wanted.name in _COLLECTION:
        return _collection(value, wanted)
    return _object(value, wanted) if wanted.name == "object" else _tuple(value, wanted)


def _collection(value: Value, wanted: Type) -> Value:
    item = wanted.item or ANY
    if wanted.name == "map":
        if not isinstance(value, dict):
            raise _mismatch(value, wanted)
        values = unified(tuple(convert(v, item) for v in value.values()))
        return MapValue(zip(value, values, strict=True))
    if not isinstance(value, tuple):
        raise _mismatch(value, wanted)
    items = unified(tuple(convert(v, item) for _, v in entries(value)))
    return set_of(items) if wanted.name == "set" else ListValue(items)


def _object(value: Value, wanted: Type) -> Value:
    if not isinstance(value, dict):
        raise _mismatch(value, wanted)
    for name, _ in wanted.members:
        if name not in value:
            raise ValueFault(f'the member "{name}" is required')
    return {name: convert(value[name], member) for name, member in wanted.members}


def _tuple(value: Value, wanted: Type) -> Value:
    if not isinstance(value, tuple) or len(value) != len(wanted.members):
        raise ValueFault(f"a tuple of {len(wanted.members)} items is required")
    return tuple(convert(v, t) for v, (_, t) in zip(value, wanted.members, strict=True))


def _mismatch(value: Value, wanted: Type) -> ValueFault:
    return ValueFault(f"a {wanted} is required, not {article(value)}")
