"""The names of jobs across namespaces."""

from __future__ import annotations


def job_key(job_id: str, namespace: str = "default") -> str:
    """Name a job across namespaces: its id, followed by ``@namespace`` unless that is default."""
    return job_id if namespace == "default" else f"{job_id}@{namespace}"


def split_key(key: str) -> tuple[str, str]:
    """Return the id and the namespace of which `job_key` made the key."""
    job_id, at, namespace = key.rpartition("@")
    return (job_id, namespace) if at else (key, "default")
