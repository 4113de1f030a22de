"""A group's count, changed by itself: the spec that comes of it, or why it can't be. Pure."""

from __future__ import annotations

from dataclasses import replace

from planner.errors import OrchError
from planner.job import Job, TaskGroup
from planner.recorded import JobState

BLOCKED = "job scaling blocked due to active deployment"


def scaled_job(state: JobState, group: str, count: int) -> Job:
    """Return the newest spec of a job with another count of one group (empty: its only one).

    Raises `OrchError` where a deployment goes on, where there is no such group, and where the
    count is out of the limits of its `scaling` block or its job's type.
    """
    version = state.current
    if version is None or version.job.stop:
        raise OrchError(f"job {state.key!r} is stopped", f"See 'orch start {state.key}'.")
    if state.deployment is not None and state.deployment.status.active:
        raise OrchError(BLOCKED, f"See 'orch job deployments -latest {state.key}'.")
    job = version.job
    found = group_named(job, group)
    _check_limits(job, found, count)
    groups = tuple(replace(g, count=count) if g is found else g for g in job.task_groups)
    return replace(job, task_groups=groups)


def group_named(job: Job, name: str) -> TaskGroup:
    """Return the group with that name, or the only one; `OrchError` where that tells none."""
    names = ", ".join(g.name for g in job.task_groups)
    groups = [g for g in job.task_groups if name in ("", g.name)]
    if len(groups) > 1:
        raise OrchError(f"job {job.id!r} has several groups", f"Name one of: {names}.")
    found = next(iter(groups), None)
    if found is None:
        raise OrchError(f"job {job.id!r} has no group {name!r}", f"It has: {names}.")
    return found


def _check_limits(job: Job, group: TaskGroup, count: int) -> None:
    if job.type in ("system", "sysbatch") and count > 1:
        raise OrchError(
            f"group {group.name!r} of a {job.type} job runs once on each node, or not at all",
            "Its count is 0 or 1.",
        )
    beyond = [n for n, is_out in _limits(group, count) if is_out]
    for limit in beyond:
        raise OrchError(
            f"count {count} of group {group.name!r} is out of the limits of its scaling block: "
            f"{limit.lower()} is {_limit(group, limit)}",
            "Change the block in its file, and apply that.",
        )


def _limits(group: TaskGroup, count: int) -> tuple[tuple[str, bool], ...]:
    bounded = bool(group.scaling)
    return (
        ("Min", bounded and count < _limit(group, "Min")),
        ("Max", bounded and count > _limit(group, "Max")),
    )


def _limit(group: TaskGroup, name: str) -> int:
    found = group.scaling.get(name)
    return found if isinstance(found, int) else 0
