"""The ends of a rollout in words: what failed and why, what is left, what is waited for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from executors.outcome import Outcome, OutcomeKind
from executors.run import Run
from executors.watch import HealthWatch
from executors.wave import Problem
from planner.errors import OrchError
from planner.events import AllocationUnhealthy
from planner.job import Job
from planner.observed import NodeStatus
from planner.patience import waits_for_person
from planner.plan import JobPlan
from planner.recorded import AllocRecord, Desired, JobState, JobVersion
from planner.verdict import ended_tasks

# Lines of a failed task's log that are shown.
LOG_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Puts the ends of one job's rollout into words."""

    run: Run
    key: str
    job: Job
    watch: HealthWatch

    @property
    def _state(self) -> JobState:
        return self.run.state(self.key)

    def sick(self) -> list[AllocRecord]:
        """Return what is not healthy of the latest deployment."""
        deployment = self._state.deployment
        mine = (a for a in self._state.allocs if deployment and a.deployment == deployment.id)
        return [a for a in mine if not a.healthy]

    async def failure(
        self, why: str, sick: list[AllocRecord], homeless: Collection[str]
    ) -> Outcome:
        """The deployment failed: tell of each allocation why, and how a task's log ends.

        `homeless` are groups that lacked room to the end.
        """
        details = [_unplaced(name) for name in homeless]
        log = ""
        for alloc in sick:
            reason = self.watch.why(alloc.id) or alloc.client_description
            now = self.run.clock.now()
            self.run.tell(
                AllocationUnhealthy(time=now, job_id=self.job.id, alloc=alloc, reason=reason)
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

    def unseen(self) -> Outcome:
        """Hosts stopped answering: their allocations are unknown, and the deployment goes on."""
        lines = [f"{name}: {why}" for name, why in sorted(self.watch.lost.items())]
        lines.append("Apply again when the hosts answer: the deployment goes on.")
        return self._incomplete(lines)

    def restless(self, often: list[str], most: int) -> Outcome:
        """Names were started over and over, and what runs does not stay."""
        return self._incomplete([f"{', '.join(often)}: started {most} times, and ended each time"])

    def broken(self, problems: list[Problem]) -> Outcome:
        """Steps failed: what a later apply can mend leaves the job incomplete, else it failed."""
        lines = [f"{p.step.alloc.name}: {p.error.message}" for p in problems]
        lines += sorted({p.error.hint for p in problems if p.error.hint})
        if any(p.is_lost for p in problems) or all(p.is_moved for p in problems):
            return self._incomplete(lines)
        return Outcome(key=self.key, kind=OutcomeKind.FAILED, detail="\n".join(lines))

    def settled(self, plan: JobPlan) -> Outcome:
        """Nothing is left to do: say what could not be placed, and who is waited for."""
        if plan.failed:
            deployment = self._state.deployment
            why = deployment.description if deployment else ""
            return Outcome(key=self.key, kind=OutcomeKind.FAILED, detail=why)
        unplaced = [g.name for g in plan.groups if g.failure is not None]
        unknown = NodeStatus.UNKNOWN
        waiting = [c for c in plan.changes if c.node and self.run.node(c.node).status is unknown]
        person = waits_for_person(self._state, self.job)
        unwell = [] if person else self._unwell()
        if not unplaced and not waiting and not person and not unwell:
            return Outcome(key=self.key)
        lines = [_unplaced(name) for name in unplaced]
        lines += unwell
        lines += [f"{c.name}: {c.reason}" for c in waiting if c.node not in self.run.losses]
        lines += [why for _, why in sorted(self.run.losses.items())]
        return self._incomplete([*lines, *([f"{person[0]}\nGo on: {person[1]}"] if person else [])])

    def _unwell(self) -> list[str]:
        """Say what runs without being healthy, though enough others were for the deployment."""
        runs = (a for a in self.sick() if a.desired is Desired.RUN and not a.client.terminal)
        whys = ((a, self.watch.why(a.id) or "see its log") for a in runs if a.healthy is False)
        return [f"{a.name} on {a.node} runs, and is not healthy: {why}" for a, why in whys]

    def _incomplete(self, lines: list[str]) -> Outcome:
        return Outcome(key=self.key, kind=OutcomeKind.INCOMPLETE, detail="\n".join(lines))


def _unplaced(group: str) -> str:
    return f'group "{group}": not every allocation could be placed'


def no_values(version: JobVersion) -> str:
    """Say why a job does not go back to a version."""
    return f"Not rolled back to version {version.version}: its sensitive values are not at hand."
