"""Functions of lists, maps and objects."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import cast

from gitops.jobspec.functions.lazily import Eager, anything, given, of_type, position
from gitops.jobspec.numbers import Number, added, compared, counted, is_infinite
from gitops.jobspec.types import (
    ANY,
    NUMBER,
    STRING,
    Type,
    convert,
    list_type,
    type_of,
)
from gitops.jobspec.unify import unified_type
from gitops.jobspec.values import (
    ListValue,
    MapValue,
    SetValue,
    Value,
    ValueFault,
    article,
    entries,
    equal,
    integer,
    kind,
    number,
    text,
)

Items = tuple[Value, ...]

MAX_RANGE = 1024
_MANY = 2_000
list_of_any = of_type(list_type(ANY))
list_of_strings = of_type(list_type(STRING))


def items(value: Value) -> Items:
    """Take a list, tuple or set."""
    if isinstance(value, tuple):
        return value
    raise ValueFault(f"a list is required, not {article(value)}")


def ordered(value: Value) -> Items:
    """Take a list or tuple."""
    if isinstance(value, SetValue):
        raise ValueFault("a list is required, not a set")
    return items(value)


def mapping(value: Value) -> dict[str, Value]:
    """Take a map or object."""
    if isinstance(value, dict):
        return value
    raise ValueFault(f"a map is required, not {article(value)}")


def _maybe_mapping(value: Value) -> dict[str, Value]:
    return {} if value is None else mapping(value)


def common(values: Items, noun: str = "arguments") -> tuple[Items, Type]:
    """Return values as their common type, and that type; raises `ValueFault`."""
    found = unified_type([type_of(v) for v in values]) if values else ANY
    if found is None:
        raise ValueFault(f"all {noun} must have one type")
    return tuple(convert(v, found) for v in values), found


def _refuse(message: str) -> Value:
    raise ValueFault(message)


def _chunklist(values: ListValue, size: int) -> Value:
    if size < 0:
        raise ValueFault("the size is not negative")
    step = size or max(1, len(values))
    chunks = (values[i : i + step] for i in range(0, len(values), step))
    item = list_type(values.item)
    return ListValue.of((ListValue.of(c, values.item) for c in chunks), item)


def _coalesce(*values: Value) -> Value:
    if not values:
        raise ValueFault("at least one argument is needed")
    alike, _ = common(values)
    found = next((v for v in alike if v is not None), None)
    return found if found is not None else _refuse("all arguments are null")


def _coalescelist(*lists: Items) -> Value:
    found = next((v for v in lists if v), None)
    return found if found is not None else _refuse("all lists are empty")


def _compact(values: Items) -> Value:
    return ListValue.of((v for v in values if v not in (None, "")), STRING)


def _concat(*lists: Items) -> Value:
    if not lists:
        raise ValueFault("at least one list is needed")
    joined = tuple(itertools.chain.from_iterable(lists))
    if not all(isinstance(v, ListValue) for v in lists):
        return joined
    found = unified_type([v.item for v in lists if isinstance(v, ListValue)])
    return ListValue.of((convert(v, found) for v in joined), found) if found else joined


def _contains(values: Items, wanted: Value) -> Value:
    return any(equal(v, wanted) for v in values)


def _distinct(values: ListValue) -> Value:
    seen: dict[object, Value] = {}
    compound: dict[object, list[Value]] = {}
    for value in values:
        if not isinstance(value, tuple | dict):
            seen.setdefault((kind(value), value), value)
            continue
        alike = compound.setdefault(_outline(value), [])
        if len(seen) > _MANY:
            raise ValueFault(f"at most {_MANY} lists or maps are told apart")
        if not any(equal(value, other) for other in alike):
            alike.append(value)
            seen[("", len(seen))] = value
    return ListValue.of(seen.values(), values.item)


def _outline(value: Value) -> object:
    """Return what equal lists and maps have in common: of the first few items what is plain."""
    if isinstance(value, tuple):
        some = [(kind(v), None if isinstance(v, tuple | dict) else v) for v in value[:8]]
        return kind(value), len(value), tuple(some)
    return kind(value), frozenset(cast("dict[str, Value]", value))


def _element(values: Items, position: int) -> Value:
    return values[position % len(values)] if values else _refuse("the list is empty")


def _flatten(value: Value) -> Value:
    return tuple(_flat(items(value)))


def _flat(values: Items) -> Iterable[Value]:
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        else:
            yield value


def _index(collection: Value, key: Value) -> Value:
    if isinstance(collection, MapValue):
        name = text(key)
        return collection[name] if name in collection else _refuse("there is no such key")
    if isinstance(key, str):
        raise ValueFault("the position in a list is a number")
    values, position = ordered(collection), integer(key)
    return values[position] if 0 <= position < len(values) else _refuse("there is no such item")


def _keys(value: dict[str, Value]) -> Value:
    names = sorted(value)
    return ListValue.of(names, STRING) if isinstance(value, MapValue) else tuple(names)


def _length(value: Value) -> Value:
    if isinstance(value, tuple | MapValue):
        return counted(len(value))
    hint = "; use length(keys(…))" if isinstance(value, dict) else ""
    hint = "; use strlen" if isinstance(value, str) else hint
    raise ValueFault(f"a list, set or map is required, not {article(value)}{hint}")


def _lookup(value: dict[str, Value], key: str, default: Value) -> Value:
    fallback = convert(default, value.item) if isinstance(value, MapValue) else default
    return value.get(key, fallback)


def _merge(*values: dict[str, Value]) -> Value:
    merged: dict[str, Value] = {}
    for value in values:
        merged |= value
    found = {v.item: None for v in values if isinstance(v, MapValue)}
    if values and len(found) == 1 and all(isinstance(v, MapValue) for v in values):
        return MapValue(merged.items(), next(iter(found)))
    return merged


def _range(*bounds: Number) -> Value:
    first, last = (0, bounds[0]) if len(bounds) == 1 else bounds[:2]
    rising = compared(first, last) <= 0
    step = bounds[2] if len(bounds) == 3 else (1 if rising else -1)  # noqa: PLR2004
    sign = compared(step, 0)
    if not sign or any(map(is_infinite, bounds)):
        raise ValueFault("the step is not 0, and no bound is infinite")
    if compared(first, last) and (sign > 0) != rising:
        raise ValueFault("the step does not lead from the first number to the last")
    out: list[Value] = []
    while compared(first, last) * sign < 0:
        if len(out) == MAX_RANGE:
            raise ValueFault(f"more than {MAX_RANGE} numbers")
        out.append(first)
        first = added(first, step)
    return ListValue.of(out, NUMBER)


def _slice(values: Items, start: int, end: int) -> Value:
    if not 0 <= start <= end <= len(values):
        raise ValueFault("the bounds do not lie within the list, in order")
    part = values[start:end]
    return ListValue.of(part, values.item) if isinstance(values, ListValue) else tuple(part)


def _sort(values: Items) -> Value:
    if None in values:
        raise ValueFault("null cannot be sorted")
    return ListValue.of(sorted(text(v) for v in values), STRING)


def _values(value: dict[str, Value]) -> Value:
    found = tuple(v for _, v in entries(value))
    return ListValue.of(found, value.item) if isinstance(value, MapValue) else found


def _zipmap(keys: Items, values: Items) -> Value:
    if len(keys) != len(values):
        raise ValueFault("both lists have one length")
    if None in keys:
        raise ValueFault("a key is null")
    pairs = zip(map(text, keys), values, strict=True)
    return MapValue(pairs, values.item) if isinstance(values, ListValue) else dict(pairs)


FUNCTIONS: dict[str, Eager] = {
    "chunklist": Eager(_chunklist, (list_of_any, position)),
    "coalesce": Eager(_coalesce, (), anything),
    "coalescelist": Eager(_coalescelist, (ordered,), ordered),
    "compact": Eager(_compact, (list_of_strings,)),
    "concat": Eager(_concat, (), ordered),
    "contains": Eager(_contains, (items, given)),
    "distinct": Eager(_distinct, (list_of_any,)),
    "element": Eager(_element, (ordered, position)),
    "flatten": Eager(_flatten, (given,)),
    "index": Eager(_index, (given, given)),
    "keys": Eager(_keys, (mapping,)),
    "length": Eager(_length, (given,)),
    "lookup": Eager(_lookup, (mapping, text, anything)),
    "merge": Eager(_merge, (), _maybe_mapping),
    "range": Eager(_range, (number, number, number), optional=2),
    "slice": Eager(_slice, (ordered, position, position)),
    "sort": Eager(_sort, (list_of_strings,)),
    "values": Eager(_values, (mapping,)),
    "zipmap": Eager(_zipmap, (list_of_strings, ordered)),
}
