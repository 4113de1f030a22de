"""What looks at hosts mean for the records: allocations' health, and a deployment's end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from planner.client import client_description, client_status
from planner.decide import tallied
from planner.health import Health
from planner.job import Job
from planner.observed import NodeStatus, Observed, TaskPhase
from planner.plan import JobPlan
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
    DeploymentStatus,
    Desired,
    JobChange,
    JobState,
)

SUCCESSFUL = "Deployment completed successfully"
UNHEALTHY = "Failed due to unhealthy allocations"
NO_PROGRESS = "Failed due to progress deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict on one allocation, reached at `time` (ns); `tasks` says of which it is, and why."""

    health: Health
    time: int
    tasks: Mapping[str, str] = field(default_factory=dict[str, str])


def active_deployment(state: JobState) -> Deployment | None:
    """Return the job's deployment if it still goes on."""
    deployment = state.deployment
    return deployment if deployment is not None and deployment.status.active else None


def awaited(state: JobState) -> tuple[AllocRecord, ...]:
    """Return the allocations whose health the active deployment waits for."""
    deployment = active_deployment(state)
    if deployment is None:
        return ()
    return tuple(
        a
        for a in state.allocs
        if a.deployment == deployment.id and a.healthy is None and a.desired is Desired.RUN
    )


def synced(state: JobState, observed: Observed, now: int) -> JobChange:
    """Return what the hosts show of the job's allocations, where the records do not have it yet."""
    changed = [new for old in state.allocs if (new := _synced(old, observed, now)) is not old]
    return JobChange(key=state.key, allocs=tuple(changed))


def _synced(old: AllocRecord, observed: Observed, now: int) -> AllocRecord:
    seen = observed.allocs.get(old.id)
    node = observed.nodes.get(old.node)
    if seen is None or node is None or node.status is NodeStatus.UNKNOWN:
        return old
    client = client_status(old, seen, node.status)
    if client is old.client and dict(seen.tasks) == dict(old.tasks):
        return old
    return replace(
        old,
        client=client,
        client_description=client_description(client),
        tasks=seen.tasks,
        modified=now if client is not old.client else old.modified,
    )


def judged(state: JobState, verdicts: Mapping[str, Judged], job: Job, now: int) -> JobChange:
    """Return the records with those verdicts, and the deployment's new counts."""
    allocs = tuple(
        replace(
            a,
            healthy=verdict.health is Health.HEALTHY,
            healthy_at=verdict.time,
            modified=verdict.time,
            unhealthy=verdict.tasks,
        )
        for a in state.allocs
        if (verdict := verdicts.get(a.id)) is not None
    )
    change = JobChange(key=state.key, allocs=allocs)
    deployment = active_deployment(state)
    if deployment is None:
        return change
    after = state.changed(change, state.modify_index).allocs
    return replace(change, deployments=(tallied(deployment, after, job, now),))


def conclusion(plan: JobPlan, state: JobState, now: int) -> JobChange | None:
    """Return the end of the active deployment if it has come: success, or failure.

    Any unhealthy allocation fails it, and so does a deadline for progress that is over.
    """
    deployment = active_deployment(state)
    if deployment is None:
        return None
    if any(g.unhealthy for g in deployment.groups.values()):
        return _failed(state, deployment, UNHEALTHY, now)
    complete = all(g.healthy >= g.desired_total for g in deployment.groups.values())
    if complete and not any(c.action.touches for c in plan.changes) and not awaited(state):
        done = replace(
            deployment, status=DeploymentStatus.SUCCESSFUL, description=SUCCESSFUL, modified=now
        )
        return JobChange(key=state.key, deployments=(done,), stable=deployment.job_version)
    return None


def out_of_time(state: JobState, now: int) -> JobChange:
    """Return the failure of the active deployment for want of progress."""
    deployment = active_deployment(state)
    if deployment is None:
        return JobChange(key=state.key)
    return _failed(state, deployment, NO_PROGRESS, now)


def unhealthy(state: JobState, now: int) -> JobChange:
    """Return the failure of the active deployment for an allocation that is not well."""
    deployment = active_deployment(state)
    if deployment is None:
        return JobChange(key=state.key)
    return _failed(state, deployment, UNHEALTHY, now)


def refused_start(record: AllocRecord, why: str, *, counts: bool) -> AllocRecord:
    """Return the record of an allocation that its host refused: it never ran and never will.

    `counts` makes it a failure of its deployment; otherwise its name is free for another try.
    """
    failed = replace(record, client=ClientStatus.FAILED, client_description=why)
    if counts:
        return replace(failed, healthy=False)
    return replace(
        failed, desired=Desired.STOP, desired_description="host refused it", deployment=""
    )


def not_stopped(record: AllocRecord) -> AllocRecord:
    """Return the record of an allocation whose host refused to stop it: it goes on as it was."""
    return replace(record, desired=Desired.RUN, desired_description="", next="")


def _failed(state: JobState, deployment: Deployment, why: str, now: int) -> JobChange:
    failed = replace(deployment, status=DeploymentStatus.FAILED, description=why, modified=now)
    return JobChange(key=state.key, deployments=(failed,))


def ended_tasks(alloc: AllocRecord) -> tuple[str, ...]:
    """Return the names of tasks whose log says why the allocation is not well."""
    dead = [n for n, t in alloc.tasks.items() if t.state is TaskPhase.DEAD or t.restarts]
    return tuple(dead or alloc.tasks)
