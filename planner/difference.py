"""What a field diff consists of. Values only: `planner.diff` makes them, views print them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class DiffType(StrEnum):
    """Kind of a difference; `NONE` is an unchanged thing shown for context."""

    ADDED = "Added"
    DELETED = "Deleted"
    EDITED = "Edited"
    NONE = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDiff:
    """One field; old and new are already rendered as text, durations in nanoseconds."""

    type: DiffType
    name: str
    old: str = ""
    new: str = ""
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDiff:
    """One nested block."""

    type: DiffType
    name: str
    fields: tuple[FieldDiff, ...] = ()
    objects: tuple[ObjectDiff, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDiff:
    """One task, with the note that says what its change forces."""

    type: DiffType
    name: str
    fields: tuple[FieldDiff, ...] = ()
    objects: tuple[ObjectDiff, ...] = ()
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroupDiff:
    """One group; `updates` counts the changes by kind, in the order they are printed.

    It is None where nothing was planned for the group.
    """

    type: DiffType
    name: str
    fields: tuple[FieldDiff, ...] = ()
    objects: tuple[ObjectDiff, ...] = ()
    tasks: tuple[TaskDiff, ...] = ()
    updates: tuple[tuple[str, int], ...] | None = field(default=None, metadata={"free": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDiff:
    """The whole difference of a job."""

    type: DiffType
    id: str
    fields: tuple[FieldDiff, ...] = ()
    objects: tuple[ObjectDiff, ...] = ()
    task_groups: tuple[TaskGroupDiff, ...] = ()
