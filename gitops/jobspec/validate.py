"""Limits and rules across fields of a canonical job. Pure; says where by the path of API names.

The rules of groups and of tasks stand in `rules_group` and `rules_task`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gitops.jobspec.decode import Path
from gitops.jobspec.rules_config import config_doubts
from gitops.jobspec.rules_group import group_findings
from gitops.jobspec.rules_placement import placement_findings, spread_findings
from gitops.jobspec.rules_schedule import cron_problem, is_time_zone
from planner.job import Job, Parameterized, Periodic, TaskGroup

Finding = tuple[Path, tuple[str, str]]

TYPES = ("service", "batch", "system", "sysbatch")
MAX_PRIORITY = 100
MAX_COUNT = 50_000
MAX_DESCRIPTION = 1000
_BATCH = ("batch", "sysbatch")


def validate(job: Job) -> Iterator[Finding]:
    """Yield (path, (summary, detail)) for everything that is wrong with a job."""
    yield from _identity(job)
    yield from _shape(job)
    yield from placement_findings(job, (), "job")
    yield from spread_findings(job.spreads, ())
    if job.periodic is not None:
        yield from _periodic(job, job.periodic)
    if job.parameterized_job is not None:
        yield from _parameterized(job, job.parameterized_job)
    for i, group in enumerate(job.task_groups):
        yield from group_findings(job, group, ("TaskGroups", i))


def warn(job: Job) -> Iterator[Finding]:
    """Yield (path, (summary, detail)) for everything that is doubtful but allowed."""
    canaries = [g for g in job.task_groups if g.update and g.update.canary > 0]
    promoted = [g for g in canaries if g.update and g.update.auto_promote]
    if promoted and len(promoted) != len(canaries):
        detail = "The deployment is promoted only when all groups with canaries ask for it."
        yield ("Update",), ("auto_promote is set for some groups with canaries only", detail)
    if job.periodic is not None and job.periodic.spec:
        yield ("Periodic", "Spec"), ("cron is deprecated", "Write crons = [ … ].")
    for i, group in enumerate(job.task_groups):
        path: Path = ("TaskGroups", i)
        yield from _deprecated(group, path)
        if group.update and 1 < group.count < group.update.max_parallel:
            detail = f"All {group.count} allocations are updated at once."
            yield (*path, "Update", "MaxParallel"), ("max_parallel is larger than count", detail)
        for k, task in enumerate(group.tasks):
            if task.resources.networks:
                where = (*path, "Tasks", k, "Resources", "Networks", 0)
                detail = "Put the network block into the group."
                yield where, ("A network block in resources is deprecated", detail)
    yield from config_doubts(job)


def _deprecated(group: TaskGroup, path: Path) -> Iterator[Finding]:
    for name, value, instead in (
        ("max_client_disconnect", group.max_client_disconnect, "disconnect { lost_after = … }"),
        (
            "stop_after_client_disconnect",
            group.stop_after_client_disconnect,
            "disconnect { stop_on_client_after = … }",
        ),
        (
            "prevent_reschedule_on_lost",
            group.prevent_reschedule_on_lost or None,
            "disconnect { replace = false }",
        ),
    ):
        if value is not None:
            field = "".join(part.title() for part in name.split("_"))
            yield (*path, field), (f"{name} is deprecated", f"Write {instead}.")
    for i, network in enumerate(group.networks):
        if network.mbits:
            yield (*path, "Networks", i, "MBits"), ("mbits is deprecated", "Remove it.")


def _identity(job: Job) -> Iterator[Finding]:
    if not job.id or any(c.isspace() or not c.isprintable() for c in job.id):
        yield ("ID",), (f"Invalid job id {job.id!r}", "It has no blanks and is not empty.")
    if not job.name or "\0" in job.name:
        yield ("Name",), ("Invalid job name", "It is not empty and has no NUL.")
    if job.type not in TYPES:
        yield ("Type",), (f'Invalid job type "{job.type}"', f"Known are {', '.join(TYPES)}.")
    if not 1 <= job.priority <= MAX_PRIORITY:
        detail = f"It is 1 to {MAX_PRIORITY}."
        yield ("Priority",), (f"Invalid priority {job.priority}", detail)
    if not job.datacenters or "" in job.datacenters:
        detail = 'Name at least one, or "*" for all; none is empty.'
        yield ("Datacenters",), ("Invalid datacenters", detail)
    if len(str(job.ui.get("Description") or "")) > MAX_DESCRIPTION:
        detail = f"It has at most {MAX_DESCRIPTION} characters."
        yield ("UI", "Description"), ("The description is too long", detail)


def _shape(job: Job) -> Iterator[Finding]:
    if not job.task_groups:
        yield (), ("The job has no group", 'It needs at least one group "name" { … }.')
    names = Counter(g.name for g in job.task_groups)
    for i, group in enumerate(job.task_groups):
        if names[group.name] > 1 and group is not job.group(group.name):
            yield ("TaskGroups", i), (f'A second group "{group.name}"', "Rename one of them.")
    if sum(max(0, g.count) for g in job.task_groups) > MAX_COUNT:
        yield (), (f"More than {MAX_COUNT} allocations", "Lower the counts of the groups.")
    if job.payload:
        yield ("Payload",), ("A job has no payload of its own", "It is given by a dispatch.")


def _periodic(job: Job, periodic: Periodic) -> Iterator[Finding]:
    path: Path = ("Periodic",)
    if job.type not in _BATCH:
        detail = f'Write type = "batch", or remove the block from this {job.type} job.'
        yield path, ("periodic needs a batch or sysbatch job", detail)
    if bool(periodic.spec) == bool(periodic.specs):
        detail = "Exactly one of them says when the job runs."
        yield path, ("Either crons or cron is needed", detail)
    for spec in (*periodic.specs, *([periodic.spec] if periodic.spec else [])):
        problem = cron_problem(spec)
        if problem:
            name = "Specs" if periodic.specs else "Spec"
            yield (*path, name), (f'Invalid cron expression "{spec}"', problem)
    if not is_time_zone(periodic.time_zone):
        detail = "It is a name of the IANA, as in Europe/Berlin."
        yield (*path, "TimeZone"), (f'Unknown time zone "{periodic.time_zone}"', detail)


def _parameterized(job: Job, block: Parameterized) -> Iterator[Finding]:
    path: Path = ("ParameterizedJob",)
    if job.type not in _BATCH:
        yield path, ("parameterized needs a batch or sysbatch job", 'Write type = "batch".')
    if block.payload not in ("optional", "required", "forbidden"):
        detail = "Known are optional, required, forbidden."
        yield (*path, "Payload"), (f'Invalid payload "{block.payload}"', detail)
    both = sorted(set(block.meta_required) & set(block.meta_optional))
    if both:
        detail = f"{', '.join(both)}: remove it from one of the lists."
        yield path, ("Meta keys are both required and optional", detail)
