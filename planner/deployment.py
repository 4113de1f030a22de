"""The rolling out of one version as a value: what it begins with, its counts, its description."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from planner.action import Action
from planner.job import Job, TaskGroup
from planner.plan import GroupPlan, JobPlan
from planner.recorded import AllocRecord, Deployment, DeploymentGroup, JobState
from planner.system import TYPES

RUNNING = "Deployment is running"
NEEDS_PROMOTION = "Deployment is running but requires manual promotion"
PROMOTES_ITSELF = "Deployment is running pending automatic promotion"
PAUSED = "Deployment is paused"


def active_deployment(state: JobState) -> Deployment | None:
    """Return the job's deployment if it still goes on."""
    deployment = state.deployment
    return deployment if deployment is not None and deployment.status.active else None


def begun(
    plan: JobPlan, state: JobState, version: int, *, ids: Callable[[], str], now: int
) -> Deployment | None:
    """Return the deployment that a plan begins, at `now` in ns; None where it makes none.

    `ids` draws its id.
    """
    groups = {
        g.name: _begun_group(plan, g, spec, _settled(state, g, version))
        for g in plan.groups
        if (spec := plan.job.group(g.name)) is not None and _deploys(plan, state, g, version)
    }
    if not groups or plan.job.stop or plan.resumes:
        return None
    # The canaries of a system job are counted once they are there.
    waits = plan.job.type not in TYPES
    return Deployment(
        id=ids(),
        job_version=version,
        description=description(groups) if waits else RUNNING,
        groups=groups,
        created=now,
        modified=now,
    )


def description(groups: Mapping[str, DeploymentGroup]) -> str:
    """Say what a running deployment is waiting for."""
    trying = [g for g in groups.values() if is_trying(g)]
    if not trying:
        return RUNNING
    return PROMOTES_ITSELF if promotes_itself(groups) else NEEDS_PROMOTION


def promotes_itself(groups: Mapping[str, DeploymentGroup]) -> bool:
    """Whether canaries are promoted as soon as all of them are healthy, in every group with any."""
    tried = [g for g in groups.values() if g.desired_canaries]
    return bool(tried) and all(g.auto_promote for g in tried)


def is_trying(group: DeploymentGroup) -> bool:
    """Whether canaries of the group have yet to be found good."""
    return bool(group.desired_canaries) and not group.promoted


def healthy_canaries(
    deployment: Deployment, name: str, allocs: Iterable[AllocRecord]
) -> tuple[AllocRecord, ...]:
    """Return the canaries of a group that are healthy."""
    return tuple(
        a
        for a in allocs
        if a.group == name and a.deployment == deployment.id and a.canary and a.healthy
    )


def tallied(
    deployment: Deployment, allocs: tuple[AllocRecord, ...], job: Job, now: int
) -> Deployment:
    """Return the deployment with its groups' counts as the allocations have them.

    The deadline for progress is the first placement (or the last allocation that became healthy)
    plus `progress_deadline`, as Nomad counts it; a promotion moves it too.
    """
    groups = {
        name: _tallied_group(
            group,
            [a for a in allocs if a.deployment == deployment.id and a.group == name],
            job.group(name),
            now,
        )
        for name, group in deployment.groups.items()
    }
    return replace(deployment, groups=groups, modified=now)


def _tallied_group(
    group: DeploymentGroup, allocs: list[AllocRecord], spec: TaskGroup | None, now: int
) -> DeploymentGroup:
    healthy = [a for a in allocs if a.healthy]
    deadline = spec.update.progress_deadline if spec and spec.update else 0
    begun_by = group.require_progress_by or now + deadline
    by = max([begun_by, *(a.healthy_at + deadline for a in healthy)])
    canaries = dict.fromkeys((*group.placed_canaries, *(a.id for a in allocs if a.canary)))
    return replace(
        group,
        placed=len(allocs),
        placed_canaries=tuple(canaries),
        healthy=len(healthy),
        unhealthy=sum(a.healthy is False for a in allocs),
        require_progress_by=by if allocs and deadline else 0,
    )


def _begun_group(plan: JobPlan, group: GroupPlan, spec: TaskGroup, settled: int) -> DeploymentGroup:
    update = spec.update
    by_node = plan.job.type in TYPES
    return DeploymentGroup(
        desired_total=_covered(group) if by_node else spec.count - settled,
        desired_canaries=_canaries(plan, group, spec),
        auto_promote=update.auto_promote if update else False,
        auto_revert=update.auto_revert if update else False,
        progress_deadline=update.progress_deadline if update else 0,
    )


def _settled(state: JobState, group: GroupPlan, version: int) -> int:
    """How many have the version already, from an earlier deployment of it, and are left alone."""
    left = {c.alloc for c in group.changes if c.action is Action.IGNORE}
    same = (a for a in state.allocs if a.id in left and a.job_version == version)
    return sum(not a.terminal for a in same)


def _covered(group: GroupPlan) -> int:
    """How many nodes are to have an allocation of a system job."""
    return sum(c.action is not Action.DESTROY and bool(c.node) for c in group.changes)


def _canaries(plan: JobPlan, group: GroupPlan, spec: TaskGroup) -> int:
    if plan.job.type in TYPES:
        # What is replaced at first is the share of the nodes that tries the version.
        tries = spec.update is not None and spec.update.canary
        return group.count(Action.DESTRUCTIVE) if tries else 0
    tries = group.count(Action.CANARY) > 0
    return spec.update.canary if tries and spec.update is not None else 0


def _deploys(plan: JobPlan, state: JobState, group: GroupPlan, version: int) -> bool:
    """Whether the group's changes make a deployment: not for reschedules and replacements."""
    spec = plan.job.group(group.name)
    if spec is None or spec.update is None or not spec.update.max_parallel or not spec.count:
        return False
    if any(group.count(a) for a in (Action.CANARY, Action.DESTRUCTIVE, Action.IN_PLACE)):
        return True
    known = any(a.job_version == version for a in state.allocs) and not plan.registers
    return not known and group.count(Action.CREATE) > 0
