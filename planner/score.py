"""How good a node is for an allocation: Nomad's scorers as plain formulas, from -1 to 1."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from planner.capacity import Algorithm, Ask, Load
from planner.constraint import holds, resolved
from planner.job import Affinity, Job, Spread, TaskGroup
from planner.observed import Node
from planner.uses import Uses

BINPACK = "binpack"
ANTI_AFFINITY = "job-anti-affinity"
PENALTY = "node-reschedule-penalty"
AFFINITY = "node-affinity"
SPREAD = "allocation-spread"

_BEST_FIT = 18.0


def fitting(load: Load, ask: Ask, algorithm: Algorithm) -> float:
    """The fuller (or, where work is spread, the emptier) `load` is with `ask`, the closer to 1."""
    free_cpu = _free(load.cpu + load.cpu_of(ask), load.room_cpu)
    free_memory = _free(load.memory + ask.memory_mb, load.room_memory)
    free = math.pow(10.0, free_cpu) + math.pow(10.0, free_memory)
    score = free - 2.0 if algorithm is Algorithm.SPREAD else 20.0 - free
    return min(max(score, 0.0), _BEST_FIT) / _BEST_FIT


def _free(used: int, room: int) -> float:
    return 1.0 - used / room if room else 0.0


def anti_affinity(beside: int, count: int) -> float:
    """Less than zero where `beside` allocations of the same group are on the node already."""
    return -(beside + 1) / count if beside else 0.0


def affinities(job: Job, group: TaskGroup) -> tuple[Affinity, ...]:
    """Return the affinities of the job, the group and its tasks."""
    tasks = (a for t in group.tasks for a in t.affinities)
    return (*job.affinities, *group.affinities, *tasks)


def node_affinity(wishes: Iterable[Affinity], node: Node) -> float:
    """The share of the affinities' weight that `node` meets."""
    weights = [(a.weight, holds(a, node)) for a in wishes]
    total = sum(abs(w) for w, _ in weights)
    return sum(w for w, met in weights if met) / total if total else 0.0


@dataclass(slots=True, kw_only=True)
class SpreadCount:
    """How many allocations of a group have which value of one spread's attribute."""

    spread: Spread
    share: float
    count: int
    uses: Uses = field(default_factory=Uses)
    _bounds: tuple[int, int] | None = None

    def value(self, node: Node) -> str | None:
        """Return the node's value of the attribute, or None."""
        return resolved(self.spread.attribute, node)

    def changed(self) -> None:
        """Forget what was worked out from earlier counts."""
        self._bounds = None

    def boost(self, value: str | None) -> float:
        """Return the score of placing one more allocation at `value`."""
        if value is None:
            return -1.0
        if self.spread.spread_target:
            return self._targeted(value)
        return self._even(value)

    def _targeted(self, value: str) -> float:
        targets = {t.value: t.percent / 100 * self.count for t in self.spread.spread_target}
        rest = self.count - sum(targets.values())
        if value in targets:
            desired, used = targets[value], self.uses[value]
        elif 0 < rest < self.count:
            desired = rest
            used = sum(n for v, n in self.uses.items() if v not in targets)
        else:
            return -1.0
        return (desired - (used + 1)) / desired * self.share if desired else -1.0

    def _even(self, value: str) -> float:
        if not self.uses:
            return 0.0
        if self._bounds is None:
            self._bounds = min(self.uses.counts()), max(self.uses.counts())
        low, high = self._bounds
        here = self.uses[value]
        if here != low:
            return (low - here) / low if low else -1.0
        if low == high:
            return -1.0
        return (high - low) / low if low else 1.0


def spread_counts(job: Job, group: TaskGroup) -> tuple[SpreadCount, ...]:
    """Return the empty counts of the job's and the group's spreads."""
    spreads = (*job.spreads, *group.spreads)
    total = sum(s.weight for s in spreads)
    return tuple(
        SpreadCount(spread=s, share=s.weight / total if total else 0.0, count=group.count)
        for s in spreads
    )
