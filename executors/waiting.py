"""What a rollout waits for between two waves: health, a reschedule that is due, room, progress."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum, auto

from executors.boundary import Boundary
from executors.room import RoomSearch
from executors.run import Run
from executors.watch import HealthWatch
from planner.deployment import active_deployment
from planner.job import SECOND, Job
from planner.observed import NodeStatus, ObservedAlloc
from planner.patience import (
    in_suspense,
    is_satisfied,
    lingering,
    next_due,
    waits_for_person,
)
from planner.recorded import AllocRecord, DeploymentStatus, JobChange, JobState
from planner.reschedule import is_due
from planner.verdict import Judged, advanced, awaited, judged, synced


class News(Enum):
    """Why a wait is over."""

    CHANGED = auto()
    OVERDUE = auto()
    UNSEEN = auto()
    NOTHING = auto()


@dataclass(slots=True, kw_only=True)
class Progress:
    """For how long each group of a deployment has made none, in watched seconds."""

    deployment: str = ""
    since: dict[str, float] = field(default_factory=dict[str, float])
    # what counts as progress, as it was when the group last made some
    marks: dict[str, tuple[int, bool]] = field(default_factory=dict[str, tuple[int, bool]])

    def overdue(self, state: JobState, now: float) -> list[str]:
        """Return the groups whose deadline is over at `now`, in watched seconds."""
        deployment = active_deployment(state)
        if deployment is None or deployment.status is DeploymentStatus.PAUSED:
            self.since.clear()
            return []
        if deployment.id != self.deployment:
            self.deployment, self.since, self.marks = deployment.id, {}, {}
        overdue: list[str] = []
        for name, group in deployment.groups.items():
            mark = (group.healthy, group.promoted)
            if self.marks.get(name) != mark or name not in self.since:
                self.marks[name], self.since[name] = mark, now
            limit = group.progress_deadline / SECOND
            late = limit and now - self.since[name] >= limit
            if late and not is_satisfied(state, deployment, name):
                overdue.append(name)
        return overdue


@dataclass(slots=True, kw_only=True)
class Waiting:
    """Waits on behalf of one job's rollout."""

    run: Run
    key: str
    watch: HealthWatch
    progress: Progress = field(default_factory=Progress)
    room: RoomSearch = field(init=False)
    # when the job was last planned, in ns
    planned: int = 0
    # groups whose deadline for progress is over
    late: list[str] = field(default_factory=list[str])
    # allocations that nobody sees to, and when (ns) their tasks had begun last
    left_alone: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def __post_init__(self) -> None:
        self.room = RoomSearch(run=self.run, key=self.key)

    @property
    def _state(self) -> JobState:
        return self.run.state(self.key)

    async def news(self, job: Job) -> News:
        """Wait until something came that is to be planned for, or nothing is left to wait for."""
        while True:
            state = self._state
            self.late = self.progress.overdue(state, self.watch.time.seconds())
            if self.late:
                return News.OVERDUE
            if self.run.stopping() or state.requests:
                return News.CHANGED
            if not awaited(state, job) and not self._may_come(state, job):
                return News.NOTHING
            if await self._looked(job):
                return News.CHANGED
            if self.watch.lost:
                return News.UNSEEN
            if self._is_due(job) or self._is_left_alone(job) or await self.room.looked():
                return News.CHANGED
            await self.run.clock.sleep(self.watch.pause(job))

    def _may_come(self, state: JobState, job: Job) -> bool:
        """Whether time may bring something: a reschedule, room, or the end of what is not well."""
        if waits_for_person(state, job) is not None:
            return False
        if self.room.goes_on:
            return True
        seen = (a for a in in_suspense(state) if self._answers(a))
        return next_due(state, job, self.planned) is not None or any(True for _ in seen)

    def _answers(self, alloc: AllocRecord) -> bool:
        return self.run.node(alloc.node).status is not NodeStatus.UNKNOWN

    def _is_due(self, job: Job) -> bool:
        due = next_due(self._state, job, self.planned)
        return due is not None and is_due(due, self.run.clock.now())

    def _is_left_alone(self, job: Job) -> bool:
        """Whether nobody on its host sees to something any more; told once of each of its lives."""
        state, seen = self._state, self.run.observed.allocs
        ids = [a.id for a in (*awaited(state, job), *lingering(state)) if self._answers(a)]
        lives = {(i, _began(seen[i])) for i in ids if i in seen and seen[i].unattended}
        news = lives - self.left_alone
        self.left_alone |= news
        return bool(news)

    async def _looked(self, job: Job) -> bool:
        """Look once at what is waited for; return whether anything was found."""
        verdicts = await self.watch.look(job, awaited(self._state, job))
        ended = await self._ended()
        if verdicts or ended:
            await self.take_in(verdicts, job)
        return bool(verdicts or ended)

    async def _ended(self) -> bool:
        """Look at what runs on although it is not healthy; return whether any of it has ended."""
        hosts: dict[str, list[str]] = defaultdict(list)
        for alloc in lingering(self._state):
            if self._answers(alloc):
                hosts[alloc.node].append(alloc.id)
        await asyncio.gather(*(self.run.inspect(h, ids) for h, ids in hosts.items()))
        change = synced(self._state, self.run.observed, self.run.clock.now())
        return any(a.client.terminal for a in change.allocs)

    async def take_in(self, verdicts: dict[str, Judged], job: Job) -> None:
        """Journal verdicts, what hosts show, and what follows for canaries."""
        now = self.run.clock.now()
        health = judged(self._state, verdicts, job, now)
        after = self._state.changed(health, self._state.modify_index)
        seen = synced(after, self.run.observed, now)
        after = after.changed(seen, after.modify_index)
        more: list[JobChange] = [c for c in (advanced(after, job, now),) if c is not None]
        await self.run.journalled("health", (health, seen, *more))
        self.run.at(Boundary.JUDGED)


def _began(alloc: ObservedAlloc) -> int:
    return max((t.started_at for t in alloc.tasks.values()), default=0)
