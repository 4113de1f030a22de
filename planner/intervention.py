"""What a person decides about a deployment that goes on: promote, fail, pause, resume. Pure.

Each function returns what is to be recorded, or raises an `OrchError` with the reason why not.
Times are in ns.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from planner.deployment import PAUSED, description, healthy_canaries, is_trying, tallied
from planner.errors import OrchError
from planner.recorded import Deployment, DeploymentStatus, JobChange, JobState
from planner.request import Answer, Request, Verb
from planner.way_back import way_back

FAILED_BY_HAND = "Deployment marked as failed"


def carried(request: Request, state: JobState, now: int) -> JobChange:
    """Return what a request comes to for the deployment that it names, at `now`.

    One that waits in the ledger is answered with it. Raises an `OrchError` where that can't be.
    """
    change = _change(request, state, meant(request, state), now)
    if any(r.id == request.id for r in state.requests):
        return replace(change, answers=(Answer(id=request.id, time=now),))
    return change


def _change(request: Request, state: JobState, deployment: Deployment, now: int) -> JobChange:
    match request.verb:
        case Verb.PROMOTE:
            return promoted(state, deployment, now, request.groups)
        case Verb.FAIL:
            return failed_by_hand(state, deployment, now)
        case Verb.PAUSE:
            return paused(state, deployment, now)
        case Verb.RESUME:
            return resumed(state, deployment, now)
        case Verb.HEALTH:
            return health_set(state, deployment, request, now)


def meant(request: Request, state: JobState) -> Deployment:
    """Return the deployment that a request names; `OrchError` where the job has none such."""
    deployment = next((d for d in state.deployments if d.id == request.deployment), None)
    if deployment is None:
        raise OrchError(f'job "{state.key}" has no deployment {request.deployment[:8]}')
    return deployment


def promoted(
    state: JobState, deployment: Deployment, now: int, groups: Collection[str] = ()
) -> JobChange:
    """Find the canaries of those groups good, or of all: they become what others are replaced by.

    Raises an `OrchError` where the deployment is over, has no canaries, or some are not healthy.
    """
    _refuse_ended(deployment, "promote")
    chosen = _to_promote(deployment, groups)
    for name in chosen:
        _refuse_sick(state, deployment, name)
    progress = {
        name: replace(
            group,
            promoted=True,
            require_progress_by=now + group.progress_deadline if group.progress_deadline else 0,
        )
        if name in chosen
        else group
        for name, group in deployment.groups.items()
    }
    is_paused = deployment.status is DeploymentStatus.PAUSED
    after = replace(
        deployment,
        groups=progress,
        description=deployment.description if is_paused else description(progress),
        modified=now,
    )
    return JobChange(
        key=state.key,
        allocs=tuple(
            replace(a, canary=False, modified=now)
            for a in state.allocs
            if a.canary and a.deployment == deployment.id and a.group in chosen
        ),
        deployments=(after,),
    )


def failed_by_hand(state: JobState, deployment: Deployment, now: int) -> JobChange:
    """End the deployment as failed, and say where its job goes back to.

    Raises an `OrchError` where it is over.
    """
    failed = ended_by_hand(deployment, now)
    told = failed.description + way_back(state, deployment).told
    return JobChange(key=state.key, deployments=(replace(failed, description=told),))


def ended_by_hand(deployment: Deployment, now: int) -> Deployment:
    """Return the deployment as failed, without a word of where its job goes from there.

    Raises an `OrchError` where it is over.
    """
    _refuse_ended(deployment, "fail")
    return replace(
        deployment,
        status=DeploymentStatus.FAILED,
        description=FAILED_BY_HAND,
        modified=now,
    )


def paused(state: JobState, deployment: Deployment, now: int) -> JobChange:
    """Let the deployment rest. Raises an `OrchError` where it is over; twice is as good as once."""
    _refuse_ended(deployment, "pause")
    resting = replace(deployment, status=DeploymentStatus.PAUSED, description=PAUSED, modified=now)
    return JobChange(key=state.key, deployments=(resting,))


def resumed(state: JobState, deployment: Deployment, now: int) -> JobChange:
    """Let the deployment go on. Raises an `OrchError` where it is over."""
    _refuse_ended(deployment, "resume")
    going = replace(
        deployment,
        status=DeploymentStatus.RUNNING,
        description=description(deployment.groups),
        modified=now,
    )
    return JobChange(key=state.key, deployments=(going,))


def health_set(state: JobState, deployment: Deployment, request: Request, now: int) -> JobChange:
    """Take a person's word for the health of allocations of the deployment.

    Raises an `OrchError` where the deployment is over, or an allocation is none of its own.
    """
    _refuse_ended(deployment, "set health of")
    said = {**dict.fromkeys(request.healthy, True), **dict.fromkeys(request.unhealthy, False)}
    mine = {a.id for a in state.allocs if a.deployment == deployment.id}
    if others := sorted(set(said) - mine):
        raise OrchError(f"allocation {others[0][:8]} is none of deployment {deployment.id[:8]}")
    allocs = tuple(
        replace(a, healthy=said[a.id], healthy_at=now, modified=now)
        for a in state.allocs
        if a.id in said
    )
    version = state.version(deployment.job_version)
    after = state.changed(JobChange(key=state.key, allocs=allocs), state.modify_index).allocs
    counted = tallied(deployment, after, version.job, now) if version else deployment
    return JobChange(key=state.key, allocs=allocs, deployments=(counted,))


def _refuse_ended(deployment: Deployment, verb: str) -> None:
    if not deployment.status.active:
        raise OrchError(
            f"can't {verb} terminal deployment",
            f"It is {deployment.status}: {deployment.description}.",
        )


def _to_promote(deployment: Deployment, groups: Collection[str]) -> list[str]:
    for name in groups:
        if name not in deployment.groups:
            known = ", ".join(sorted(deployment.groups))
            raise OrchError(f'no group "{name}" in this deployment', f"Its groups: {known}.")
    waiting = [
        n for n, g in deployment.groups.items() if is_trying(g) and (not groups or n in groups)
    ]
    if not waiting:
        raise OrchError(
            "no canaries to promote",
            "Nothing in this deployment waits for a promotion.",
        )
    return waiting


def _refuse_sick(state: JobState, deployment: Deployment, name: str) -> None:
    wanted = deployment.groups[name].desired_canaries
    healthy = len(healthy_canaries(deployment, name, state.allocs))
    if healthy < wanted:
        raise OrchError(
            f'group "{name}" has {healthy} of {wanted} healthy canaries',
            "Canaries are promoted when all of them are healthy.",
        )
