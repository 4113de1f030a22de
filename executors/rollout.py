"""Rolling one job out: waves as the planner decides them, each journalled before it happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from executors.boundary import Boundary
from executors.run import Run
from executors.watch import HealthWatch
from executors.wave import Problem, carried_out
from planner.decide import Wave
from planner.errors import OrchError
from planner.events import (
    AllocationUnhealthy,
    DeploymentUpdate,
    EvaluationFinished,
    EvaluationStarted,
)
from planner.job import SECOND, Job
from planner.observed import NodeStatus
from planner.plan import JobPlan
from planner.recorded import AllocRecord, DeploymentStatus, JobChange, JobState
from planner.steps import Start
from planner.verdict import (
    Judged,
    active_deployment,
    awaited,
    conclusion,
    ended_tasks,
    judged,
    out_of_time,
    synced,
    unhealthy,
)

# Lines of a failed task's log that are shown.
LOG_LINES = 20
# How often one apply starts an allocation of one name, refusals included.
MOST_STARTS = 6


class OutcomeKind(StrEnum):
    """How a job's rollout ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CONFLICT = "conflict"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one job's rollout, with what a person needs to go on."""

    key: str
    kind: OutcomeKind = OutcomeKind.DONE
    detail: str = ""
    log: str = ""


def interrupted(key: str) -> Outcome:
    """The end of a rollout that was asked to stop; what it has begun is recorded."""
    detail = "stopped as asked; an apply goes on with it"
    return Outcome(key=key, kind=OutcomeKind.INTERRUPTED, detail=detail)


@dataclass(slots=True, kw_only=True)
class Rollout:
    """Drives one job from its plan to its end."""

    run: Run
    key: str
    job: Job
    watch: HealthWatch = field(init=False)
    evaluated: bool = field(init=False, default=False)
    # how often hosts may turn out not to be as they were planned
    patience: int = field(init=False, default=3)
    # how often each name was started by this run
    starts: Counter[str] = field(init=False, default_factory=Counter[str])

    def __post_init__(self) -> None:
        self.watch = HealthWatch(run=self.run)

    async def drive(self) -> Outcome:
        """Go wave by wave until nothing is left to do; return how it ended."""
        self._tell_evaluation()
        progress = self.run.clock.monotonic()
        while True:
            if self.run.stopping():
                return interrupted(self.key)
            plan, wave = await self.run.next_wave(self.key, self.job)
            problems = await self._carry_out(plan, wave)
            if (end := await self._ended(plan, wave, problems)) is not None:
                return end
            if awaited(self._state):
                if not await self._verdicts(progress):
                    return await self._conclude(out_of_time(self._state, self._now))
                if self.watch.lost:
                    return self._unseen()
                progress = self.run.clock.monotonic()
            elif not wave.chains:
                return await self._settled(plan)

    async def _carry_out(self, plan: JobPlan, wave: Wave) -> list[Problem]:
        """Carry the wave out; return what failed, unless planning anew may mend it."""
        problems = await carried_out(self.run, self.key, wave) if wave.chains else []
        self._tell_evaluated(plan)
        self._tell()
        if problems and self.patience > 0 and all(p.is_moved for p in problems):
            self.patience -= 1
            return []
        return problems

    async def _ended(self, plan: JobPlan, wave: Wave, problems: list[Problem]) -> Outcome | None:
        """Return the end of the rollout if this wave brought it."""
        if problems:
            return await self._broken(problems)
        return self._restless(wave) or await self._concluded(plan)

    def _restless(self, wave: Wave) -> Outcome | None:
        """Give up on a name that was started over and over: what runs does not stay."""
        starts = [s for c in wave.chains for s in c if isinstance(s, Start)]
        self.starts.update(s.alloc.name for s in starts)
        often = [name for name, n in self.starts.items() if n > MOST_STARTS]
        if not often:
            return None
        detail = f"{', '.join(often)}: started {MOST_STARTS} times, and ended each time"
        return Outcome(key=self.key, kind=OutcomeKind.INCOMPLETE, detail=detail)

    @property
    def _state(self) -> JobState:
        return self.run.state(self.key)

    @property
    def _now(self) -> int:
        return self.run.clock.now()

    # ── health ───────────────────────────────────────────────────────────────────────────────

    async def _verdicts(self, progress: float) -> bool:
        """Watch until a verdict is reached, or the run is to stop.

        False when the deadline for progress is over first.
        """
        limit = self._progress_limit()
        while True:
            verdicts = await self.watch.look(self.job, awaited(self._state))
            if verdicts:
                await self._take_in(verdicts)
            if verdicts or self.watch.lost or self.run.stopping():
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

    def _unseen(self) -> Outcome:
        """Hosts stopped answering: their allocations are unknown, and the deployment goes on."""
        lines = [f"{name}: {why}" for name, why in sorted(self.watch.lost.items())]
        detail = "\n".join([*lines, "Apply again when the hosts answer: the deployment goes on."])
        return Outcome(key=self.key, kind=OutcomeKind.INCOMPLETE, detail=detail)

    async def _broken(self, problems: list[Problem]) -> Outcome:
        """Steps failed: what a later apply can mend leaves the job incomplete, else it failed."""
        lines = [f"{p.step.alloc.name}: {p.error.message}" for p in problems]
        hints = sorted({p.error.hint for p in problems if p.error.hint})
        detail = "\n".join([*lines, *hints])
        if any(p.is_lost for p in problems) or all(p.is_moved for p in problems):
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
        if plan.failed:
            deployment = self._state.deployment
            why = deployment.description if deployment else ""
            return Outcome(key=self.key, kind=OutcomeKind.FAILED, detail=why)
        unplaced = [g.name for g in plan.groups if g.failure is not None]
        unknown = NodeStatus.UNKNOWN
        waiting = [c for c in plan.changes if c.node and self.run.node(c.node).status is unknown]
        if not unplaced and not waiting:
            return Outcome(key=self.key)
        lines = [f'group "{name}": not every allocation could be placed' for name in unplaced]
        lines += [f"{c.name}: {c.reason}" for c in waiting if c.node not in self.run.losses]
        lines += [why for _, why in sorted(self.run.losses.items())]
        return Outcome(key=self.key, kind=OutcomeKind.INCOMPLETE, detail="\n".join(lines))

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
                unplaced=tuple((g.name, g.failure) for g in plan.groups if g.failure),
            )
        )

    def _tell(self) -> None:
        deployment = self._state.deployment
        mine = self._state.evaluations[-1].deployment
        if deployment is not None and deployment.id == mine:
            self.run.tell(
                DeploymentUpdate(time=self._now, job_id=self.job.id, deployment=deployment)
            )
