"""What a deployment may still wait for: a reschedule that is due later, room, a person. Pure."""

from __future__ import annotations

from planner.deployment import active_deployment, healthy_canaries, is_trying, promotes_itself
from planner.job import Job
from planner.plan import JobPlan
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
    DeploymentGroup,
    DeploymentStatus,
    Desired,
    JobState,
)
from planner.reschedule import due_at, is_due
from planner.system import TYPES


def is_manual(job: Job, alloc: AllocRecord) -> bool:
    """Whether only a person says that the allocation is healthy."""
    group = job.group(alloc.group)
    return group is not None and group.update is not None and group.update.health_check == "manual"


def hopeless(state: JobState, job: Job) -> AllocRecord | None:
    """Return an unhealthy allocation that fails the active deployment at once, if there is one.

    Others may be placed again, or are waited for until the deadline for progress.
    """
    deployment = active_deployment(state)
    if deployment is None:
        return None
    sick = (a for a in state.allocs if a.deployment == deployment.id and a.healthy is False)
    return next((a for a in sick if _is_hopeless(state, job, deployment, a)), None)


def _is_hopeless(state: JobState, job: Job, deployment: Deployment, alloc: AllocRecord) -> bool:
    progress = deployment.groups.get(alloc.group)
    if job.type in TYPES or progress is None or not progress.progress_deadline:
        return True
    if alloc.next:
        return False
    group = job.group(alloc.group)
    return due_at(state, alloc, group.reschedule_policy if group else None) is None


def next_due(state: JobState, job: Job, planned: int) -> int | None:
    """Return when (ns) the next failed allocation of the active deployment is placed again.

    What was due when the job was last planned, at `planned`, would have been placed then if there
    had been room for it.
    """
    deployment = active_deployment(state)
    if deployment is None or deployment.status is not DeploymentStatus.RUNNING:
        return None
    times = (
        due_at(state, a, group.reschedule_policy)
        for a in _failed(state, deployment)
        if (group := job.group(a.group)) is not None
    )
    later = (t for t in times if t is not None and not is_due(t, planned))
    return min(later, default=None)


def _failed(state: JobState, deployment: Deployment) -> list[AllocRecord]:
    return [
        a
        for a in state.allocs
        if a.deployment == deployment.id
        and a.desired is Desired.RUN
        and a.client is ClientStatus.FAILED
        and not a.next
    ]


def lingering(state: JobState) -> tuple[AllocRecord, ...]:
    """Return what is not healthy in the active deployment, and runs on all the same."""
    deployment = active_deployment(state)
    if deployment is None:
        return ()
    return tuple(
        a
        for a in state.allocs
        if a.deployment == deployment.id
        and a.healthy is False
        and a.desired is Desired.RUN
        and not a.client.terminal
    )


def in_suspense(state: JobState) -> tuple[AllocRecord, ...]:
    """Return what lingers until it ends, or the deadline for progress of its group does."""
    deployment = active_deployment(state)
    if deployment is None:
        return ()
    return tuple(a for a in lingering(state) if not is_satisfied(state, deployment, a.group))


def is_satisfied(state: JobState, deployment: Deployment, name: str) -> bool:
    """Whether a group's deadline for progress can't fail its deployment (any more)."""
    group = deployment.groups.get(name)
    if group is None or not group.progress_deadline or group.healthy >= group.desired_total:
        return True
    return is_trying(group) and _has_canaries(state, deployment, name, group)


def _has_canaries(
    state: JobState, deployment: Deployment, name: str, group: DeploymentGroup
) -> bool:
    return len(healthy_canaries(deployment, name, state.allocs)) >= group.desired_canaries


def has_canaries(state: JobState, deployment: Deployment) -> bool:
    """Whether every group that tries the version has all its canaries, and they are healthy."""
    tried = {n: g for n, g in deployment.groups.items() if is_trying(g)}
    return bool(tried) and all(_has_canaries(state, deployment, n, g) for n, g in tried.items())


def homeless(state: JobState, plan: JobPlan) -> tuple[str, ...]:
    """Return the groups that lack room, while that may fail the active deployment.

    As with Nomad the deadline for progress begins with a deployment's first placement; one that its
    host refused is none.
    """
    deployment = active_deployment(state)
    if deployment is None or deployment.status is not DeploymentStatus.RUNNING:
        return ()
    if not any(g.require_progress_by for g in deployment.groups.values()):
        return ()
    if not any(a.deployment == deployment.id for a in state.allocs):
        return ()
    lacking = (g.name for g in plan.groups if g.failure is not None)
    return tuple(n for n in lacking if not is_satisfied(state, deployment, n))


def is_paused(state: JobState) -> bool:
    """Whether somebody has told the active deployment to rest."""
    deployment = active_deployment(state)
    return deployment is not None and deployment.status is DeploymentStatus.PAUSED


def waits_for_person(state: JobState, job: Job) -> tuple[str, str] | None:
    """Say what of the active deployment only a person can decide, and by which command."""
    deployment = active_deployment(state)
    if deployment is None:
        return None
    short = deployment.id[:8]
    if is_paused(state):
        return "its deployment is paused", f"orch deployment resume {short}"
    if has_canaries(state, deployment) and not promotes_itself(deployment.groups):
        return "its canaries are healthy and wait for promotion", f"orch deployment promote {short}"
    manual = [a.name for a in _unjudged(state, deployment) if is_manual(job, a)]
    if manual:
        return f"{', '.join(manual)}: somebody has to say whether it is healthy", (
            f"orch deployment health {short} -healthy ALLOC"
        )
    return None


def _unjudged(state: JobState, deployment: Deployment) -> list[AllocRecord]:
    return [
        a
        for a in state.allocs
        if a.deployment == deployment.id and a.healthy is None and a.desired is Desired.RUN
    ]
