"""When an allocation is healthy: the rule, apart from the probing that feeds it.

As in Nomad: all tasks run, and all checks pass, without a break for `min_healthy_time`. A restart
begins the time anew; a task that ends for good, or `healthy_deadline`, makes it unhealthy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from planner.job import SECOND, TaskGroup, Update
from planner.observed import ObservedAlloc, TaskPhase


class Health(StrEnum):
    """The verdict on an allocation's health."""

    PENDING = "pending"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at an allocation; `checks` are the names of checks that fail at the moment.

    `at` is monotonic seconds. `alloc` is None while its host does not show it.
    """

    at: float
    alloc: ObservedAlloc | None
    checks: tuple[str, ...] = ()
    checked_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the looks so far came to. Times are monotonic seconds; deadlines count watched time."""

    began: float
    since: float | None = None
    starts: tuple[tuple[int, int], ...] = ()
    health: Health = Health.PENDING
    reason: str = ""


def looked(watched: Watched, look: Look, update: Update, group: TaskGroup) -> Watched:
    """Return the watch after one more look."""
    ended = _ended(look, group)
    if ended:
        return replace(watched, health=Health.UNHEALTHY, reason=ended)
    starts = _starts(look)
    well = _running(look, group) and not look.checks
    steady = well and watched.since is not None and starts == watched.starts
    since = (watched.since if steady else look.at) if well else None
    state = replace(watched, since=since, starts=starts, reason=_why_not(look, group))
    needed = update.min_healthy_time / SECOND
    if since is not None and _long_enough(look, since, needed):
        return replace(state, health=Health.HEALTHY, reason="")
    if look.at - watched.began >= update.healthy_deadline / SECOND:
        reason = state.reason or f"not healthy for {needed:g}s"
        return replace(state, health=Health.UNHEALTHY, reason=f"{reason} by the healthy deadline")
    return state


def _long_enough(look: Look, since: float, needed: float) -> bool:
    # Where checks count, the last of them must itself be as old as the time it is to prove.
    last = min(look.at, look.checked_at) if look.checked_at else look.at
    return last - since >= needed


def _ended(look: Look, group: TaskGroup) -> str:
    if look.alloc is None:
        return ""
    for task in group.tasks:
        state = look.alloc.tasks.get(task.name)
        if state is not None and state.state is TaskPhase.DEAD:
            how = "failed" if state.failed else "ended"
            code = "" if state.exit_code is None else f" with exit code {state.exit_code}"
            return f'task "{task.name}" {how}{code}'
    return ""


def _running(look: Look, group: TaskGroup) -> bool:
    alloc = look.alloc
    return alloc is not None and all(
        (state := alloc.tasks.get(task.name)) is not None and state.state is TaskPhase.RUNNING
        for task in group.tasks
    )


def _starts(look: Look) -> tuple[tuple[int, int], ...]:
    if look.alloc is None:
        return ()
    tasks = look.alloc.tasks
    return tuple((tasks[name].started_at, tasks[name].restarts) for name in sorted(tasks))


def _why_not(look: Look, group: TaskGroup) -> str:
    if look.checks:
        return "failing checks: " + ", ".join(look.checks)
    return "" if _running(look, group) else "tasks are not running"
