"""Rules of update, restart, reschedule, migrate, disconnect and scaling blocks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from gitops.jobspec.decode import Path
from planner.job import (
    SECOND,
    Disconnect,
    Job,
    Migrate,
    ReschedulePolicy,
    RestartPolicy,
    TaskGroup,
    Update,
)

Finding = tuple[Path, tuple[str, str]]

_FIVE = 5 * SECOND
_FIFTEEN = 15 * SECOND
_RECONCILE = ("best_score", "longest_running", "keep_original", "keep_replacement")


def policy_findings(job: Job, group: TaskGroup, path: Path) -> Iterator[Finding]:
    """Yield what is wrong with the policies of a group."""
    yield from _allowed(job, group, path)
    if group.update is not None and job.type in ("service", "system"):
        yield from _update(group.update, (*path, "Update"))
    yield from restart_findings(group.restart_policy, (*path, "RestartPolicy"))
    if group.reschedule_policy is not None and job.type in ("service", "batch"):
        yield from _reschedule(group.reschedule_policy, (*path, "ReschedulePolicy"))
    if group.migrate is not None:
        yield from _migrate(group.migrate, (*path, "Migrate"))
    if group.disconnect is not None:
        yield from _disconnect(group.disconnect, (*path, "Disconnect"))
    if group.scaling:
        yield from _scaling(group, (*path, "Scaling"))


def _allowed(job: Job, group: TaskGroup, path: Path) -> Iterator[Finding]:
    kind = job.type
    if group.reschedule_policy is not None and kind in ("system", "sysbatch"):
        detail = "Its allocations stay on their nodes: remove the block."
        yield (*path, "ReschedulePolicy"), (f"A reschedule block in a {kind} job", detail)
    if group.update is not None and kind in ("batch", "sysbatch"):
        detail = "Batch jobs are not rolled: remove the block."
        yield (*path, "Update"), (f"An update block in a {kind} job", detail)
    if group.migrate is not None and kind in ("batch", "system", "sysbatch"):
        yield (*path, "Migrate"), (f"A migrate block in a {kind} job", "Only service jobs have it.")
    stops = group.disconnect is not None and group.disconnect.stop_on_client_after is not None
    if stops and kind in ("system", "sysbatch"):
        where = (*path, "Disconnect", "StopOnClientAfter")
        yield where, (f"stop_on_client_after in a {kind} job", "Service and batch jobs have it.")


def _update(update: Update, path: Path) -> Iterator[Finding]:
    for name, value in (("MaxParallel", update.max_parallel), ("Canary", update.canary)):
        if value < 0:
            yield (*path, name), (f"Invalid value {value}", "It is 0 or more.")
    if update.health_check not in ("checks", "task_states", "manual"):
        detail = "Known are checks, task_states, manual."
        yield (*path, "HealthCheck"), (f'Invalid health_check "{update.health_check}"', detail)
    if update.auto_promote and update.canary == 0:
        yield (*path, "AutoPromote"), ("auto_promote without canaries", "Write canary = 1.")
    if update.stagger <= 0:
        yield (*path, "Stagger"), ("Invalid stagger", "It is more than 0.")
    yield from _deadlines(update, path)


def _deadlines(update: Update, path: Path) -> Iterator[Finding]:
    if update.min_healthy_time < 0:
        yield (*path, "MinHealthyTime"), ("Invalid min_healthy_time", "It is 0 or more.")
    if update.healthy_deadline <= 0:
        yield (*path, "HealthyDeadline"), ("Invalid healthy_deadline", "It is more than 0.")
    if update.min_healthy_time >= update.healthy_deadline:
        detail = "An allocation could never become healthy in time."
        summary = "min_healthy_time is not less than healthy_deadline"
        yield (*path, "MinHealthyTime"), (summary, detail)
    if update.progress_deadline < 0:
        yield (*path, "ProgressDeadline"), ("Invalid progress_deadline", "It is 0 or more.")
    if 0 < update.progress_deadline <= update.healthy_deadline:
        summary = "healthy_deadline is not less than progress_deadline"
        yield (*path, "HealthyDeadline"), (summary, "Raise progress_deadline, or set it to 0.")


def restart_findings(policy: RestartPolicy, path: Path) -> Iterator[Finding]:
    """Yield what is wrong with a restart block."""
    if policy.mode not in ("fail", "delay"):
        detail = "Known are fail and delay."
        yield (*path, "Mode"), (f'Invalid restart mode "{policy.mode}"', detail)
    if policy.attempts < 0 or policy.delay < 0:
        yield path, ("Invalid restart block", "attempts and delay are 0 or more.")
    if policy.attempts == 0 and policy.mode == "delay":
        detail = 'Without attempts a task would never start again: write mode = "fail".'
        yield (*path, "Attempts"), ("attempts = 0 with mode delay", detail)
    if policy.interval < _FIVE:
        yield (*path, "Interval"), ("The restart interval is too short", "It is 5s or more.")
    elif policy.attempts * policy.delay > policy.interval:
        detail = "attempts x delay is at most interval."
        yield path, ("The restart attempts do not fit into the interval", detail)


def _reschedule(policy: ReschedulePolicy, path: Path) -> Iterator[Finding]:
    if not policy.unlimited and policy.attempts <= 0:
        return
    if policy.attempts > 0 and policy.unlimited:
        detail = "Write unlimited = false, or remove attempts."
        yield path, ("attempts together with unlimited = true", detail)
    if policy.delay < _FIVE:
        yield (*path, "Delay"), ("The reschedule delay is too short", "It is 5s or more.")
    if policy.delay_function not in ("constant", "exponential", "fibonacci"):
        detail = "Known are constant, exponential, fibonacci."
        summary = f'Invalid delay_function "{policy.delay_function}"'
        yield (*path, "DelayFunction"), (summary, detail)
    elif policy.delay_function != "constant" and policy.max_delay < max(_FIVE, policy.delay):
        yield (*path, "MaxDelay"), ("Invalid max_delay", "It is 5s or more, and at least delay.")
    if not policy.unlimited:
        yield from _attempts(policy, path)


def _attempts(policy: ReschedulePolicy, path: Path) -> Iterator[Finding]:
    if policy.interval < _FIFTEEN:
        detail = "It is 15s or more when attempts are limited."
        yield (*path, "Interval"), ("The reschedule interval is too short", detail)
        return
    total, delay, previous = 0, policy.delay, policy.delay
    for _ in range(min(policy.attempts, 10_000)):
        total += delay
        if total > policy.interval:
            detail = "Raise interval, or lower attempts or delay."
            yield path, ("The reschedule attempts do not fit into the interval", detail)
            return
        delay, previous = _next_delay(policy, delay, previous)


def _next_delay(policy: ReschedulePolicy, delay: int, previous: int) -> tuple[int, int]:
    if policy.delay_function == "exponential":
        return min(2 * delay, policy.max_delay), delay
    if policy.delay_function == "fibonacci":
        return min(delay + previous, policy.max_delay), delay
    return delay, delay


def _migrate(migrate: Migrate, path: Path) -> Iterator[Finding]:
    if migrate.max_parallel < 0:
        yield (*path, "MaxParallel"), ("Invalid max_parallel", "It is 0 or more.")
    if migrate.health_check not in ("checks", "task_states"):
        detail = "Known are checks and task_states."
        yield (*path, "HealthCheck"), (f'Invalid health_check "{migrate.health_check}"', detail)
    if not 0 <= migrate.min_healthy_time <= migrate.healthy_deadline:
        detail = "0 <= min_healthy_time <= healthy_deadline."
        yield (*path, "MinHealthyTime"), ("Invalid deadlines", detail)


def _disconnect(block: Disconnect, path: Path) -> Iterator[Finding]:
    if block.lost_after < 0 or (block.stop_on_client_after or 0) < 0:
        yield path, ("Invalid disconnect block", "Its times are 0 or more.")
    if block.lost_after and block.stop_on_client_after:
        yield path, ("lost_after together with stop_on_client_after", "Remove one of them.")
    if block.reconcile not in _RECONCILE:
        detail = f"Known are {', '.join(_RECONCILE)}."
        yield (*path, "Reconcile"), (f'Invalid reconcile "{block.reconcile}"', detail)


def _scaling(group: TaskGroup, path: Path) -> Iterator[Finding]:
    low, high = cast("int", group.scaling["Min"]), cast("int", group.scaling["Max"])
    if group.scaling["Type"] != "horizontal":
        yield (*path, "Type"), ("Invalid scaling type", "A group scales horizontally.")
    if low < 0 or high < low:
        yield path, ("Invalid scaling limits", "0 <= min <= max; max is needed.")
    elif not low <= group.count <= high:
        detail = f"It lies within min ({low}) and max ({high})."
        yield path, (f"The count {group.count} is out of the scaling limits", detail)
