"""Chooses nodes: the best of all by Nomad's score, the lowest name where scores are equal.

Scores are kept in heaps, and only those of nodes that changed are worked out again. Nothing is
sampled, shuffled or drawn, so equal inputs give equal placements.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from planner.capacity import Ask, Fleet, Holding, Load, asked
from planner.distinct import Distinct, distinct
from planner.failure import PlacementFailure
from planner.feasible import CLASS_INELIGIBLE, Known, is_known
from planner.job import Affinity, Job, TaskGroup
from planner.node_score import NodeScore
from planner.observed import Node, NodeStatus
from planner.ports import PortAsk, asked_ports, assigned, collision
from planner.recorded import PortMapping
from planner.score import (
    AFFINITY,
    ANTI_AFFINITY,
    BINPACK,
    PENALTY,
    SPREAD,
    SpreadCount,
    affinities,
    anti_affinity,
    fitting,
    node_affinity,
    spread_counts,
)
from planner.tally import Tally
from planner.uses import Uses

# How many of the best nodes a placement keeps with their scores.
TOP = 5
# With more heaps than this only the best of each is looked at.
_MANY_HEAPS = 32

# The values of a node's spread attributes and distinct properties.
_Traits = tuple[str | None, ...]
# What becomes of so many allocations at a value: they stand, are placed, or leave.
_Count = Callable[[Uses, str | None, int], None]
# Negated sum of scores, node, and the number of the ranking that made it: older ones are void.
_Item = tuple[float, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an allocation goes, with which ports, and how the best nodes scored."""

    node: str
    ports: tuple[PortMapping, ...]
    scores: tuple[NodeScore, ...]
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One allocation to place: it avoids nodes it failed on; a sticky disk likes its last node.

    `only` names the one node it may be on at all.
    """

    name: str
    avoid: frozenset[str] = frozenset()
    prefer: str = ""
    only: str = ""


class Ranking:
    """The nodes for one group of a job, in the order of their scores."""

    def __init__(self, fleet: Fleet, job: Job, group: TaskGroup, key: str) -> None:
        self._fleet = fleet
        self._job = job
        self._group = group
        self._key = key
        self._ask: Ask = asked(group)
        self._ports: PortAsk = asked_ports(group)
        self._wishes: tuple[Affinity, ...] = affinities(job, group)
        self._spreads: tuple[SpreadCount, ...] = spread_counts(job, group)
        self._distinct: Distinct = distinct(job, group, key)
        kinds, loads = fleet.kinds_of_nodes(), fleet.loads
        nodes = kinds.candidates(job, (x.node for x in loads.values() if _is_ready(x.node)))
        self._candidates = [loads[n.name] for n in nodes]
        self._obstacles = kinds.obstacles(job, group, nodes)
        self._likings: dict[str, float] = {}
        self._traits: dict[str, _Traits] = {}
        self._stamps = dict.fromkeys(self._obstacles, 0)
        self._heaps: dict[tuple[_Traits, int], list[_Item]] = {}
        self._alike: dict[tuple[int, ...], tuple[str, float]] = {}
        self._count_standing()
        for load in self._candidates:
            if (placed := self._ranked(load)) is not None:
                self._heaps.setdefault(placed[0], []).append(placed[1])
        for heap in self._heaps.values():
            heapq.heapify(heap)

    @property
    def group(self) -> TaskGroup:
        """The group that is placed."""
        return self._group

    def _count_standing(self) -> None:
        if self._distinct.properties:
            self._distinct.count(self._fleet.loads.values())
        for load in self._fleet.loads.values() if self._spreads else ():
            if number := load.groups[self._key, self._group.name]:
                self._spread_over(Uses.stand, load.node, number)

    def _spread_over(self, how: _Count, node: Node, number: int) -> None:
        for count in self._spreads:
            how(count.uses, count.value(node), number)
            count.changed()

    def _count(self, how: _Count, group: str, node: str, number: int = 1) -> None:
        """Count an allocation of a group of the job on a node that is there."""
        if (load := self._fleet.loads.get(node)) is None:
            return
        in_group = number if group == self._group.name else 0
        self._distinct.count_each(how, load.node, in_group, number)
        self._spread_over(how, load.node, in_group)

    def count_kept(self, kept: Iterable[tuple[str, str]]) -> None:
        """Count what is updated in place a second time in spreads and properties, as Nomad does.

        `kept` are groups of the job with the nodes of their allocations.
        """
        for group, name in kept:
            self._count(Uses.place, group, name)

    def count_gone(self, gone: Iterable[tuple[str, str]]) -> None:
        """Count what was stopped before: its groups, with its nodes."""
        for group, name in gone:
            self._count(Uses.stand, group, name)
            self._count(Uses.leave, group, name)

    def place(self, wanted: Wanted) -> Placement | None:
        """Take room for one allocation on the best node; None where no node can have it."""
        best = self.best(wanted)
        return self._placed(wanted, best) if best else None

    def place_on(self, node: str, wanted: Wanted) -> Placement | None:
        """Take room for one allocation on that very node; None where it can't have it."""
        score = self.score(node, wanted)
        return self._placed(wanted, [score]) if score else None

    def best(self, wanted: Wanted) -> list[NodeScore]:
        """Return the best nodes, the one to take first; a sticky disk's last node stands alone."""
        if wanted.only:
            score = self.score(wanted.only, wanted)
            return [score] if score else []
        return self._preferred(wanted) or self._best(wanted)

    def score(self, node: str, wanted: Wanted) -> NodeScore | None:
        """Return how good that node is; None where it can't have the allocation."""
        load = self._fleet.loads.get(node)
        if load is None or node not in self._obstacles or self.obstacle_now(load):
            return None
        return self._score(load, wanted)

    def _placed(self, wanted: Wanted, best: list[NodeScore]) -> Placement:
        load = self._fleet.loads[best[0].node]
        ports = assigned(self._ports, load, wanted.name)
        holding = Holding(
            job=self._key,
            group=self._group.name,
            node=load.node.name,
            ask=self._ask,
            ports=tuple(p.value for p in ports),
        )
        self._fleet.hold(holding)
        self.moved(holding, 1)
        scores = tuple(best[:TOP])
        return Placement(node=load.node.name, ports=ports, scores=scores, holding=holding)

    def moved(self, holding: Holding, number: int) -> None:
        """Follow an allocation of this job that came to its node (1) or left it (-1).

        One that has an id was there before, and comes only to stay after all.
        """
        if holding.id:
            self._count(Uses.leave, holding.group, holding.node, -number)
        else:
            self._count(Uses.place, holding.group, holding.node, number)
        if holding.node in self._obstacles:
            self._rank(self._fleet.loads[holding.node])

    def _rank(self, load: Load) -> None:
        self._stamps[load.node.name] += 1
        if (placed := self._ranked(load)) is not None:
            heapq.heappush(self._heaps.setdefault(placed[0], []), placed[1])

    def _ranked(self, load: Load) -> tuple[tuple[_Traits, int], _Item] | None:
        """Return the heap for a node, and its item; None where the node is out of the question."""
        name = load.node.name
        if self._obstacles[name] or self._distinct.host_obstacle(load):
            return None
        lacking, fit = self._fit(load)
        if lacking or collision(self._ports, load):
            return None
        total, parts = fit, 1
        if beside := load.groups.get((self._key, self._group.name)):
            total, parts = total + anti_affinity(beside, self._group.count), 2
        if self._wishes:
            total, parts = total + self._liking(load.node), parts + 1
        return (self._traits_of(load.node), parts), (-total, name, self._stamps[name])

    def _fit(self, load: Load) -> tuple[str, float]:
        """Return what a node lacks and how well it fits: the same for those that are as full."""
        state = load.state
        if (found := self._alike.get(state)) is None:
            fit = fitting(load, self._ask, self._fleet.algorithm)
            found = self._alike[state] = load.lacks(self._ask), fit
        return found

    def _exhausted(self, load: Load) -> str:
        return collision(self._ports, load) or load.lacks(self._ask)

    def _liking(self, node: Node) -> float:
        if node.name not in self._likings:
            self._likings[node.name] = node_affinity(self._wishes, node)
        return self._likings[node.name]

    def _traits_of(self, node: Node) -> _Traits:
        if not (self._spreads or self._distinct.properties):
            return ()
        if node.name not in self._traits:
            spreads = (s.value(node) for s in self._spreads)
            properties = (p.value(node) for p in self._distinct.properties)
            self._traits[node.name] = (*spreads, *properties)
        return self._traits[node.name]

    def _property_obstacle(self, traits: _Traits) -> str:
        values = traits[len(self._spreads) :]
        pairs = zip(self._distinct.properties, values, strict=True)
        return next((o for p, v in pairs if (o := p.obstacle(v))), "")

    def _boost(self, traits: _Traits) -> float:
        return sum(s.boost(v) for s, v in zip(self._spreads, traits, strict=False))

    def _preferred(self, wanted: Wanted) -> list[NodeScore]:
        load = self._fleet.loads.get(wanted.prefer) if self._group.ephemeral_disk.sticky else None
        if load is None or self._obstacles.get(wanted.prefer, "-") or self.obstacle_now(load):
            return []
        return [self._score(load, wanted)]

    def obstacle_now(self, load: Load) -> str:
        """Return what keeps an allocation off a candidate: a filter or an exhausted dimension."""
        return self._filter_now(load) or self._exhausted(load)

    def _filter_now(self, load: Load) -> str:
        return (
            self._obstacles[load.node.name]
            or self._distinct.host_obstacle(load)
            or self._property_obstacle(self._traits_of(load.node))
        )

    def _best(self, wanted: Wanted) -> list[NodeScore]:
        finals = sorted(f for key in self._heaps for f in self._finals(key, wanted.avoid))
        return [self._score(self._fleet.loads[name], wanted) for _, name in finals[:TOP]]

    def _finals(self, key: tuple[_Traits, int], avoid: frozenset[str]) -> list[tuple[float, str]]:
        """Return the best nodes of one heap with their negated final scores."""
        traits, parts = key
        if self._property_obstacle(traits):
            return []
        boost = self._boost(traits)
        parts += boost != 0
        return [
            (
                (total - boost + 1.0) / (parts + 1) if name in avoid else (total - boost) / parts,
                name,
            )
            for total, name, _ in self._peeked(self._heaps[key], avoid)
        ]

    def _peeked(self, heap: list[_Item], avoid: frozenset[str]) -> list[_Item]:
        """Return the first items of a heap: enough of them that one is not to be avoided."""
        depth = TOP if len(self._heaps) <= _MANY_HEAPS else 1
        seen: list[_Item] = []
        popped: list[_Item] = []
        free = False
        while heap:
            item = heap[0]
            if item[2] == self._stamps[item[1]]:
                seen.append(item)
                free = free or item[1] not in avoid
                if free and len(seen) >= depth:
                    break
                popped.append(item)
            heapq.heappop(heap)
        for item in popped:
            heapq.heappush(heap, item)
        return seen

    def _score(self, load: Load, wanted: Wanted) -> NodeScore:
        node = load.node
        beside = load.groups[self._key, self._group.name]
        parts = {
            BINPACK: self._fit(load)[1],
            ANTI_AFFINITY: anti_affinity(beside, self._group.count),
            AFFINITY: self._liking(node) if self._wishes else 0.0,
            PENALTY: -1.0 if node.name in wanted.avoid else 0.0,
        }
        if boost := self._boost(self._traits_of(node)):
            parts[SPREAD] = boost
        counted = [
            v for k, v in parts.items() if v or k == BINPACK or (k == AFFINITY and self._wishes)
        ]
        return NodeScore(node=node.name, parts=parts, final=sum(counted) / len(counted))

    @property
    def candidates(self) -> frozenset[str]:
        """The nodes that the job's datacenters and node pool take in."""
        return frozenset(self._obstacles)

    def failure(self, known: Known, only: frozenset[str] | None = None) -> PlacementFailure:
        """Return why nothing more can be placed; `known` is what was looked at before.

        With `only`, no other nodes were looked at.
        """
        tally = Tally()
        for load in self._candidates:
            tally.available[load.node.datacenter] += 1
            if only is None or load.node.name in only:
                label = self._filter_label(load, known)
                tally.add(load.node, label, self._exhausted(load))
        return tally.failure(self._job.node_pool)

    def left_out(self, node: str) -> bool:
        """Whether something keeps the group off that node, however much room it has."""
        load = self._fleet.loads[node]
        return node not in self._obstacles or bool(self._filter_now(load))

    def _filter_label(self, load: Load, known: Known) -> str:
        if self._obstacles[load.node.name] and is_known(self._job, self._group, load.node, known):
            return CLASS_INELIGIBLE
        return self._filter_now(load)


def _is_ready(node: Node) -> bool:
    return node.status is NodeStatus.READY and node.eligible
