"""Limits and rules across fields of a canonical job. Pure; says where by the path of API names."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.jobspec.decode import Path
from planner.job import Job

Finding = tuple[Path, tuple[str, str]]


def validate(job: Job) -> Iterator[Finding]:
    """Yield (path, (summary, detail)) for everything that is wrong with a job."""
    return iter(())


def warn(job: Job) -> Iterator[Finding]:
    """Yield (path, (summary, detail)) for everything that is doubtful."""
    return iter(())
