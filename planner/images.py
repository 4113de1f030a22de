"""Images of a job's containers, and the digests that a new version goes on with. Asks nobody."""

from __future__ import annotations

from collections.abc import Mapping

from planner.job import Job, Task
from planner.plan import JobPlan
from planner.recorded import JobState, JobVersion

_DRIVER = "docker"
# A driver's config, as the job has it.
Config = Mapping[str, object]


def plain_reference(text: str) -> str:
    """The image's reference as docker takes it, of what a task's config says."""
    return text.removeprefix("docker://").removeprefix("https://")


def movable_images(job: Job) -> dict[str, Config]:
    """References that a registry may give another image for, with the config of their first task.

    Those that name a digest can't move; those with ``${…}`` may be another one on every host.
    """
    found: dict[str, Config] = {}
    for group in job.task_groups:
        for task in group.tasks:
            name = _reference(task)
            if name and "@" not in name and "${" not in name:
                found.setdefault(name, task.config)
    return found


def kept_images(job: Job, state: JobState) -> dict[str, str]:
    """Digests, by reference, that a new version of the job takes over from earlier ones.

    A version that is as one of those kept (a rollback) runs its images; else what is written as in
    the newest version stays what it is. With `force_pull`, and when a job that was stopped starts
    again, nothing is taken over.
    """
    current = state.current
    if current is None or (current.job.stop and not job.stop):
        return {}
    forced = frozenset[str]() if job.stop else _forced(job)
    known = {**current.images, **_same(job, state.versions)}
    return {r: known[r] for r in movable_images(job) if r in known and r not in forced}


def images_to_resolve(plan: JobPlan, state: JobState) -> dict[str, Config]:
    """References whose digest a registry must tell before the plan's new version is recorded."""
    if not plan.registers or plan.job.stop:
        return {}
    kept = kept_images(plan.job, state)
    return {r: config for r, config in movable_images(plan.job).items() if r not in kept}


def pulled_images(state: JobState, found: Mapping[str, str]) -> dict[str, str]:
    """Digests of `found`, by reference, that the job's newest version has and does not know yet."""
    version = state.current
    if version is None:
        return {}
    unknown = (r for r in movable_images(version.job) if r not in version.images)
    return {r: digest for r in unknown if (digest := found.get(r))}


def _reference(task: Task) -> str:
    image = task.config.get("image") if task.driver == _DRIVER else None
    return plain_reference(image) if isinstance(image, str) else ""


def _forced(job: Job) -> frozenset[str]:
    tasks = (t for g in job.task_groups for t in g.tasks)
    return frozenset(_reference(t) for t in tasks if t.config.get("force_pull") in (True, "true"))


def _same(job: Job, versions: tuple[JobVersion, ...]) -> Mapping[str, str]:
    same = (v.images for v in versions if v.job == job and v.images)
    return next(same, dict[str, str]())
