"""Notes on a field diff: how many of what a group gets, and what a change of a task forces.

The counters come from the plan; the notes on tasks are worked out from the diff alone, as a hint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.action import Action
from planner.difference import (
    DiffType,
    FieldDiff,
    JobDiff,
    ObjectDiff,
    TaskDiff,
    TaskGroupDiff,
)
from planner.plan import GroupPlan

_MILD_FIELDS = frozenset({"KillTimeout"})
_MILD_BLOCKS = frozenset({"Service", "Constraint", "Affinity", "Spread"})


def annotated(diff: JobDiff, groups: Sequence[GroupPlan]) -> JobDiff:
    """Return the diff with group counters, notes on Count, and notes on tasks."""
    plans = {g.name: g for g in groups}
    task_groups = tuple(_group(g, plans.get(g.name)) for g in diff.task_groups)
    return replace(diff, task_groups=task_groups)


def _group(diff: TaskGroupDiff, plan: GroupPlan | None) -> TaskGroupDiff:
    return replace(
        diff,
        updates=None if plan is None else updates(plan),
        fields=tuple(_count(f) for f in diff.fields),
        tasks=tuple(_task(t, diff.type) for t in diff.tasks),
    )


def updates(plan: GroupPlan) -> tuple[tuple[str, int], ...]:
    """Count the changes by kind, in alphabetical order of their words, without the zeros."""
    counts = ((str(action), plan.count(action)) for action in sorted(Action, key=str))
    return tuple((word, n) for word, n in counts if n)


def _count(field: FieldDiff) -> FieldDiff:
    if field.name != "Count" or field.type is DiffType.NONE:
        return field
    growth = int(field.new or 0) - int(field.old or 0)
    if growth == 0:
        return field
    return replace(field, annotations=("forces create" if growth > 0 else "forces destroy",))


def _task(diff: TaskDiff, group: DiffType) -> TaskDiff:
    if diff.type is DiffType.NONE:
        return diff
    return replace(diff, annotations=(f"forces {_forced(diff, group)}",))


def _forced(diff: TaskDiff, group: DiffType) -> Action:
    if diff.type is group is DiffType.ADDED:
        return Action.CREATE
    if diff.type is group is DiffType.DELETED:
        return Action.DESTROY
    mild = all(f.name in _MILD_FIELDS for f in diff.fields) and all(map(_is_mild, diff.objects))
    return Action.IN_PLACE if mild else Action.DESTRUCTIVE


def _is_mild(block: ObjectDiff) -> bool:
    return block.name in _MILD_BLOCKS
