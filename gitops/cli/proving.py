"""Waiting for allocations that began anew: until they run, and until they are healthy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from executors.watch import HealthWatch
from gitops.cli.watching import watching
from gitops.resolve import Found
from gitops.session import Session
from planner.errors import OrchError
from planner.health import Health
from planner.job import SECOND, Job, TaskGroup
from planner.observed import ObservedAlloc, TaskPhase, TaskState
from planner.recorded import AllocRecord
from planner.verdict import Judged

# Seconds between two looks.
_PAUSE = 0.5
# Seconds to come back, in a group that says nothing of it.
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """An allocation that began anew; `tasks` of it were as in `before`. Without: all begin."""

    found: Found
    before: ObservedAlloc | None = None
    tasks: tuple[str, ...] = ()

    def is_back(self, seen: ObservedAlloc | None) -> bool:
        """Whether all of them were started since; `OrchError` where one has failed."""
        if seen is None:
            return False
        tasks = self.tasks or tuple(seen.tasks)
        failed = [t for t in tasks if seen.tasks[t].state is TaskPhase.DEAD and self._anew(seen, t)]
        for task in failed:
            if seen.tasks[task].failed:
                raise OrchError(f"{_name(self.found)}: task {task!r} has failed", _hint(self.found))
        return all(self._anew(seen, t) for t in tasks)

    def _anew(self, seen: ObservedAlloc, task: str) -> bool:
        now = seen.tasks[task]
        old = self.before.tasks[task] if self.before else TaskState()
        return now.state is not TaskPhase.PENDING and _turn(now) != _turn(old)

    @property
    def patience(self) -> float:
        """Seconds that it may take to come back."""
        group = _group(self.found)
        update = group.update if group else None
        return update.healthy_deadline / SECOND if update else _PATIENCE


async def all_back(ties: Session, restarted: Sequence[Restarted]) -> None:
    """Look until all of them run again; `OrchError` where one fails, or takes too long."""
    began = time.monotonic()
    while True:
        look = await ties.look({r.found.alloc.node for r in restarted})
        seen = look.observed.allocs
        waiting = [r for r in restarted if not r.is_back(seen.get(r.found.alloc.id))]
        if not waiting:
            return
        for each in waiting:
            if time.monotonic() - began > each.patience:
                raise OrchError(
                    f"{_name(each.found)} does not run again after {each.patience:g} s",
                    _hint(each.found),
                )
        await asyncio.sleep(_PAUSE)


async def all_healthy(ties: Session, found: Sequence[Found]) -> None:
    """Look until all are healthy by their groups' `update` blocks; those without one are at once.

    Raises `OrchError` where one is not healthy in its time.
    """
    waiting = {f.alloc.id: f for f in found if _waits_for_health(f)}
    if not waiting:
        return
    look = await ties.look({f.alloc.node for f in found})
    watch = HealthWatch(run=watching(ties, look, {f.state.key for f in found}))
    while waiting:
        for job, allocs in _by_job(list(waiting.values())):
            for alloc, verdict in (await watch.look(job, allocs)).items():
                _refuse_unhealthy(waiting.pop(alloc), verdict, watch)
        _refuse_lost(waiting.values(), watch)
        if waiting:
            await asyncio.sleep(_PAUSE)


def _refuse_unhealthy(found: Found, verdict: Judged, watch: HealthWatch) -> None:
    if verdict.health is not Health.HEALTHY:
        why = watch.why(found.alloc.id)
        raise OrchError(f"{_name(found)} is not healthy: {why}", _hint(found))


def _refuse_lost(waiting: Iterable[Found], watch: HealthWatch) -> None:
    for found in waiting:
        if found.alloc.name in watch.lost:
            raise OrchError(f"{_name(found)}: {watch.lost[found.alloc.name]}", _hint(found))


def _by_job(found: Sequence[Found]) -> list[tuple[Job, list[AllocRecord]]]:
    """Return allocations together that are of one version of their job."""
    versions = {f.alloc.job_version for f in found}
    sorted_out: list[tuple[Job, list[AllocRecord]]] = []
    for number in sorted(versions):
        version = found[0].state.version(number)
        allocs = [f.alloc for f in found if f.alloc.job_version == number]
        if version is not None:
            sorted_out.append((version.job, allocs))
    return sorted_out


def _waits_for_health(found: Found) -> bool:
    group = _group(found)
    update = group.update if group else None
    return update is not None and update.health_check != "manual"


def _group(found: Found) -> TaskGroup | None:
    version = found.state.version(found.alloc.job_version)
    return version.job.group(found.alloc.group) if version else None


def _turn(task: TaskState) -> tuple[int, int]:
    """Tell one run of a task from the next."""
    return task.started_at, task.restarts


def _name(found: Found) -> str:
    return f"allocation {found.alloc.id[:8]} ({found.alloc.name}) on {found.alloc.node}"


def _hint(found: Found) -> str:
    return f"The others were left alone. See 'orch alloc status {found.alloc.id[:8]}'."
