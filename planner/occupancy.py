"""Keeps one fleet in step with what is recorded and observed, at the price of what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from planner.capacity import Fleet, Holding, decided, fleet, is_live, seen_holding
from planner.observed import Node, Observed, ObservedAlloc
from planner.recorded import JobState, Recorded


class Occupancy:
    """The fleet of one run, from one plan to the next.

    What did not change is told by identity, so states are taken as values that nobody alters.
    """

    def __init__(self) -> None:
        self._fleet = Fleet()
        self._jobs: Mapping[str, JobState] = {}
        self._observed = Observed()
        self._decided: dict[str, dict[str, Holding]] = {}
        self._extra: dict[str, Holding] = {}
        # the job that has an allocation on record, by the allocation's id
        self._owners: dict[str, str] = {}
        # how many allocations have which port of a node
        self._own: dict[str, Counter[int]] = {}
        self._stirred: set[str] = set()

    def fleet(self, recorded: Recorded, observed: Observed) -> Fleet:
        """Return what `capacity.fleet` does; the next call changes it."""
        if _same_nodes(self._observed.nodes, observed.nodes):
            self._follow(recorded, observed)
        else:
            self._begin(recorded, observed)
        self._jobs, self._observed = recorded.jobs, observed
        return self._fleet

    def _begin(self, recorded: Recorded, observed: Observed) -> None:
        self._fleet = fleet(Recorded(), Observed(nodes=observed.nodes))
        self._jobs, self._observed = {}, Observed(nodes=observed.nodes)
        self._decided, self._extra, self._owners, self._own = {}, {}, {}, {}
        self._follow(recorded, observed)

    def _follow(self, recorded: Recorded, observed: Observed) -> None:
        changed = set(_changed(self._observed.allocs, observed.allocs))
        self._stirred = set()
        for alloc in changed:
            self._count_ports(self._observed.allocs.get(alloc), -1)
            self._count_ports(observed.allocs.get(alloc), 1)
        jobs = {self._owners[a] for a in changed if a in self._owners}
        jobs.update(_changed(self._jobs, recorded.jobs))
        touched = set(changed)
        for key in jobs:
            touched.update(self._decide(key, recorded.jobs.get(key), observed))
        known = {a for a in touched if a in self._decided.get(self._owners.get(a, ""), {})}
        for alloc in touched:
            self._besides(alloc, None if alloc in known else observed.allocs.get(alloc))
        self._block()

    def _decide(self, key: str, state: JobState | None, observed: Observed) -> Iterator[str]:
        """Hold what the job holds now; yield the allocations of which that is another matter."""
        before = self._decided.pop(key, {})
        after = {h.id: h for h in decided(state, observed)} if state is not None else {}
        if state is not None:
            self._decided[key] = after
            self._owners.update((a.id, key) for a in state.allocs)
        for alloc in before.keys() | after.keys():
            old, new = before.get(alloc), after.get(alloc)
            if old != new:
                self._swap(old, new)
                yield alloc
            elif old is not None:
                after[alloc] = old  # the very one that the fleet has

    def _besides(self, alloc: str, seen: ObservedAlloc | None) -> None:
        """Hold what runs of an allocation that no job decided about."""
        before = self._extra.pop(alloc, None)
        after = seen_holding(seen) if seen is not None and is_live(seen) else None
        if before == after:
            after = before  # the very one that the fleet has
        else:
            self._swap(before, after)
        if after is not None:
            self._extra[alloc] = after

    def _swap(self, old: Holding | None, new: Holding | None) -> None:
        if old is not None:
            if self._fleet.holdings.get(old.id) is old:
                self._fleet.release(old.id)
            else:
                self._fleet.drop(old)
            self._count(old.node, old.ports, -1)
        if new is not None:
            self._fleet.hold(new)
            self._count(new.node, new.ports, 1)

    def _count_ports(self, alloc: ObservedAlloc | None, number: int) -> None:
        if alloc is not None:
            self._count(alloc.node, alloc.ports.values(), number)

    def _count(self, node: str, ports: Iterable[int], number: int) -> None:
        own = self._own.setdefault(node, Counter())
        for port in ports:
            own[port] += number
            self._stirred.add(node)

    def _block(self) -> None:
        """Tell anew which ports of the nodes belong to foreign programs."""
        for name in self._stirred & self._fleet.loads.keys():
            load, own = self._fleet.loads[name], self._own[name]
            node = load.node
            foreign = frozenset(p for p in node.used_ports if own[p] <= 0)
            load.blocked = node.reserved_ports | foreign


def _same_nodes(old: Mapping[str, Node], new: Mapping[str, Node]) -> bool:
    if old is new:
        return True
    same = old.keys() == new.keys()
    return same and all(old[n] is node or old[n] == node for n, node in new.items())


def _changed(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    if old is new:
        return
    for key, value in new.items():
        if old.get(key) is not value:
            yield key
    yield from old.keys() - new.keys()
