"""When a check that fails restarts its tasks: the rule of `check_restart`. Pure.

As in Nomad: nothing counts for `grace` after a start; then `limit` results in a row that are bad,
each an `interval` after the one before, are too many. A good one begins the count anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from planner.check_status import CheckLevel
from planner.job import SECOND, Check
from planner.observed import ObservedAlloc, TaskPhase

# The tasks that run, each with when it has started, and how often.
Life = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Bad results in a row during one life of the tasks. Times are watched seconds."""

    life: Life
    began: float
    number: int = 0
    at: float = 0.0


def life(alloc: ObservedAlloc, tasks: Collection[str]) -> Life:
    """Return the life of those tasks, or of all where none is named."""
    return tuple(
        (name, state.started_at, state.restarts)
        for name, state in sorted(alloc.tasks.items())
        if state.state is TaskPhase.RUNNING and (not tasks or name in tasks)
    )


def counted(
    before: Failures | None, check: Check, now: Life, level: CheckLevel | None, at: float
) -> Failures:
    """Return the count after one more result; `level` is None where the check was not made."""
    rule = check.check_restart
    if before is None or before.life != now:
        before = Failures(life=now, began=at)
    if rule is None or level is None:
        return before
    if level <= (CheckLevel.WARNING if rule.ignore_warnings else CheckLevel.PASSING):
        return replace(before, number=0)
    if at - before.began < rule.grace / SECOND:
        return before
    if before.number and at - before.at < check.interval / SECOND:
        return before
    return replace(before, number=before.number + 1, at=at)


def is_over(failures: Failures, check: Check) -> bool:
    """Whether these are too many for tasks that run."""
    rule = check.check_restart
    return rule is not None and bool(failures.life) and 0 < rule.limit <= failures.number


def reason(name: str) -> str:
    """Return the words in which a task's event tells of it."""
    return f'healthcheck: check "{name}" unhealthy'
