"""Watching the health of a deployment's allocations: looks at hosts, verdicts by the rule."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from executors.checks import bound_checks
from executors.run import Run
from executors.transport import HostError
from planner.health import Health, Look, Watched, looked
from planner.job import SECOND, Job, TaskGroup, Update
from planner.observed import NodeStatus, ObservedAlloc, TaskPhase
from planner.recorded import AllocRecord
from planner.verdict import Judged

# Seconds between two looks: fine for short health times, sparing for long ones.
_SHORTEST, _LONGEST = 0.2, 2.0


@dataclass(slots=True, kw_only=True)
class _Checked:
    """When an allocation's checks were last made, and which failed."""

    at: float = 0.0
    failing: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class HealthWatch:
    """Looks at allocations until a verdict is reached; keeps the time each has been watched."""

    run: Run
    watched: dict[str, Watched] = field(default_factory=dict[str, Watched])
    checked: dict[str, _Checked] = field(default_factory=dict[str, _Checked])
    # names of allocations whose host did not answer for as long as they may take, and why
    lost: dict[str, str] = field(default_factory=dict[str, str])

    def pause(self, job: Job) -> float:
        """Seconds to wait between two looks at allocations of this job."""
        times = [g.update.min_healthy_time for g in job.task_groups if g.update]
        return min(max(min(times, default=0) / SECOND / 5, _SHORTEST), _LONGEST)

    def why(self, alloc: str) -> str:
        """Why the allocation is not healthy, as far as the last look shows."""
        watched = self.watched.get(alloc)
        return watched.reason if watched else ""

    async def look(self, job: Job, allocs: Sequence[AllocRecord]) -> dict[str, Judged]:
        """Look once at all of them, at each host once; return the verdicts that were reached."""
        hosts: dict[str, list[AllocRecord]] = defaultdict(list)
        for alloc in allocs:
            hosts[alloc.node].append(alloc)
        looks = await asyncio.gather(*(self._look_at(h, job, a) for h, a in hosts.items()))
        return {alloc: verdict for verdicts in looks for alloc, verdict in verdicts.items()}

    async def _look_at(
        self, host: str, job: Job, allocs: Sequence[AllocRecord]
    ) -> dict[str, Judged]:
        try:
            seen = self._just_started(allocs) or await self._inspected(host, allocs)
        except HostError as e:
            self._unseen(job, allocs, e.message)
            return {}
        by_id = {a.id: a for a in seen}
        verdicts = await asyncio.gather(*(self._verdict(job, a, by_id.get(a.id)) for a in allocs))
        return {a.id: v for a, v in zip(allocs, verdicts, strict=True) if v is not None}

    def _just_started(self, allocs: Sequence[AllocRecord]) -> list[ObservedAlloc]:
        """What the look after their start has shown, if that was their first, and all run."""
        found = [self.run.just_seen(a.id) for a in allocs if a.id not in self.watched]
        known = [a for a in found if a is not None and _runs(a)]
        return known if len(known) == len(allocs) else []

    async def _inspected(self, host: str, allocs: Sequence[AllocRecord]) -> Sequence[ObservedAlloc]:
        seen = await self.run.fleet.inspect(host, [a.id for a in allocs])
        self.run.saw(seen)
        return seen

    async def _verdict(
        self, job: Job, alloc: AllocRecord, seen: ObservedAlloc | None
    ) -> Judged | None:
        group = job.group(alloc.group)
        if group is None or group.update is None:
            return None
        checked = await self._checked(alloc, group, group.update)
        look = Look(
            at=self.run.clock.monotonic(),
            alloc=seen,
            checks=checked.failing,
            checked_at=checked.at,
        )
        return self._judge(alloc, look, group, group.update)

    def _unseen(self, job: Job, allocs: Sequence[AllocRecord], why: str) -> None:
        """A host that does not answer proves nothing; it is lost when the deadline has passed."""
        now = self.run.clock.monotonic()
        for alloc in allocs:
            group = job.group(alloc.group)
            before = self.watched.get(alloc.id) or Watched(began=now)
            self.watched[alloc.id] = replace(before, since=None, reason=why)
            deadline = group.update.healthy_deadline / SECOND if group and group.update else 0
            gone = self.run.node(alloc.node).status is NodeStatus.UNKNOWN
            if gone or now - before.began >= deadline:
                self.lost[alloc.name] = why

    def _judge(
        self, alloc: AllocRecord, look: Look, group: TaskGroup, update: Update
    ) -> Judged | None:
        before = self.watched.get(alloc.id) or Watched(began=look.at)
        after = looked(before, look, update, group)
        self.watched[alloc.id] = after
        if after.health is Health.PENDING:
            return None
        return Judged(health=after.health, time=self.run.clock.now(), tasks=after.tasks)

    async def _checked(self, alloc: AllocRecord, group: TaskGroup, update: Update) -> _Checked:
        """Make the allocation's checks if they are due; a stale result stands until then."""
        node = self.run.node(alloc.node)
        checks = bound_checks(group, alloc, node.address)
        if update.health_check != "checks" or not checks:
            return _Checked()
        last = self.checked.get(alloc.id)
        due = min(c.check.interval for c in checks) / SECOND
        due = min(due, update.min_healthy_time / SECOND)
        now = self.run.clock.monotonic()
        if last is not None and not last.failing and now - last.at < due:
            return last
        answers = await asyncio.gather(*(self.run.fleet.check(alloc.node, c) for c in checks))
        failing = tuple(
            f'"{c.name}" ({why})' for c, why in zip(checks, answers, strict=True) if why
        )
        # Counted from before the attempt: what it proves was true by then at the latest.
        self.checked[alloc.id] = _Checked(at=now, failing=failing)
        return self.checked[alloc.id]


def _runs(alloc: ObservedAlloc) -> bool:
    return all(t.state is TaskPhase.RUNNING for t in alloc.tasks.values())
