"""Rolling one job out: waves as the planner decides them, each journalled before it happens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from executors.boundary import Boundary
from executors.run import Run
from executors.transport import HostError
from executors.watch import HealthWatch
from planner.decide import Wave
from planner.errors import ConflictError, OrchError
from planner.events import (
    AllocationModified,
    AllocationPlaced,
    AllocationStopped,
    AllocationUnhealthy,
    DeploymentUpdate,
    EvaluationFinished,
    EvaluationStarted,
)
from planner.job import SECOND, Job
from planner.plan import JobPlan
from planner.recorded import AllocRecord, DeploymentStatus, JobChange, JobState
from planner.steps import Chain, Start, Step, Stop, Update
from planner.verdict import (
    Judged,
    active_deployment,
    awaited,
    conclusion,
    ended_tasks,
    judged,
    out_of_time,
    refused_start,
    synced,
    unhealthy,
)

_AllocationEvent = AllocationPlaced | AllocationModified | AllocationStopped

# Lines of a failed task's log that are shown.
LOG_LINES = 20


class OutcomeKind(StrEnum):
    """How a job's rollout ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one job's rollout, with what a person needs to go on."""

    key: str
    kind: OutcomeKind = OutcomeKind.DONE
    detail: str = ""
    log: str = ""


@dataclass(slots=True, kw_only=True)
class Rollout:
    """Drives one job from its plan to its end."""

    run: Run
    key: str
    job: Job
    watch: HealthWatch = field(init=False)
    evaluated: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.watch = HealthWatch(run=self.run)

    async def drive(self) -> Outcome:
        """Go wave by wave until nothing is left to do; return how it ended."""
        self._tell_evaluation()
        progress = self.run.clock.monotonic()
        while True:
            plan, wave = await self.run.next_wave(self.key, self.job)
            problems = await self._carry_out(wave) if wave.chains else []
            self._tell_evaluated(plan)
            self._tell()
            if problems:
                return await self._broken(problems)
            if (end := await self._concluded(plan)) is not None:
                return end
            if awaited(self._state):
                if not await self._verdicts(progress):
                    return await self._conclude(out_of_time(self._state, self._now))
                progress = self.run.clock.monotonic()
            elif not wave.chains:
                return await self._settled(plan)

    @property
    def _state(self) -> JobState:
        return self.run.state(self.key)

    @property
    def _now(self) -> int:
        return self.run.clock.now()

    # ── waves ────────────────────────────────────────────────────────────────────────────────

    async def _carry_out(self, wave: Wave) -> list[tuple[Step, OrchError]]:
        """Do all chains at once; journal what came of them; return the steps that failed."""
        await self.run.prepare(self.key, (c[0].alloc.node for c in wave.chains))
        ends = await asyncio.gather(*(self._chain(c) for c in wave.chains))
        problems = [end for end in ends if end is not None]
        for _, error in problems:
            if isinstance(error, ConflictError):
                raise error
        await self._look_back(wave)
        change = synced(self._state, self.run.observed, self._now)
        await self.run.journalled("result", (self._refused(change, problems),))
        self.run.at(Boundary.RECORDED)
        return problems

    async def _chain(self, chain: Chain) -> tuple[Step, OrchError] | None:
        for step in chain:
            try:
                await self._step(step)
            except HostError as e:
                self.run.lost(e.host, e.message)
                return step, e
            except OrchError as e:
                return step, e
        return None

    async def _step(self, step: Step) -> None:
        node = self.run.node(step.alloc.node)
        match step:
            case Start():
                await self.run.fleet.start(step, node)
                self._say(AllocationPlaced, step.alloc)
                self.run.at(Boundary.STARTED)
            case Stop():
                await self.run.fleet.stop(step, node)
                self._say(AllocationStopped, step.alloc)
                self.run.at(Boundary.STOPPED)
            case Update():
                await self.run.fleet.update(step, node)
                self._say(AllocationModified, step.alloc)
                self.run.at(Boundary.UPDATED)

    async def _look_back(self, wave: Wave) -> None:
        """See what the steps left on each host, for the records."""
        hosts: dict[str, set[str]] = {}
        for step in (s for c in wave.chains for s in c):
            hosts.setdefault(step.alloc.node, set()).add(step.alloc.id)
        await asyncio.gather(*(self._inspect(h, sorted(ids)) for h, ids in hosts.items()))

    async def _inspect(self, host: str, allocs: list[str]) -> None:
        try:
            self.run.saw(await self.run.fleet.inspect(host, allocs))
        except HostError as e:
            self.run.lost(host, e.message)

    def _refused(self, change: JobChange, problems: list[tuple[Step, OrchError]]) -> JobChange:
        """Mark allocations that a host refused to start: they never ran and never will."""
        after = self._state.changed(change, self._state.modify_index)
        refused = tuple(
            refused_start(record, error.message)
            for step, error in problems
            if isinstance(step, Start) and not isinstance(error, HostError)
            if (record := after.alloc(step.alloc.id)) is not None
        )
        return JobChange(key=self.key, allocs=(*change.allocs, *refused))

    # ── health ───────────────────────────────────────────────────────────────────────────────

    async def _verdicts(self, progress: float) -> bool:
        """Watch until a verdict is reached; False when the deadline for progress is over first."""
        limit = self._progress_limit()
        while True:
            verdicts = await self.watch.look(self.job, awaited(self._state))
            if verdicts:
                await self._take_in(verdicts)
                return True
            if limit and self.run.clock.monotonic() - progress >= limit:
                return False
            await self.run.clock.sleep(self.watch.pause(self.job))

    def _progress_limit(self) -> float:
        updates = [g.update for g in self.job.task_groups if g.update]
        return (
            min((u.progress_deadline for u in updates if u.progress_deadline), default=0) / SECOND
        )

    async def _take_in(self, verdicts: dict[str, Judged]) -> None:
        now = self._now
        health = judged(self._state, verdicts, self.job, now)
        after = self._state.changed(health, self._state.modify_index)
        await self.run.journalled("health", (health, synced(after, self.run.observed, now)))
        self.run.at(Boundary.JUDGED)
        self._tell()

    # ── ends ─────────────────────────────────────────────────────────────────────────────────

    async def _concluded(self, plan: JobPlan) -> Outcome | None:
        end = conclusion(plan, self._state, self._now)
        if end is None:
            return None
        return await self._conclude(end)

    async def _conclude(self, end: JobChange) -> Outcome:
        sick = [a for a in self._state.allocs if self._is_sick(a)]
        await self.run.journalled("conclude", (end,))
        self.run.at(Boundary.CONCLUDED)
        self._tell()
        deployment = self._state.deployment
        if deployment is None or deployment.status is DeploymentStatus.SUCCESSFUL:
            return Outcome(key=self.key)
        return await self._failure(deployment.description, sick)

    def _is_sick(self, alloc: AllocRecord) -> bool:
        deployment = self._state.deployment
        return deployment is not None and alloc.deployment == deployment.id and not alloc.healthy

    async def _failure(self, why: str, sick: list[AllocRecord]) -> Outcome:
        details: list[str] = []
        log = ""
        for alloc in sick:
            reason = self.watch.why(alloc.id) or alloc.client_description
            self.run.tell(
                AllocationUnhealthy(time=self._now, job_id=self.job.id, alloc=alloc, reason=reason)
            )
            details.append(f"{alloc.name} on {alloc.node}: {reason}")
            log = log or await self._log(alloc)
        detail = "\n".join([why, *details])
        return Outcome(key=self.key, kind=OutcomeKind.FAILED, detail=detail, log=log)

    async def _log(self, alloc: AllocRecord) -> str:
        try:
            tails = [await self.run.fleet.tail(alloc, t, LOG_LINES) for t in ended_tasks(alloc)]
        except OrchError as e:
            return f"(the log could not be read: {e.message})"
        return "\n".join(t for t in tails if t)

    async def _broken(self, problems: list[tuple[Step, OrchError]]) -> Outcome:
        """A step failed: a host that is lost leaves the job incomplete, a refusal fails it."""
        lines = [f"{step.alloc.name}: {error.message}" for step, error in problems]
        hints = sorted({error.hint for _, error in problems if error.hint})
        detail = "\n".join([*lines, *hints])
        if all(isinstance(error, HostError) for _, error in problems):
            return Outcome(key=self.key, kind=OutcomeKind.INCOMPLETE, detail=detail)
        if active_deployment(self._state) is not None:
            await self.run.journalled("conclude", (unhealthy(self._state, self._now),))
            self.run.at(Boundary.CONCLUDED)
        return Outcome(key=self.key, kind=OutcomeKind.FAILED, detail=detail)

    async def _settled(self, plan: JobPlan) -> Outcome:
        """Nothing is left to do: record what runs, and say what could not be placed."""
        change = synced(self._state, self.run.observed, self._now)
        if change.allocs:
            await self.run.journalled("result", (change,))
        unplaced = [g.name for g in plan.groups if g.failure is not None]
        waiting = [c for c in plan.changes if not c.action.touches and "unknown" in c.reason]
        if not unplaced and not waiting:
            return Outcome(key=self.key)
        lines = [f'group "{name}": not every allocation could be placed' for name in unplaced]
        lines += [f"{c.name}: {c.reason}" for c in waiting]
        return Outcome(key=self.key, kind=OutcomeKind.INCOMPLETE, detail="\n".join(lines))

    def _say(self, event: type[_AllocationEvent], alloc: AllocRecord) -> None:
        self.run.tell(event(time=self._now, job_id=self.job.id, alloc=alloc))

    def _tell_evaluation(self) -> None:
        evaluation = self._state.evaluations[-1]
        self.run.tell(
            EvaluationStarted(
                time=self._now,
                evaluation=evaluation.id,
                job_id=self.job.id,
                triggered_by=evaluation.triggered_by,
                deployment=evaluation.deployment,
            )
        )

    def _tell_evaluated(self, plan: JobPlan) -> None:
        """Tell, once, what the first look placed and what it could not."""
        if self.evaluated:
            return
        self.evaluated = True
        self.run.tell(
            EvaluationFinished(
                time=self._now,
                evaluation=self._state.evaluations[-1].id,
                job_id=self.job.id,
                unplaced=tuple(
                    (g.name, g.failure.coalesced_failures + 1) for g in plan.groups if g.failure
                ),
            )
        )

    def _tell(self) -> None:
        deployment = self._state.deployment
        mine = self._state.evaluations[-1].deployment
        if deployment is not None and deployment.id == mine:
            self.run.tell(
                DeploymentUpdate(time=self._now, job_id=self.job.id, deployment=deployment)
            )
