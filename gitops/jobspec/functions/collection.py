"""Functions of lists, sets, maps and objects."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from gitops.jobspec.functions.lazily import Eager, anything
from gitops.jobspec.values import (
    MAX_ITEMS,
    MapValue,
    Number,
    SetValue,
    Value,
    ValueFault,
    article,
    entries,
    equal,
    integer,
    kind,
    number,
    set_of,
    text,
    unified,
)

Items = tuple[Value, ...]


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


def texts(value: Value) -> tuple[str, ...]:
    """Take a list of texts."""
    return tuple(text(v) for v in items(value))


def _chunklist(values: Items, size: int) -> Value:
    if size <= 0:
        return (values,) if size == 0 else _refuse("the size is not negative")
    return tuple(values[i : i + size] for i in range(0, len(values), size))


def _refuse(message: str) -> Value:
    raise ValueFault(message)


def _coalesce(*values: Value) -> Value:
    found = next((v for v in unified(values) if v is not None), None)
    return found if found is not None else _refuse("all arguments are null")


def _coalescelist(*lists: Items) -> Value:
    found = next((v for v in lists if v), None)
    return found if found is not None else _refuse("all lists are empty")


def _compact(values: Value) -> Value:
    return tuple(text(v) for v in items(values) if v not in (None, ""))


def _concat(*lists: Items) -> Value:
    return tuple(itertools.chain.from_iterable(lists))


def _contains(values: Items, wanted: Value) -> Value:
    return any(equal(v, wanted) for v in values)


def _distinct(values: Items) -> Value:
    out: list[Value] = []
    for value in values:
        if not any(equal(value, o) for o in out):
            out.append(value)
    return tuple(out)


def _element(values: Items, position: int) -> Value:
    if not values or position < 0:
        raise ValueFault("the list is empty" if not values else "the position is not negative")
    return values[position % len(values)]


def _flatten(value: Value) -> Value:
    return tuple(_flat(items(value)))


def _flat(values: Items) -> Iterable[Value]:
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        else:
            yield value


def _index(collection: Value, key: Value) -> Value:
    if isinstance(collection, dict):
        name = text(key)
        return collection[name] if name in collection else _refuse("there is no such key")
    if isinstance(key, str):
        raise ValueFault("the position in a list is a number")
    values, position = ordered(collection), integer(key)
    return values[position] if 0 <= position < len(values) else _refuse("there is no such item")


def _keys(value: dict[str, Value]) -> Value:
    return tuple(sorted(value))


def _length(value: Value) -> Value:
    if isinstance(value, tuple | MapValue):
        return len(value)
    raise ValueFault(f"a list, set or map is required, not {article(value)}")


def _lookup(value: dict[str, Value], key: str, default: Value) -> Value:
    return value.get(key, default)


def _merge(*values: dict[str, Value]) -> Value:
    merged: dict[str, Value] = {}
    for value in values:
        merged |= value
    all_maps = all(isinstance(v, MapValue) for v in values)
    return MapValue(merged) if all_maps else merged


def _range(*bounds: Number) -> Value:
    first, last = (0, bounds[0]) if len(bounds) == 1 else bounds[:2]
    step = bounds[2] if len(bounds) == 3 else (1 if first <= last else -1)  # noqa: PLR2004
    if not step or any(isinstance(b, float) for b in bounds) or (last - first) * step < 0:
        raise ValueFault("the step does not lead from the first number to the last")
    count = math.ceil((last - first) / step)
    if count > MAX_ITEMS // 100:
        raise ValueFault(f"more than {MAX_ITEMS // 100} numbers")
    return tuple(first + i * step for i in range(count))


def _intersection(first: Items, *others: Items) -> Value:
    kept = tuple(v for v in first if all(any(equal(v, o) for o in other) for other in others))
    return set_of(kept)


def _union(*sets: Items) -> Value:
    return set_of(tuple(itertools.chain.from_iterable(sets)))


def _product(*sets: Items) -> Value:
    if math.prod(len(s) for s in sets) > MAX_ITEMS // 100:
        raise ValueFault(f"more than {MAX_ITEMS // 100} combinations")
    rows: tuple[Value, ...] = tuple(itertools.product(*sets))
    return SetValue(rows) if all(isinstance(s, SetValue) for s in sets) else rows


def _slice(values: Items, start: int, end: int) -> Value:
    if not 0 <= start <= end <= len(values):
        raise ValueFault("the bounds do not lie within the list, in order")
    return values[start:end]


def _sort(values: tuple[str, ...]) -> Value:
    return tuple(sorted(values))


def _values(value: dict[str, Value]) -> Value:
    return tuple(v for _, v in entries(value))


def _zipmap(keys: tuple[str, ...], values: Items) -> Value:
    if len(keys) != len(values):
        raise ValueFault("both lists have one length")
    pairs = zip(keys, values, strict=True)
    return MapValue(pairs) if kind(values) == "list" else dict(pairs)


FUNCTIONS: dict[str, Eager] = {
    "chunklist": Eager(_chunklist, (ordered, integer)),
    "coalesce": Eager(_coalesce, (anything,), anything),
    "coalescelist": Eager(_coalescelist, (ordered,), ordered),
    "compact": Eager(_compact, (anything,)),
    "concat": Eager(_concat, (ordered,), ordered),
    "contains": Eager(_contains, (items, anything)),
    "distinct": Eager(_distinct, (ordered,)),
    "element": Eager(_element, (ordered, integer)),
    "flatten": Eager(_flatten, (anything,)),
    "index": Eager(_index, (anything, anything)),
    "keys": Eager(_keys, (mapping,)),
    "length": Eager(_length, (anything,)),
    "lookup": Eager(_lookup, (mapping, text, anything)),
    "merge": Eager(_merge, (), _maybe_mapping),
    "range": Eager(_range, (number, number, number), optional=2),
    "setintersection": Eager(_intersection, (items,), items),
    "setproduct": Eager(_product, (items,), items),
    "setunion": Eager(_union, (items,), items),
    "slice": Eager(_slice, (ordered, integer, integer)),
    "sort": Eager(_sort, (texts,)),
    "values": Eager(_values, (mapping,)),
    "zipmap": Eager(_zipmap, (texts, ordered)),
}
