"""Allocations that took the place of others, watched by their group's `migrate` block."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from executors.run import Run
from executors.watch import HealthWatch
from gitops.planning import Look
from planner.job import Job, Migrate, TaskGroup, Update
from planner.recorded import AllocRecord


@dataclass(slots=True, kw_only=True)
class Replacements:
    """Those of which it is not known yet whether they are well, with their jobs.

    `watching` makes a run that can look at them from what was found.
    """

    watching: Callable[[Look], Run]
    _waiting: dict[str, tuple[Job, AllocRecord]] = field(
        default_factory=dict[str, tuple[Job, AllocRecord]]
    )
    _watch: HealthWatch | None = None

    @property
    def unproven(self) -> frozenset[str]:
        """The ids of those that are not known to be well, or not to be."""
        return frozenset(self._waiting)

    def add(self, look: Look, moved: Collection[str]) -> None:
        """Watch what took the place of these allocations, as the records have it now."""
        self._watch = HealthWatch(run=self.watching(look))
        for state in look.recorded.jobs.values():
            job = state.current.job if state.current else None
            for alloc in state.allocs:
                if job is not None and alloc.previous in moved and not alloc.terminal:
                    self._waiting[alloc.id] = (_judged_by_migrate(job), alloc)

    async def look(self) -> None:
        """Look once at all of them; those about which there is a verdict are waited for no more."""
        if self._watch is None:
            return
        for job in {id(j): j for j, _ in self._waiting.values()}.values():
            allocs = [a for j, a in self._waiting.values() if j is job]
            for alloc in await self._watch.look(job, allocs):
                del self._waiting[alloc]
        for lost in [a for _, a in self._waiting.values() if a.name in self._watch.lost]:
            del self._waiting[lost.id]


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
