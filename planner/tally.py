"""Counts why nodes can't take an allocation, for the explanation of a placement that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.failure import PlacementFailure
from planner.observed import Node


def _counters() -> Counter[str]:
    return Counter()


@dataclass(frozen=True, slots=True)
class Tally:
    """Nodes that were looked at in vain, by what was in the way; and all that there are."""

    available: Counter[str] = field(default_factory=_counters)
    filtered: Counter[str] = field(default_factory=_counters)
    filtered_classes: Counter[str] = field(default_factory=_counters)
    exhausted: Counter[str] = field(default_factory=_counters)
    exhausted_classes: Counter[str] = field(default_factory=_counters)

    def add(self, node: Node, label: str, dimension: str) -> None:
        """Count a node under the label that filters it out, or else under what it lacks."""
        reasons, classes = (
            (self.filtered, self.filtered_classes)
            if label
            else (self.exhausted, self.exhausted_classes)
        )
        reasons[label or dimension] += 1
        if node.node_class:
            classes[node.node_class] += 1

    def failure(self, pool: str) -> PlacementFailure:
        """Return the figures; `pool` is the node pool that was looked in."""
        return PlacementFailure(
            nodes_evaluated=self.filtered.total() + self.exhausted.total(),
            nodes_filtered=self.filtered.total(),
            nodes_exhausted=self.exhausted.total(),
            nodes_in_pool=self.available.total(),
            node_pool=pool,
            nodes_available=dict(_sorted(self.available)),
            class_filtered=dict(_sorted(self.filtered_classes)),
            constraint_filtered=dict(_sorted(self.filtered)),
            class_exhausted=dict(_sorted(self.exhausted_classes)),
            dimension_exhausted=dict(_sorted(self.exhausted)),
        )


def _sorted(counts: Counter[str]) -> Iterator[tuple[str, int]]:
    yield from sorted(counts.items())
