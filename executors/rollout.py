"""Rolling one job out: waves as the planner decides them, each journalled before it happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from executors.boundary import Boundary
from executors.ending import Ending, no_values
from executors.outcome import Outcome, OutcomeKind, after_failures, interrupted
from executors.run import Run
from executors.waiting import News, Waiting
from executors.watch import HealthWatch
from executors.wave import Problem, carried_out
from planner.answering import answered
from planner.decide import Wave
from planner.events import DeploymentUpdate, EvaluationFinished, EvaluationStarted, Message
from planner.job import Job
from planner.patience import homeless, is_paused
from planner.plan import JobPlan
from planner.recorded import DeploymentStatus, JobState, JobVersion
from planner.steps import Start
from planner.verdict import Conclusion, conclusion, out_of_time, synced, unhealthy

# How often one apply starts an allocation of one name, refusals included.
MOST_STARTS = 6


@dataclass(slots=True, kw_only=True)
class Rollout:
    """Drives one job from its plan to its end."""

    run: Run
    key: str
    job: Job
    watch: HealthWatch = field(init=False)
    waiting: Waiting = field(init=False)
    evaluated: bool = field(init=False, default=False)
    # how often hosts may turn out not to be as they were planned
    patience: int = field(init=False, default=3)
    # how deployments failed; what is left to do for that is done before it is told
    failures: list[Outcome] = field(init=False, default_factory=list[Outcome])
    # how often each name was started by this run, reschedules aside
    starts: Counter[str] = field(init=False, default_factory=Counter[str])

    def __post_init__(self) -> None:
        self._watch_anew()

    def _watch_anew(self) -> None:
        self.watch = HealthWatch(run=self.run, restarting=True)
        self.waiting = Waiting(run=self.run, key=self.key, watch=self.watch)

    async def drive(self) -> Outcome:
        """Go wave by wave until nothing is left to do; return how it ended."""
        self._tell_evaluation()
        while True:
            if self.run.stopping():
                return interrupted(self.key)
            await self._answer()
            self.waiting.planned = self.run.clock.now()
            plan, wave = await self.run.next_wave(self.key, self.job)
            failures = len(self.failures)
            problems = await self._carry_out(plan, wave)
            end = await self._ended(plan, wave, problems)
            if end is None and len(self.failures) == failures:
                end = await self._waited(plan, wave)
            if end is not None:
                return after_failures(self.failures, end)

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
        await self._conclude(conclusion(plan, self._state, self.run.clock.now()))
        return self._restless(wave)

    async def _waited(self, plan: JobPlan, wave: Wave) -> Outcome | None:
        """Wait for what is to be planned for; return the end of the rollout if that came first.

        What is placed anew while the deployment is paused is for whoever resumes it: tasks that
        crash for ever would keep an apply for ever.
        """
        if wave.chains and is_paused(self._state):
            return await self._settled(plan)
        self.waiting.room.wanted(homeless(self._state, plan))
        news = await self.waiting.news(self.job)
        self._tell()
        if news is News.OVERDUE:
            await self._conclude(out_of_time(self._state, self.waiting.late, self.run.clock.now()))
            return None
        if news is News.UNSEEN:
            return self._ending.unseen()
        if news is News.CHANGED or wave.chains:
            return None
        return await self._settled(plan)

    def _restless(self, wave: Wave) -> Outcome | None:
        """Give up on a name that was started over and over: what runs does not stay."""
        starts = [s for c in wave.chains for s in c if isinstance(s, Start)]
        self.starts.update(s.alloc.name for s in starts if not s.alloc.reschedules)
        often = [name for name, n in self.starts.items() if n > MOST_STARTS]
        return self._ending.restless(often, MOST_STARTS) if often else None

    @property
    def _state(self) -> JobState:
        return self.run.state(self.key)

    @property
    def _ending(self) -> Ending:
        return Ending(run=self.run, key=self.key, job=self.job, watch=self.watch)

    async def _answer(self) -> None:
        """Do what somebody has asked of the deployment, or refuse it, each once."""
        while self._state.requests:
            now = self.run.clock.now()
            answers = answered(self._state, self.job, now)
            if answers.changes:
                await self.run.journalled("answer", answers.changes)
            for line in answers.told:
                self.run.tell(Message(time=now, text=line))
            await self._conclude(answers.end)
            self.run.at(Boundary.ANSWERED)

    # ── ends ─────────────────────────────────────────────────────────────────────────────────

    async def _conclude(self, end: Conclusion | None) -> None:
        """Record the end of the deployment, which need not be that of the rollout.

        Canaries of one that failed are still to be stopped, and its job may go back; beside one
        that was successful there may be what waits on an unknown host.
        """
        if end is None:
            return
        sick, lacking = self._ending.sick(), self.waiting.room.groups
        if end.answers:
            # What somebody has ended need not be unwell.
            sick, lacking = [], ()
        back = await self._end_deployment(end)
        if end.deployment.status is not DeploymentStatus.SUCCESSFUL:
            told = end.change(goes_back=back is not None).deployments[0].description
            self._failed(await self._ending.failure(told, sick, lacking), end, back)

    async def _end_deployment(self, end: Conclusion) -> JobVersion | None:
        """Record the end of the deployment; return the version that the job goes back to."""
        version = end.way.version
        back = version if version is not None and self.run.can_open(version.job) else None
        change = end.change(goes_back=back is not None)
        if back is not None:
            await self.run.went_back(self.key, change, back)
        else:
            await self.run.journalled("conclude", (change,))
        self.run.at(Boundary.CONCLUDED)
        (ended,) = change.deployments
        now = self.run.clock.now()
        self.run.tell(DeploymentUpdate(time=now, job_id=self.job.id, deployment=ended))
        return back

    def _failed(self, failure: Outcome, end: Conclusion, back: JobVersion | None) -> None:
        """Remember a failure, and turn to the version that the job goes back to."""
        if back is None:
            lost = end.way.version
            detail = f"{failure.detail}\n{no_values(lost)}" if lost else failure.detail
            self.failures.append(replace(failure, detail=detail))
            return
        self.failures.append(replace(failure, rolled_back_to=back.version))
        self.job = back.job
        self.evaluated = False
        self.starts.clear()
        self._watch_anew()
        self._tell_evaluation()

    async def _broken(self, problems: list[Problem]) -> Outcome | None:
        """Steps failed: unless a later apply can mend that, so has the deployment."""
        outcome = self._ending.broken(problems)
        groups = {p.step.alloc.group for p in problems}
        end = unhealthy(self._state, groups, self.run.clock.now())
        if outcome.kind is not OutcomeKind.FAILED or end is None:
            return outcome
        self._failed(outcome, end, await self._end_deployment(end))
        return None

    async def _settled(self, plan: JobPlan) -> Outcome:
        """Nothing is left to do: record what runs, and tell how it ended."""
        change = synced(self._state, self.run.observed, self.run.clock.now())
        if change.allocs:
            await self.run.journalled("result", (change,))
        return self._ending.settled(plan)

    def _tell_evaluation(self) -> None:
        evaluation = self._state.evaluations[-1]
        self.run.tell(
            EvaluationStarted(
                time=self.run.clock.now(),
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
                time=self.run.clock.now(),
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
                DeploymentUpdate(
                    time=self.run.clock.now(), job_id=self.job.id, deployment=deployment
                )
            )
