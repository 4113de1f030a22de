"""When an allocation is healthy: the rule, apart from the probing that feeds it.

As in Nomad: all tasks run, and all checks pass, without a break for `min_healthy_time`. A restart
begins the time anew; a task that ends for good, or `healthy_deadline`, makes it unhealthy. Tasks
that run once before or after the start may have ended well; those after the stop do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from planner.durations import duration
from planner.job import PRESTART, SECOND, Task, TaskGroup, Update
from planner.lifecycle import hook_of, runs_once
from planner.observed import ObservedAlloc, TaskEvent, TaskPhase, TaskState
from planner.recorded import AllocRecord

# The type of the event that tells a task's part in a verdict.
EVENT = "Alloc Unhealthy"
# Of tasks that have ended, by whether they failed.
_DEAD = {True: "Unhealthy because of failed task", False: "Unhealthy because of dead task"}


class Health(StrEnum):
    """The verdict on an allocation's health."""

    PENDING = "pending"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at an allocation; `checks` are the names of checks that fail at the moment.

    `at` is seconds that were watched. `alloc` is None while its host does not show it.
    """

    at: float
    alloc: ObservedAlloc | None
    checks: tuple[str, ...] = ()
    checked_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the looks so far came to. Times are watched seconds.

    `tasks` says which tasks made it unhealthy, and why.
    """

    began: float
    since: float | None = None
    starts: tuple[tuple[int, int], ...] = ()
    health: Health = Health.PENDING
    reason: str = ""
    tasks: Mapping[str, str] = field(default_factory=dict[str, str])


def looked(watched: Watched, look: Look, update: Update, group: TaskGroup) -> Watched:
    """Return the watch after one more look."""
    ended = _ended(look, group)
    if ended:
        tasks = {name: _DEAD[state.failed] for name, state in _dead(look, group)}
        return replace(watched, health=Health.UNHEALTHY, reason=ended, tasks=tasks)
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
        return replace(
            state,
            health=Health.UNHEALTHY,
            reason=f"{reason} by the healthy deadline",
            tasks=_late(look, update, group),
        )
    return state


def with_verdict(alloc: AllocRecord, tasks: Mapping[str, TaskState]) -> dict[str, TaskState]:
    """Return the tasks, those that made the allocation unhealthy with the event that says so."""
    return {
        name: replace(state, events=(*state.events, _event(why, alloc.healthy_at)))
        if (why := alloc.unhealthy.get(name))
        else state
        for name, state in tasks.items()
    }


def _event(why: str, time: int) -> TaskEvent:
    return TaskEvent(time=time, type=EVENT, message=why, details={"message": why})


def _late(look: Look, update: Update, group: TaskGroup) -> dict[str, str]:
    """Why each task was not healthy by the deadline."""
    seen = look.alloc.tasks if look.alloc else dict[str, TaskState]()
    deadline = f"by healthy_deadline of {duration(update.healthy_deadline)}"
    brief = (
        f"Task not running for min_healthy_time of {duration(update.min_healthy_time)} {deadline}"
    )
    running = f"Services not healthy {deadline}" if look.checks else brief
    left = [t for t in _counted(group) if not runs_once(t) or not _is_well(t, seen.get(t.name))]
    states = {t.name: seen[t.name].state if t.name in seen else None for t in left}
    return {
        name: running if state is TaskPhase.RUNNING else f"Task not running {deadline}"
        for name, state in states.items()
    }


def _long_enough(look: Look, since: float, needed: float) -> bool:
    # Where checks count, the last of them must itself be as old as the time it is to prove.
    last = min(look.at, look.checked_at) if look.checked_at else look.at
    return last - since >= needed


def _ended(look: Look, group: TaskGroup) -> str:
    for name, state in _dead(look, group):
        how = "failed" if state.failed else "ended"
        code = "" if state.exit_code is None else f" with exit code {state.exit_code}"
        return f'task "{name}" {how}{code}'
    return ""


def _dead(look: Look, group: TaskGroup) -> list[tuple[str, TaskState]]:
    seen = look.alloc.tasks if look.alloc else dict[str, TaskState]()
    found = ((t, seen[t.name]) for t in _counted(group) if t.name in seen)
    dead = ((t, state) for t, state in found if state.state is TaskPhase.DEAD)
    # What died with its host, and did not come back with it, did not end: it is started again.
    stays = look.alloc is None or not look.alloc.unattended
    return [(t.name, s) for t, s in dead if s.failed or (stays and not runs_once(t))]


def _counted(group: TaskGroup) -> Iterator[Task]:
    """Tasks that have a part in the health: not what runs only when all else has ended."""
    return (t for t in group.tasks if t.lifecycle is None or t.lifecycle.hook != "poststop")


def _is_well(task: Task, state: TaskState | None) -> bool:
    if state is None:
        return False
    done = runs_once(task) and state.state is TaskPhase.DEAD and not state.failed
    # What runs before main tasks is not well while they still wait for it.
    waited_for = runs_once(task) and hook_of(task) == PRESTART
    return done or (state.state is TaskPhase.RUNNING and not waited_for)


def _running(look: Look, group: TaskGroup) -> bool:
    alloc = look.alloc
    return alloc is not None and all(
        _is_well(task, alloc.tasks.get(task.name)) for task in _counted(group)
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
