"""Blocks that orch knows and does not honour yet."""

from __future__ import annotations

from planner.job import Job


def unsupported(job: Job) -> tuple[str, ...]:
    """Return the names of such blocks in a job."""
    del job
    return ()
