"""What a person has told about recorded jobs, apart from what their files say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from gitops.planning import Look, told_to_stop
from planner.errors import ConflictError
from planner.intervention import carried
from planner.plan import Plan
from planner.recorded import JobState
from planner.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Why recorded jobs are driven on, and with what beside their specs.

    `expects` has the job modify indexes at which that was decided, by job; `stands` the modify
    indexes, where anything about a job matters, and not its spec alone. `trigger` is recorded
    as the cause, where it is not for the changes to say. `commits` are those that specs came from,
    by job. `migrates` are ids of allocations to stop, so that others take their place;
    `reschedules` are ids of failed ones to place again; `requests` are what is asked of
    deployments, by job. With `anyway` jobs are looked at, and that is recorded, though nothing is
    to change.
    """

    expects: Mapping[str, int] = field(default_factory=dict[str, int])
    stands: Mapping[str, int] = field(default_factory=dict[str, int])
    trigger: str = ""
    commits: Mapping[str, str] = field(default_factory=dict[str, str])
    migrates: frozenset[str] = frozenset()
    reschedules: frozenset[str] = frozenset()
    requests: Mapping[str, Request] = field(default_factory=dict[str, Request])
    anyway: bool = False

    def upon(self, look: Look) -> Look:
        """Return the look with allocations and deployments as somebody has told of them.

        Raises an `OrchError` where what is asked of a deployment can't be.
        """
        look = told_to_reschedule(told_to_stop(look, self.migrates), self.reschedules)
        return asked_of(look, self.requests)

    def noted(self, plan: Plan) -> Plan:
        """Return the plan with its cause; `ConflictError` where a job is another one by now."""
        for p in plan.jobs:
            spec_moved = self.expects.get(p.key, p.job_modify_index) != p.job_modify_index
            if spec_moved or self.stands.get(p.key, p.modify_index) != p.modify_index:
                raise ConflictError(
                    f"job {p.key!r} was changed by somebody else meanwhile; nothing was touched",
                    f"See 'orch history {p.key}', and decide again.",
                )
        jobs = (
            replace(
                p,
                trigger=self.trigger,
                commit=self.commits.get(p.key, ""),
                request=self.requests.get(p.key),
            )
            for p in plan.jobs
        )
        return replace(plan, jobs=tuple(jobs))


def asked_of(look: Look, requests: Mapping[str, Request]) -> Look:
    """Return the look in which these requests are carried out already."""
    if not requests:
        return look
    states = {key: look.recorded.job(key) for key in requests}
    jobs = {
        key: state.changed(carried(requests[key], state, look.now), state.modify_index)
        for key, state in states.items()
    }
    return replace(look, recorded=replace(look.recorded, jobs={**look.recorded.jobs, **jobs}))


def told_to_reschedule(look: Look, allocs: Collection[str]) -> Look:
    """Return the look in which these failed allocations are to be placed again."""
    if not allocs:
        return look
    jobs = {key: _marked(state, allocs) for key, state in look.recorded.jobs.items()}
    return replace(look, recorded=replace(look.recorded, jobs=jobs))


def _marked(state: JobState, allocs: Collection[str]) -> JobState:
    if not any(a.id in allocs for a in state.allocs):
        return state
    marked = (replace(a, force_reschedule=a.id in allocs) for a in state.allocs)
    return replace(state, allocs=tuple(marked))
