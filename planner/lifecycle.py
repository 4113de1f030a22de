"""The order of a group's tasks: which of them wait for others, and which end by themselves."""

from __future__ import annotations

from planner.job import POSTSTOP, PRESTART, Task, TaskGroup


def hook_of(task: Task) -> str:
    """When the task runs; empty for a main task."""
    return task.lifecycle.hook if task.lifecycle else ""


def is_sidecar(task: Task) -> bool:
    """Whether the task has a hook and runs as long as the main tasks do."""
    return task.lifecycle is not None and task.lifecycle.sidecar


def runs_once(task: Task) -> bool:
    """Whether the task is done when it has ended well, though the others go on."""
    return task.lifecycle is not None and not task.lifecycle.sidecar


def waits(task: Task, group: TaskGroup) -> bool:
    """Whether the task begins after others of its group."""
    hook = hook_of(task)
    return hook != PRESTART if hook else any(hook_of(t) == PRESTART for t in group.tasks)


def is_sequenced(group: TaskGroup) -> bool:
    """Whether tasks of the group start or end with others of it, beyond failing together."""
    return any(t.lifecycle is not None or t.leader for t in group.tasks)


def has_poststop(group: TaskGroup) -> bool:
    """Whether something of the group runs when it has been stopped."""
    return any(hook_of(t) == POSTSTOP for t in group.tasks)
