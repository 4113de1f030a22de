"""The pace at which allocations leave nodes that are drained, checked against what truly runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field

from executors.sim.host import SimulatedHost
from planner.drain import pace
from planner.job import SECOND, Migrate, TaskGroup
from planner.node_record import DrainStrategy
from planner.recorded import AllocRecord, JobState, Recorded
from planner.steps import Stop
from tests.simulate.audit import Audit, BrokenPromiseError

# Seconds by which looks and verdicts may differ from what is so.
_BLUR = 1.0
# Seconds that a look may take, at most.
_LOOK = 10.0


@dataclass(slots=True)
class Migrations:
    """Told of drains and of what they stop. `clock` gives seconds."""

    hosts: Mapping[str, SimulatedHost]
    clock: Callable[[], float]
    # the drains that are recorded, and since when
    drains: dict[str, tuple[DrainStrategy, float]] = field(
        default_factory=dict[str, tuple[DrainStrategy, float]]
    )
    # healthy allocations that were stopped: when, by successor, by (job, group)
    moved: dict[tuple[str, str], dict[str, float]] = field(
        default_factory=dict[tuple[str, str], dict[str, float]]
    )

    def recorded(self, records: Recorded) -> None:
        """The state of the ledger has changed."""
        for name, node in records.nodes.items():
            if node.drain is None:
                self.drains.pop(name, None)
            elif self.drains.get(name, (None, 0.0))[0] != node.drain:
                self.drains[name] = (node.drain, self.clock())

    def moves(self, stop: Stop, audit: Audit, looked: float, blind: Set[str]) -> None:
        """A drain has stopped one: no more may be on the move than its `migrate` block allows.

        `looked` is when its run had last looked, `blind` are hosts that do not answer it.
        """
        old, state = stop.alloc, audit.job(stop.key)
        group = state.current.job.group(old.group) if state.current else None
        if group is None or self._goes_at_once(state, old) or not self._ran_well(old, looked):
            return
        moved = self.moved.setdefault((stop.key, old.group), {})
        moved[old.next] = self.clock()
        pending = [i for i, at in moved.items() if self._is_unproven(state, i, at, group, blind)]
        live = sum(a.group == old.group and not a.terminal for a in state.allocs)
        if len(pending) > pace(group) + max(live - group.count, 0):
            raise BrokenPromiseError(
                f"{stop.key}: {len(pending)} of {old.group} are on the move at once, "
                f"max_parallel is {pace(group)}"
            )

    def _goes_at_once(self, state: JobState, alloc: AllocRecord) -> bool:
        """Whether nothing paces what leaves this node: its time is over, or was never given."""
        if (
            alloc.node not in self.drains
            or not state.current
            or state.current.job.type != "service"
        ):
            return True
        strategy, since = self.drains[alloc.node]
        return 0 <= strategy.deadline <= (self.clock() - since + _BLUR) * SECOND

    def _ran_well(self, alloc: AllocRecord, since: float) -> bool:
        return is_well(self.hosts, alloc) and self._age(alloc) >= self.clock() - since + _LOOK

    def _is_unproven(
        self, state: JobState, alloc: str, at: float, group: TaskGroup, blind: Set[str]
    ) -> bool:
        """Whether a successor is still to show that it is well."""
        policy, record = group.migrate or Migrate(), state.alloc(alloc)
        if record is None or record.terminal or record.node in blind:
            return False
        if self.clock() - at >= policy.healthy_deadline / SECOND - _BLUR:
            return False
        if alloc not in self.hosts[record.node].disk.records:
            return True
        healthy = policy.min_healthy_time / SECOND - _BLUR
        return is_well(self.hosts, record) and self._age(record) < healthy

    def _age(self, alloc: AllocRecord) -> float:
        """For how many seconds it has run; 0 where it does not."""
        host = self.hosts[alloc.node]
        kept = host.running().get(alloc.id) if host.up else None
        life = kept.life if kept is not None else None
        return (host.now() - life.born) / SECOND if life is not None else 0.0


def is_well(hosts: Mapping[str, SimulatedHost], alloc: AllocRecord) -> bool:
    """Whether the allocation truly runs and its checks pass."""
    host = hosts[alloc.node]
    kept = host.running().get(alloc.id) if host.up else None
    return kept is not None and kept.life is not None and kept.life.passes
