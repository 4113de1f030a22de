"""Which allocations leave a node that is drained, and when. Pure.

Those of services go first, `migrate.max_parallel` of a group at a time; batch jobs may run to their
end until the deadline; those of system jobs go when nothing else is left, or at the deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from planner.job import SECOND, Migrate, TaskGroup
from planner.node_record import DrainStrategy
from planner.recorded import AllocRecord, ClientStatus, Desired, JobState, Recorded
from planner.status import Statuses

_SYSTEM = ("system", "sysbatch")
_BATCH = ("batch", "sysbatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """A node that is drained, as it stands: `watched` is for how many seconds it was, in one go.

    `found` has the statuses of all allocations; `unproven` are ids of those that took the place of
    others and of which it is not known yet how they fare.
    """

    node: str
    strategy: DrainStrategy
    found: Statuses
    unproven: frozenset[str] = frozenset()
    watched: float = 0.0

    @property
    def is_due(self) -> bool:
        """Whether the deadline has come, at which all that is left goes at once."""
        deadline = self.strategy.deadline
        return deadline >= 0 and self.watched * SECOND >= deadline

    def lives(self, alloc: AllocRecord) -> bool:
        """Whether an allocation runs, or should."""
        return alloc.desired is Desired.RUN and not self._status(alloc).terminal

    def ends(self, alloc: AllocRecord) -> bool:
        """Whether an allocation was told to stop, and may run still."""
        may_run = self._status(alloc) in (ClientStatus.RUNNING, ClientStatus.UNKNOWN)
        return alloc.desired is Desired.STOP and may_run

    def _status(self, alloc: AllocRecord) -> ClientStatus:
        return self.found.get(alloc.id, alloc.client)

    def is_well(self, alloc: AllocRecord) -> bool:
        """Whether an allocation counts as healthy, as far as that is known."""
        running = self._status(alloc) is ClientStatus.RUNNING
        return self.lives(alloc) and running and alloc.id not in self.unproven


def staying(recorded: Recorded, drained: Drained) -> dict[str, list[AllocRecord]]:
    """Return what still lives on the node and is to leave it, by job."""
    return _on_node(recorded, drained, drained.lives)


def ending(recorded: Recorded, drained: Drained) -> dict[str, list[AllocRecord]]:
    """Return what was told to stop on the node, and may run there still, by job."""
    return _on_node(recorded, drained, drained.ends)


def _on_node(
    recorded: Recorded, drained: Drained, counts: Callable[[AllocRecord], bool]
) -> dict[str, list[AllocRecord]]:
    found = {
        key: [a for a in state.allocs if a.node == drained.node and counts(a)]
        for key, state in sorted(recorded.jobs.items())
        if not (drained.strategy.ignore_system and _type(state) in _SYSTEM)
    }
    return {key: allocs for key, allocs in found.items() if allocs}


def short(recorded: Recorded, drained: Drained) -> frozenset[str]:
    """Return the keys of services of which something is to leave, and fewer live than should."""
    return frozenset(
        key
        for key in staying(recorded, drained)
        if (state := recorded.job(key)).current is not None and _type(state) == "service"
        for group in state.current.job.task_groups
        if sum(a.group == group.name and drained.lives(a) for a in state.allocs) < group.count
    )


def next_to_leave(recorded: Recorded, drained: Drained) -> frozenset[str]:
    """Return the ids of the allocations that are to be stopped now, and placed elsewhere."""
    left = staying(recorded, drained)
    if drained.is_due:
        return frozenset(a.id for allocs in left.values() for a in allocs)
    system = {k for k in left if _type(recorded.job(k)) in _SYSTEM}
    if system == set(left):
        return frozenset(a.id for allocs in left.values() for a in allocs)
    return frozenset(
        alloc.id
        for key, allocs in left.items()
        if key not in system and _type(recorded.job(key)) not in _BATCH
        for alloc in _paced(recorded.job(key), allocs, drained)
    )


def _paced(
    state: JobState, allocs: Collection[AllocRecord], drained: Drained
) -> Iterator[AllocRecord]:
    """Yield as many of each group as may leave: healthy ones - (count - max_parallel)."""
    for name in sorted({a.group for a in allocs}):
        here = sorted((a for a in allocs if a.group == name), key=lambda a: a.index)
        group = state.current.job.group(name) if state.current else None
        well = sum(drained.is_well(a) for a in state.allocs if a.group == name)
        # What is not well serves nobody where it is.
        sick = [a for a in here if not drained.is_well(a) and a.id not in drained.unproven]
        room = len(here) if group is None else max(well - (group.count - pace(group)), 0)
        yield from sick
        yield from [a for a in here if drained.is_well(a)][:room]


def pace(group: TaskGroup) -> int:
    """Return how many allocations of a group may be on the move at the same time."""
    return (group.migrate or Migrate()).max_parallel


def _type(state: JobState) -> str:
    return state.current.job.type if state.current else "service"
