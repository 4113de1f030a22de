"""Which blocks a job has, by the names of the language, and which drivers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import MISSING, fields, is_dataclass
from typing import cast

from gitops.jobspec.schema.job import JOB
from gitops.jobspec.schema.rows import Table
from planner.codec import json_name
from planner.job import Job


def used_blocks(job: Job, without: Set[str] = frozenset()) -> frozenset[str]:
    """Return the names of the blocks of a job that say more than what holds without them.

    Those named in `without`, and what is in them, are left out.
    """
    return frozenset(_used(job, JOB, without))


def used_drivers(job: Job) -> frozenset[str]:
    """Return the drivers of a job's tasks."""
    return frozenset(t.driver for g in job.task_groups for t in g.tasks)


def _used(value: object, table: Table, without: Set[str]) -> Iterator[str]:
    by_field = {r.field: r for r in (*table.rows, *table.stored, *table.sparse)}
    for name, part, default in _parts(value):
        row = by_field.get(name)
        if row is None or row.name in without or not part or part == default:
            continue
        if _says_nothing(part):
            continue
        if row.table is not None or row.name in ("env", "meta", "config"):
            yield row.name
        if row.table is not None:
            for item in _items(part):
                yield from _used(item, row.table, without)


def _says_nothing(part: object) -> bool:
    """Whether a block is what holds without it: all its fields have their defaults."""
    if not is_dataclass(part) or isinstance(part, type):
        return False
    usual = [f.default for f in fields(part)]
    return MISSING not in usual and [getattr(part, f.name) for f in fields(part)] == usual


def _parts(value: object) -> Iterator[tuple[str, object, object]]:
    """Yield the API name, the value and the default of each field."""
    if is_dataclass(value):
        for f in fields(value):
            if isinstance(value, Job) and f.name == "update":
                continue  # only for display; the groups have what counts
            default = f.default if f.default is not MISSING else None
            if f.default_factory is not MISSING:
                default = f.default_factory()
            yield json_name(f.name), getattr(value, f.name), default
    elif isinstance(value, Mapping):
        for key, part in cast("Mapping[str, object]", value).items():
            yield key, part, None


def _items(part: object) -> tuple[object, ...]:
    if isinstance(part, tuple | list):
        return tuple(cast("tuple[object, ...]", part))
    if isinstance(part, Mapping):
        values = tuple(cast("Mapping[str, object]", part).values())
        named = bool(values) and all(is_dataclass(v) for v in values)
        return values if named else (cast("object", part),)
    return (part,)
