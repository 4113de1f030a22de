"""Which item of an old list belongs to which of a new one. Compares no fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import TypeVar

from planner.job import Service

K = TypeVar("K")
T = TypeVar("T")
Pair = tuple[object, object]

# A service is taken for a changed one only with at least this likeness.
_LIKE = 3


def by_key(
    old: Sequence[T], new: Sequence[T], key: Callable[[T], str], *, sole: bool = False
) -> list[Pair]:
    """Pair items of equal key; with `sole`, one item on each side always belongs together."""
    if sole and len(old) == len(new) == 1:
        return [(old[0], new[0])]
    before, after = _numbered(old, key), _numbered(new, key)
    return by_name(before, after)


def _numbered(items: Sequence[T], key: Callable[[T], str]) -> dict[tuple[str, int], T]:
    seen: Counter[str] = Counter()
    out: dict[tuple[str, int], T] = {}
    for item in items:
        name = key(item)
        out[name, seen[name]] = item
        seen[name] += 1
    return out


def by_name(old: Mapping[K, object], new: Mapping[K, object]) -> list[Pair]:
    """Pair the entries of two maps."""
    names = dict.fromkeys((*old, *new))
    return [(old.get(n), new.get(n)) for n in names]


def by_position(old: Sequence[object], new: Sequence[object]) -> list[Pair]:
    """Pair items that stand at the same place."""
    return list(zip_longest(old, new))


def by_likeness(old: Sequence[Service], new: Sequence[Service]) -> list[Pair]:
    """Pair each old service with the most similar new one that is still free."""
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    free = dict(enumerate(new))
    pairs: list[Pair] = []
    for position, service in enumerate(old):
        scores = {i: _likeness(service, other, i == position) for i, other in free.items()}
        best = max(scores, key=scores.__getitem__, default=None)
        match = free.pop(best) if best is not None and scores[best] >= _LIKE else None
        pairs.append((service, match))
    return pairs + [(None, service) for service in free.values()]


def _likeness(old: Service, new: Service, same_place: bool) -> int:
    return 3 * (old.name == new.name) + 2 * (old.port_label == new.port_label) + same_place
