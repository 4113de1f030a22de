"""Watching the health of a deployment's allocations: looks at hosts, verdicts by the rule."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from executors.check_restarts import CheckFailures, restart
from executors.check_results import Checked
from executors.checks import BoundCheck, bound_checks
from executors.clock import WatchedTime
from executors.run import Run
from executors.transport import HostError
from planner.check_status import CheckLevel, restarts
from planner.health import Health, Look, Watched, looked
from planner.job import SECOND, Job, TaskGroup, Update
from planner.job_key import job_key
from planner.observed import NodeStatus, ObservedAlloc, TaskPhase
from planner.recorded import AllocRecord
from planner.verdict import Judged

# Seconds between two looks: fine for short health times, sparing for long ones.
_SHORTEST, _LONGEST = 0.2, 2.0


@dataclass(slots=True, kw_only=True)
class HealthWatch:
    """Looks at allocations until a verdict is reached; keeps the time each has been watched."""

    run: Run
    time: WatchedTime = field(init=False)
    watched: dict[str, Watched] = field(default_factory=dict[str, Watched])
    checked: dict[str, Checked] = field(default_factory=dict[str, Checked])
    # names of allocations whose host did not answer for as long as they may take, and why
    lost: dict[str, str] = field(default_factory=dict[str, str])
    failures: CheckFailures = field(default_factory=CheckFailures)
    # whether tasks begin anew whose checks have failed too often
    restarting: bool = False

    def __post_init__(self) -> None:
        self.time = WatchedTime(self.run.clock)

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
        key = job_key(job.id, job.namespace)
        checks = tuple(replace(c, job=key) for c in self._checks(alloc, group, group.update))
        levels = await self._made(alloc, checks, group.update) if checks else {}
        checked = self.checked[alloc.id] if checks else Checked()
        counts = group.update.health_check == "checks"
        look = Look(
            at=self.time.seconds(),
            alloc=seen,
            checks=checked.failing if counts else (),
            checked_at=checked.at if counts else 0.0,
        )
        verdict = self._judge(alloc, look, group, group.update)
        if verdict is None and seen is not None and self.restarting:
            sick = self.failures.after(seen, checks, levels, look.at)
            if sick is not None:
                await restart(self.run, key, alloc, group, sick)
        return verdict

    def _unseen(self, job: Job, allocs: Sequence[AllocRecord], why: str) -> None:
        """A host that does not answer proves nothing; it is lost when the deadline has passed."""
        now = self.time.seconds()
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

    def _checks(
        self, alloc: AllocRecord, group: TaskGroup, update: Update
    ) -> tuple[BoundCheck, ...]:
        """Return the checks that have a say: in the health, or whether tasks begin anew."""
        bound = bound_checks(group, alloc, self.run.node(alloc.node).address)
        counts = update.health_check == "checks"
        return tuple(
            c
            for c in bound
            if (counts and c.check.on_update != "ignore") or (self.restarting and restarts(c.check))
        )

    async def _made(
        self, alloc: AllocRecord, checks: Sequence[BoundCheck], update: Update
    ) -> dict[int, CheckLevel]:
        """Make those of the checks that are due, and return what they are now, by place."""
        before = self.checked.get(alloc.id) or Checked.of(checks)
        self.checked[alloc.id], levels = await before.made_anew(
            checks,
            self.time.seconds(),
            update,
            lambda check: self.run.fleet.check(alloc.node, check),
        )
        return levels


def _runs(alloc: ObservedAlloc) -> bool:
    return all(t.state is TaskPhase.RUNNING for t in alloc.tasks.values())
