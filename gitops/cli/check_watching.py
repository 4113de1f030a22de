"""Makes checks that restart tasks from turn to turn of a loop, and lets those tasks begin anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from executors.check_restarts import CheckFailures, Unhealthy
from executors.check_results import Checked
from executors.checks import BoundCheck, bound_checks, made
from gitops.cli.handling import running_in
from gitops.planning import Look
from gitops.resolve import Found
from gitops.sealing import is_sealed
from gitops.session import Session
from planner.check_status import restarts
from planner.errors import OrchError
from planner.job import TaskGroup, Update
from planner.observed import NodeStatus, ObservedAlloc
from planner.recorded import AllocRecord, Desired, JobState

# Checks that are made at a time.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """An allocation that runs, and those of its checks that restart tasks."""

    found: Found
    group: TaskGroup
    seen: ObservedAlloc
    checks: tuple[BoundCheck, ...]


@dataclass(slots=True, kw_only=True)
class CheckWatch:
    """Remembers from turn to turn what checks have said. `tell` hears of each restart.

    `monotonic` is in seconds.
    """

    tell: Callable[[str], object]
    monotonic: Callable[[], float] = time.monotonic
    _checked: dict[str, Checked] = field(default_factory=dict[str, Checked], init=False)
    _failures: CheckFailures = field(default_factory=CheckFailures, init=False)

    async def look(self, ties: Session, read: Look) -> None:
        """Make the checks that are due of all that runs; restart what has failed too often."""
        watched = [w for s in read.recorded.jobs.values() for w in _watched(s, read)]
        self._forget({w.found.alloc.id for w in watched})
        slots = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._look_at(ties, read, w, slots) for w in watched))

    def _forget(self, kept: set[str]) -> None:
        self._checked = {i: c for i, c in self._checked.items() if i in kept}
        self._failures.keep(kept)

    async def _look_at(
        self, ties: Session, read: Look, watched: _Watched, slots: asyncio.Semaphore
    ) -> None:
        alloc = watched.found.alloc
        async with slots:
            try:
                sick = await self._sick(ties, watched)
            except OrchError:  # its host was there a moment ago
                return
        if sick is None:
            return
        text = sick.told(alloc)
        try:
            running = await running_in(ties, watched.found, read.observed)
            await running.guard.restart(running.fence, sick.handled(alloc.id, watched.group))
        except OrchError as e:
            text = f"{text}: {e.message}"
        self.tell(text)

    async def _sick(self, ties: Session, watched: _Watched) -> Unhealthy | None:
        alloc, checks = watched.found.alloc, watched.checks
        transport = await ties.connector.connect(alloc.node)
        data_dir = ties.observer.probes[alloc.node].data_dir
        now = self.monotonic()
        before = self._checked.get(alloc.id) or Checked.of(checks)
        self._checked[alloc.id], levels = await before.made_anew(
            checks, now, Update(), lambda check: made(check, transport, data_dir)
        )
        return self._failures.after(watched.seen, checks, levels, now)


def _watched(state: JobState, read: Look) -> Iterator[_Watched]:
    for alloc in state.allocs:
        seen, node = read.observed.allocs.get(alloc.id), read.observed.nodes.get(alloc.node)
        group = _group(state, alloc)
        if not _should_run(alloc) or group is None or seen is None:
            continue
        if node is None or node.status is not NodeStatus.READY:
            continue
        if checks := _restarting(bound_checks(group, alloc, node.address)):
            found = Found(state=state, alloc=alloc)
            yield _Watched(found=found, group=group, seen=seen, checks=checks)


def _should_run(alloc: AllocRecord) -> bool:
    """Whether it is to run, and nobody watches it already who rolls it out."""
    rolls_out = bool(alloc.deployment) and alloc.healthy is None
    return alloc.desired is Desired.RUN and not alloc.terminal and not rolls_out


def _restarting(checks: Sequence[BoundCheck]) -> tuple[BoundCheck, ...]:
    # What lacks its sensitive values would fail for that.
    return tuple(c for c in checks if restarts(c.check) and not is_sealed(c.check))


def _group(state: JobState, alloc: AllocRecord) -> TaskGroup | None:
    version = state.version(alloc.job_version)
    return version.job.group(alloc.group) if version else None
