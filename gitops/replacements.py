"""Allocations that took the place of others, watched by their group's `migrate` block."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field, replace

from executors.run import Run
from executors.watch import HealthWatch
from gitops.planning import Look
from planner.job import HOUR, Job, Migrate, TaskGroup, Update
from planner.recorded import AllocRecord, JobState
from planner.standing import MIGRATED

# Much longer than a `healthy_deadline`, and than clocks are off.
_LONG_AGO = 3 * HOUR


@dataclass(slots=True, kw_only=True)
class Replacements:
    """Those of which it is not known yet whether they are well, with their jobs.

    `watching` makes a run that can look at jobs' allocations from what was found; `judged` are ids
    of those of which it is known.
    """

    watching: Callable[[Look, Set[str]], Run]
    judged: set[str] = field(default_factory=set[str])
    _waiting: dict[str, tuple[Job, AllocRecord]] = field(
        default_factory=dict[str, tuple[Job, AllocRecord]]
    )
    _watch: HealthWatch | None = None

    @property
    def unproven(self) -> frozenset[str]:
        """The ids of those that are not known to be well, or not to be."""
        return frozenset(self._waiting)

    def notice(self, look: Look, groups: Set[tuple[str, str]]) -> None:
        """Watch, in these groups (job key, name), what replaces those that were told to leave.

        Whoever told them: others may empty other nodes, or have begun with this one. What was
        placed long ago has fared somehow, whatever the clocks of those who placed it.
        """
        new = {
            alloc.id: (_judged_by_migrate(state.current.job), alloc)
            for key, state in look.recorded.jobs.items()
            if state.current is not None
            for alloc in _replacing(state)
            if (key, alloc.group) in groups and alloc.id not in self.judged | self.unproven
            if look.now - alloc.created < _LONG_AGO
        }
        if new:
            self._watch = HealthWatch(run=self.watching(look, {key for key, _ in groups}))
            self._waiting |= new

    async def look(self) -> None:
        """Look once at all of them; those about which there is a verdict are waited for no more."""
        if self._watch is None:
            return
        for job in {id(j): j for j, _ in self._waiting.values()}.values():
            allocs = [a for j, a in self._waiting.values() if j is job]
            for alloc in await self._watch.look(job, allocs):
                self._is_known(alloc)
        for lost in [a for _, a in self._waiting.values() if a.name in self._watch.lost]:
            self._is_known(lost.id)

    def _is_known(self, alloc: str) -> None:
        del self._waiting[alloc]
        self.judged.add(alloc)


def _replacing(state: JobState) -> list[AllocRecord]:
    """Return those that took the place of others that were told to leave."""
    gone = {a.id for a in state.allocs if a.desired_description == MIGRATED}
    return [a for a in state.allocs if a.previous in gone and not a.terminal]


def _judged_by_migrate(job: Job) -> Job:
    """Return the job whose health is judged as its `migrate` blocks say."""
    return replace(job, task_groups=tuple(_migrating(g) for g in job.task_groups))


def _migrating(group: TaskGroup) -> TaskGroup:
    policy = group.migrate or Migrate()
    update = Update(
        health_check=policy.health_check,
        min_healthy_time=policy.min_healthy_time,
        healthy_deadline=policy.healthy_deadline,
    )
    return replace(group, update=update)
