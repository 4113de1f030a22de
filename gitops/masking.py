"""Plans without values that may be secrets: what may be written to a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from planner.difference import FieldDiff, JobDiff, ObjectDiff, TaskDiff, TaskGroupDiff
from planner.job import Job
from planner.plan import JobPlan

_MASK = "(not saved)"
# Parts of a job whose values may be secrets.
_PRIVATE_FIELDS = ("Env[", "Meta[", "EmbeddedTmpl", "GetterHeaders", "GetterOptions", "Header")
_PRIVATE_OBJECTS = ("Config", "Template", "Artifact", "Secret", "Vault", "Header")


def masked(plan: JobPlan) -> JobPlan:
    """Return the plan of a job without its spec, and without values that may be secrets."""
    job = plan.job
    shown = Job(
        id=job.id,
        name=job.name,
        type=job.type,
        namespace=job.namespace,
        priority=job.priority,
        stop=job.stop,
    )
    return replace(plan, job=shown, diff=_masked(plan.diff))


def _masked(diff: JobDiff) -> JobDiff:
    return replace(
        diff,
        fields=_fields(diff.fields),
        objects=_objects(diff.objects),
        task_groups=tuple(_masked_group(g) for g in diff.task_groups),
    )


def _masked_group(diff: TaskGroupDiff) -> TaskGroupDiff:
    tasks = tuple(_masked_task(t) for t in diff.tasks)
    return replace(diff, fields=_fields(diff.fields), objects=_objects(diff.objects), tasks=tasks)


def _masked_task(diff: TaskDiff) -> TaskDiff:
    return replace(diff, fields=_fields(diff.fields), objects=_objects(diff.objects))


def _objects(objects: Iterable[ObjectDiff], *, private: bool = False) -> tuple[ObjectDiff, ...]:
    masked: list[ObjectDiff] = []
    for o in objects:
        hidden = private or o.name in _PRIVATE_OBJECTS
        fields = tuple(_hidden(f) for f in o.fields) if hidden else _fields(o.fields)
        masked.append(replace(o, fields=fields, objects=_objects(o.objects, private=hidden)))
    return tuple(masked)


def _fields(fields: Iterable[FieldDiff]) -> tuple[FieldDiff, ...]:
    return tuple(_hidden(f) if f.name.startswith(_PRIVATE_FIELDS) else f for f in fields)


def _hidden(f: FieldDiff) -> FieldDiff:
    return replace(f, old=_MASK if f.old else "", new=_MASK if f.new else "")
