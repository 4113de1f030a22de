"""The difference of two canonical jobs, as Nomad's field diff. Says what changed, not what follows.

The values it is made of live in `planner.difference` and may be imported from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from planner.blocks import block_diffs, field_diffs, pair_type
from planner.difference import (
    DiffType,
    FieldDiff,
    JobDiff,
    ObjectDiff,
    TaskDiff,
    TaskGroupDiff,
)
from planner.flat import flat
from planner.job import Job, Task, TaskGroup

__all__ = [
    "DiffType",
    "FieldDiff",
    "JobDiff",
    "ObjectDiff",
    "TaskDiff",
    "TaskGroupDiff",
    "job_diff",
]

Named = TypeVar("Named", Task, TaskGroup)
Level = TypeVar("Level", Job, TaskGroup, Task)


def job_diff(old: Job | None, new: Job | None, *, contextual: bool = True) -> JobDiff:
    """Compare a registered job with a desired one; None stands for a job that does not exist.

    With `contextual`, a changed block also lists its unchanged fields. Fields of the job, of its
    groups and of its tasks are only listed where they differ. Raises ValueError for two Nones.
    """
    job = old if new is None else new
    if job is None:
        raise ValueError("nothing to compare: both jobs are missing")
    fields, objects = _content(old, new, contextual)
    pairs = _named(old.task_groups if old else (), new.task_groups if new else ())
    groups = tuple(_group_diff(n, *pair, contextual) for n, pair in pairs)
    kind = pair_type(old is not None, new is not None)
    if old is not None and new is not None:
        # What no field, block or group shows (spread of the job, say) is no difference of the job.
        shown = fields or objects or any(g.type is not DiffType.NONE for g in groups)
        kind = DiffType.EDITED if shown else DiffType.NONE
    return JobDiff(type=kind, id=job.id, fields=fields, objects=objects, task_groups=groups)


def _group_diff(
    name: str, old: TaskGroup | None, new: TaskGroup | None, contextual: bool
) -> TaskGroupDiff:
    fields, objects = _content(old, new, contextual)
    tasks = _named(old.tasks if old else (), new.tasks if new else ())
    return TaskGroupDiff(
        type=pair_type(old, new),
        name=name,
        fields=fields,
        objects=objects,
        tasks=tuple(_task_diff(n, *pair, contextual) for n, pair in tasks),
    )


def _task_diff(name: str, old: Task | None, new: Task | None, contextual: bool) -> TaskDiff:
    fields, objects = _content(old, new, contextual)
    return TaskDiff(type=pair_type(old, new), name=name, fields=fields, objects=objects)


def _content(
    old: Level | None, new: Level | None, contextual: bool
) -> tuple[tuple[FieldDiff, ...], tuple[ObjectDiff, ...]]:
    # What may be absent is only told where there are two sides to compare.
    optional = old is not None and new is not None
    fields = field_diffs(flat(old, optional=optional), flat(new, optional=optional), False)
    return fields, block_diffs(old, new, contextual)


def _named(
    old: Iterable[Named], new: Iterable[Named]
) -> list[tuple[str, tuple[Named | None, Named | None]]]:
    before = {item.name: item for item in old}
    after = {item.name: item for item in new}
    names = sorted(before.keys() | after.keys())
    return [(n, (before.get(n), after.get(n))) for n in names]
