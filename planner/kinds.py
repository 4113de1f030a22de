"""Nodes that are alike but for their names, so that a group is held against each kind only once.

What a group asks of nodes by their unique properties is still asked of each node. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from planner.feasible import is_candidate, obstacle
from planner.job import Constraint, Job, TaskGroup
from planner.observed import Node

_UNIQUE = "unique."


class Kinds:
    """The kind of each node, as a number; told once per fleet."""

    __slots__ = ("_numbers", "_of")

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._numbers: dict[object, int] = {}
        self._of = {n.name: self._numbers.setdefault(_kind(n), len(self._numbers)) for n in nodes}

    def candidates(self, job: Job, nodes: Iterable[Node]) -> list[Node]:
        """Return the nodes that the job's datacenters and node pool take in."""
        told: dict[int, bool] = {}
        found: list[Node] = []
        for node in nodes:
            kind = self._of[node.name]
            if (fits := told.get(kind)) is None:
                fits = told[kind] = is_candidate(job, node)
            if fits:
                found.append(node)
        return found

    def obstacles(self, job: Job, group: TaskGroup, nodes: Iterable[Node]) -> dict[str, str]:
        """Return for each node what keeps the group off it, or an empty string."""
        if any(_UNIQUE in c.l_target or _UNIQUE in c.r_target for c in _constraints(job, group)):
            return {n.name: obstacle(job, group, n) for n in nodes}
        told: dict[int, str] = {}
        found: dict[str, str] = {}
        for node in nodes:
            kind = self._of[node.name]
            if (label := told.get(kind)) is None:
                label = told[kind] = obstacle(job, group, node)
            found[node.name] = label
        return found


def _constraints(job: Job, group: TaskGroup) -> Iterator[Constraint]:
    return chain(job.constraints, group.constraints, *(t.constraints for t in group.tasks))


def _kind(node: Node) -> object:
    return (
        node.datacenter,
        node.node_pool,
        node.node_class,
        node.drivers,
        node.host_volumes,
        node.read_only_volumes,
        _common(node.attributes.items()),
        _common(node.meta.items()),
    )


def _common(pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset([p for p in pairs if _UNIQUE not in p[0]])
