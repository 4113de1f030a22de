"""Which parts of the job language a job asks for that orch does not honour, or in part. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitops.jobspec.features import CHECK, GROUP, JOB, NETWORK, SERVICE, TASK, Feature
from planner.job import Job, Network, Service, TaskGroup

if TYPE_CHECKING:
    from gitops.jobspec.decode import Path


@dataclass(frozen=True, slots=True)
class Found:
    """A feature that a job asks for, and the path of API names where it does."""

    feature: Feature
    path: Path


def unsupported(job: Job) -> tuple[str, ...]:
    """Return the names of what the job asks for and orch does not do yet, each once."""
    names = (f.feature.name for f in limits(job) if not f.feature.part)
    return tuple(dict.fromkeys(names))


def limits(job: Job) -> Iterator[Found]:
    """Yield what the job asks for and orch does not honour in full, with the place of each."""
    yield from _found(JOB, job, ())
    for i, group in enumerate(job.task_groups):
        path: Path = ("TaskGroups", i)
        yield from _found(GROUP, group, path)
        for where, network in _placed_networks(group, path):
            yield from _found(NETWORK, network, where)
        for where, service in _placed_services(group, path):
            yield from _found(SERVICE, service, where)
            for n, check in enumerate(service.checks):
                yield from _found(CHECK, check, (*where, "Checks", n))
        for k, task in enumerate(group.tasks):
            yield from _found(TASK, task, (*path, "Tasks", k))


def _found(rows: Iterable[Feature], part: object, path: Path) -> Iterator[Found]:
    for row in rows:
        if row.asked(part):
            yield Found(row, (*path, *row.field.split(".")))


def _placed_networks(group: TaskGroup, path: Path) -> Iterator[tuple[Path, Network]]:
    for i, network in enumerate(group.networks):
        yield (*path, "Networks", i), network
    for k, task in enumerate(group.tasks):
        for i, network in enumerate(task.resources.networks):
            yield (*path, "Tasks", k, "Resources", "Networks", i), network


def _placed_services(group: TaskGroup, path: Path) -> Iterator[tuple[Path, Service]]:
    for i, service in enumerate(group.services):
        yield (*path, "Services", i), service
    for k, task in enumerate(group.tasks):
        for i, service in enumerate(task.services):
            yield (*path, "Tasks", k, "Services", i), service
