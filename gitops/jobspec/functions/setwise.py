"""Functions of sets. Lists convert to sets where one is required."""

from __future__ import annotations

import itertools
import math

from gitops.jobspec.functions.collection import Items, common, items
from gitops.jobspec.functions.lazily import Eager, of_type
from gitops.jobspec.sets import set_of
from gitops.jobspec.types import ANY, Type, convert
from gitops.jobspec.unify import unified_type
from gitops.jobspec.values import MAX_ITEMS, ListValue, SetValue, Value, ValueFault, equal

_set = of_type(Type("set", ANY))
_MANY = 2_000


def _alike(sets: tuple[SetValue, ...]) -> tuple[list[SetValue], Type]:
    if not sets:
        raise ValueFault("at least one set is needed")
    item = unified_type([s.item for s in sets if s] or [ANY])
    if item is None:
        raise ValueFault("all sets must have items of one type")
    return [set_of((convert(v, item) for v in s), item) for s in sets], item


def _intersection(*sets: SetValue) -> Value:
    alike, item = _alike(sets)
    first, *others = alike
    kept = (v for v in first if all(_holds(other, v) for other in others))
    return set_of(kept, item)


def _holds(values: Items, wanted: Value) -> bool:
    if not isinstance(wanted, tuple | dict):
        return wanted in values
    if len(values) > _MANY:
        raise ValueFault(f"at most {_MANY} lists or maps are compared")
    return any(equal(v, wanted) for v in values)


def _union(*sets: SetValue) -> Value:
    alike, item = _alike(sets)
    return set_of(itertools.chain.from_iterable(alike), item)


def _product(*sets: Items) -> Value:
    if len(sets) < 2:  # noqa: PLR2004
        raise ValueFault("at least two sets are needed")
    if math.prod(len(s) for s in sets) * len(sets) > MAX_ITEMS // 20:
        raise ValueFault(f"more than {MAX_ITEMS // 20} items")
    alike = [common(s, "items of a list") for s in sets]
    item = Type("tuple", None, tuple((str(i), t) for i, (_, t) in enumerate(alike)))
    rows: Items = tuple(itertools.product(*(v for v, _ in alike)))
    whole = any(isinstance(s, SetValue) for s in sets)
    return set_of(rows, item) if whole else ListValue.of(rows, item)


FUNCTIONS: dict[str, Eager] = {
    "setintersection": Eager(_intersection, (), _set),
    "setproduct": Eager(_product, (), items),
    "setunion": Eager(_union, (), _set),
}
