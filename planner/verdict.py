"""What looks at hosts mean for the records: allocations' health, and a deployment's end."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from planner.client import client_description, client_status
from planner.deployment import (
    NEEDS_PROMOTION,
    active_deployment,
    is_trying,
    promotes_itself,
    tallied,
)
from planner.health import Health
from planner.intervention import promoted
from planner.job import Job
from planner.observed import NodeStatus, Observed, TaskPhase
from planner.patience import has_canaries, hopeless, is_manual
from planner.plan import JobPlan
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
    DeploymentGroup,
    DeploymentStatus,
    Desired,
    JobChange,
    JobState,
)
from planner.request import Answer
from planner.system import TYPES
from planner.way_back import WayBack, way_back

SUCCESSFUL = "Deployment completed successfully"
UNHEALTHY = "Failed due to unhealthy allocations"
NO_PROGRESS = "Failed due to progress deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict on one allocation, reached at `time` (ns); `tasks` says of which it is, and why."""

    health: Health
    time: int
    tasks: Mapping[str, str] = field(default_factory=dict[str, str])


def awaited(state: JobState, job: Job) -> tuple[AllocRecord, ...]:
    """Return the allocations whose health the active deployment waits for, and that are watched."""
    deployment = active_deployment(state)
    if deployment is None:
        return ()
    return tuple(
        a
        for a in state.allocs
        if a.deployment == deployment.id
        and a.healthy is None
        and a.desired is Desired.RUN
        and not is_manual(job, a)
    )


def synced(state: JobState, observed: Observed, now: int) -> JobChange:
    """Return what the hosts show of the job's allocations, where the records do not have it yet."""
    changed = [new for old in state.allocs if (new := _synced(old, observed, now)) is not old]
    return JobChange(key=state.key, allocs=tuple(changed))


def _synced(old: AllocRecord, observed: Observed, now: int) -> AllocRecord:
    seen = observed.allocs.get(old.id)
    node = observed.nodes.get(old.node)
    if node is None or node.status is NodeStatus.UNKNOWN:
        return old
    if seen is None and node.status is not NodeStatus.DOWN:
        return old
    client = client_status(old, seen, node.status)
    tasks = seen.tasks if seen is not None else old.tasks
    if client is old.client and dict(tasks) == dict(old.tasks):
        return old
    return replace(
        old,
        client=client,
        client_description=client_description(client),
        tasks=tasks,
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


def advanced(state: JobState, job: Job, now: int) -> JobChange | None:
    """Return what follows once every canary is healthy: they are promoted, or wait for that."""
    deployment = active_deployment(state)
    if deployment is None or not has_canaries(state, deployment):
        return None
    is_running = deployment.status is DeploymentStatus.RUNNING
    if is_running and promotes_itself(deployment.groups):
        return promoted(state, deployment, now)
    if not is_running or job.type not in TYPES or deployment.description == NEEDS_PROMOTION:
        return None
    waiting = replace(deployment, description=NEEDS_PROMOTION, modified=now)
    return JobChange(key=state.key, deployments=(waiting,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The end of a deployment; `way` says where its job goes from there if it has failed.

    `answers` are to whoever asked for the end, where somebody did.
    """

    key: str
    deployment: Deployment
    way: WayBack = field(default_factory=WayBack)
    answers: tuple[Answer, ...] = ()

    def change(self, *, goes_back: bool = True) -> JobChange:
        """Return what is to be recorded; without `goes_back` the job stays with the version."""
        ended = self.deployment
        if ended.status is DeploymentStatus.SUCCESSFUL:
            return JobChange(key=self.key, deployments=(ended,), stable=ended.job_version)
        told = self.way.told if goes_back or self.way.version is None else ""
        ended = replace(ended, description=ended.description + told)
        return JobChange(key=self.key, deployments=(ended,), answers=self.answers)


def conclusion(plan: JobPlan, state: JobState, now: int) -> Conclusion | None:
    """Return the end of the active deployment if it has come: success, or failure.

    An unhealthy allocation fails it that may not be placed again.
    """
    deployment = active_deployment(state)
    if deployment is None:
        return None
    if (sick := hopeless(state, plan.job)) is not None:
        return _failed(state, deployment, UNHEALTHY, now, [sick.group])
    complete = all(_is_complete(plan, state, n, g) for n, g in deployment.groups.items())
    waits = any(a.deployment == deployment.id and a.healthy is None for a in _decided(state))
    if complete and not any(c.action.touches for c in plan.changes) and not waits:
        done = replace(
            deployment, status=DeploymentStatus.SUCCESSFUL, description=SUCCESSFUL, modified=now
        )
        return Conclusion(key=state.key, deployment=done)
    return None


def _is_complete(plan: JobPlan, state: JobState, name: str, group: DeploymentGroup) -> bool:
    wanted = max(group.desired_total, group.desired_canaries)
    if plan.job.type in TYPES:
        # Nodes may be lost or leave meanwhile; theirs is not waited for.
        live = sum(a.group == name and not a.client.terminal for a in _decided(state))
        wanted = min(wanted, live)
    return group.healthy >= wanted and not is_trying(group)


def _decided(state: JobState) -> Iterator[AllocRecord]:
    return (a for a in state.allocs if a.desired is Desired.RUN)


def out_of_time(state: JobState, groups: Collection[str], now: int) -> Conclusion | None:
    """Return the failure of the active deployment for want of progress of those groups."""
    deployment = active_deployment(state)
    return _failed(state, deployment, NO_PROGRESS, now, groups) if deployment else None


def unhealthy(state: JobState, groups: Collection[str], now: int) -> Conclusion | None:
    """Return the failure of the active deployment for an allocation that is not well."""
    deployment = active_deployment(state)
    return _failed(state, deployment, UNHEALTHY, now, groups) if deployment else None


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


def _failed(
    state: JobState, deployment: Deployment, why: str, now: int, groups: Collection[str]
) -> Conclusion:
    failed = replace(deployment, status=DeploymentStatus.FAILED, description=why, modified=now)
    return Conclusion(key=state.key, deployment=failed, way=way_back(state, deployment, groups))


def ended_tasks(alloc: AllocRecord) -> tuple[str, ...]:
    """Return the names of tasks whose log says why the allocation is not well."""
    dead = [n for n, t in alloc.tasks.items() if t.state is TaskPhase.DEAD or t.restarts]
    return tuple(dead or alloc.tasks)
