"""The one type that values of several types can all have, as conditionals and lists need it. Pure.

The rules are those of the language: text takes numbers and bools, lists take tuples, maps take
objects; between equals the first wins.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops.jobspec.types import ANY, PRIMITIVES, Type

_LISTS = ("list", "set")
_FAMILY = {"list": "tuple", "map": "object"}


def unified_type(types: Sequence[Type]) -> Type | None:
    """Return the type that all `types` convert to, or None. There is at least one type."""
    distinct = list(dict.fromkeys(types))
    if len(distinct) == 1:
        return distinct[0]
    names = {t.name for t in distinct}
    solid = names - {"any"}
    if len(solid) == 1 and (solid & {"map", "list", "set", "object", "tuple"}):
        return ANY if "any" in names else _same_family(distinct)
    for collection, structure in _FAMILY.items():
        if solid == {collection, structure}:
            found = _mixed(distinct, collection, structure)
            if found is not None:
                return found
    if {"object", "tuple"} <= solid:
        return None
    return _preferred(distinct)


def _same_family(types: list[Type]) -> Type | None:
    name = types[0].name
    if name in ("map", "list", "set"):
        item = unified_type([t.item or ANY for t in types])
        return Type(name, item) if item else None
    if any([n for n, _ in t.members] != [n for n, _ in types[0].members] for t in types):
        return _spread(types, "map" if name == "object" else "list")
    members: list[tuple[str, Type]] = []
    for i, (label, _) in enumerate(types[0].members):
        member = unified_type([t.members[i][1] for t in types])
        if member is None:
            return None
        members.append((label, member))
    return Type(name, None, tuple(members))


def _spread(types: Sequence[Type], collection: str) -> Type | None:
    """Return the map or list that takes all members of objects or tuples."""
    inner = [member for t in types for _, member in t.members]
    item = unified_type(inner) if inner else None
    return Type(collection, item) if item else None


def _mixed(types: list[Type], collection: str, structure: str) -> Type | None:
    found = _spread([t for t in types if t.name == structure], collection)
    if found is None:
        return None
    rest = [t for t in types if t.name != structure]
    result = unified_type([*rest, found])
    return result if result is not None and result.name == collection else None


def _preferred(types: list[Type]) -> Type | None:
    for wanted in _by_generality(types):
        if all(t == wanted or convertible(t, wanted) for t in types):
            return wanted
    return None


def _by_generality(types: list[Type]) -> list[Type]:
    """Return the types, each behind those that are more general."""
    count = len(types)
    below: list[list[int]] = [[] for _ in range(count)]
    above = [0] * count
    for i in range(count):
        for j in range(i + 1, count):
            order = _compared(types[i], types[j])
            if order:
                upper, lower = (i, j) if order < 0 else (j, i)
                below[upper].append(lower)
                above[lower] += 1
    queue = [i for i in range(count) if not above[i]]
    for i in queue:
        for j in below[i]:
            above[j] -= 1
            if not above[j]:
                queue.append(j)
    return [types[i] for i in queue]


# Of two kinds the one that takes the other. Whether it can is seen later.
_RANK = {"list": 0, "tuple": 1, "set": 2}
_PAIRS = {("map", "object"): -1, ("object", "map"): 1}


def _compared(one: Type, two: Type) -> int:
    """Return -1 if the first type is more general, 1 if the second is, else 0."""
    if "any" in (one.name, two.name):
        return (one.name == "any") - (two.name == "any")
    if one.name == two.name:
        return _compared(one.item, two.item) if one.item and two.item else _members(one, two)
    if one.name in PRIMITIVES and two.name in PRIMITIVES:
        return (two.name == "string") - (one.name == "string")
    if one.name in _RANK and two.name in _RANK:
        return -1 if _RANK[one.name] < _RANK[two.name] else 1
    return _PAIRS.get((one.name, two.name), 0)


def _members(one: Type, two: Type) -> int:
    if [n for n, _ in one.members] != [n for n, _ in two.members]:
        return 0
    orders = {_compared(a, b) for (_, a), (_, b) in zip(one.members, two.members, strict=True)}
    return 0 if {-1, 1} <= orders else sum(orders)


def convertible(given: Type, wanted: Type) -> bool:
    """Say whether values of one type convert to another, if their content allows it."""
    if "any" in (given.name, wanted.name) or given == wanted:
        return True
    if given.name in PRIMITIVES and wanted.name in PRIMITIVES:
        return "string" in (given.name, wanted.name)
    if wanted.item is not None:
        return _takes(given.name, wanted.name) and _collects(given, wanted.item)
    if wanted.name == "object" and given.name in ("map", "object"):
        return _fills(given, wanted)
    if wanted.name == given.name == "tuple" and len(given.members) == len(wanted.members):
        pairs = zip(given.members, wanted.members, strict=True)
        return all(convertible(g, w) for (_, g), (_, w) in pairs)
    return False


def _collects(given: Type, item: Type) -> bool:
    inner = [t for _, t in given.members] or ([given.item] if given.item else [])
    if item.name == "any" and given.members:
        return unified_type(inner) is not None
    return all(convertible(t, item) for t in inner)


def _fills(given: Type, wanted: Type) -> bool:
    if given.item is not None:
        return all(convertible(given.item, t) for _, t in wanted.members)
    known = dict(given.members)
    return all(
        convertible(known[n], t) if n in known else n in wanted.optional for n, t in wanted.members
    )


def _takes(given: str, wanted: str) -> bool:
    if wanted in _LISTS:
        return given in ("list", "set", "tuple")
    return wanted == "map" and given in ("map", "object")
