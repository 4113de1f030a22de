"""Where a job goes back to when its deployment has failed and `auto_revert` says so. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from planner.job import Job
from planner.recorded import Deployment, DeploymentStatus, JobState, JobVersion

_ROLLS_BACK = " - rolling back to job version"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """The version to go back to, if there is one, and what the deployment says of it."""

    version: JobVersion | None = None
    told: str = ""


def way_back(state: JobState, deployment: Deployment, groups: Collection[str] = ()) -> WayBack:
    """Return where the job goes back to: the newest stable version, if that is another spec.

    `groups` are those that failed the deployment, all where none is named; one of them has to ask
    for it by `auto_revert`.
    """
    failing = groups or deployment.groups
    if not any(g in failing and p.auto_revert for g, p in deployment.groups.items()):
        return WayBack()
    stable = next((v for v in state.versions if v.stable and not v.job.stop), None)
    if stable is None:
        return WayBack(told=" - no stable job version to auto revert to")
    failed = state.version(deployment.job_version)
    if failed is not None and failed.job == stable.job:
        same = f" - not rolling back to stable job version {stable.version}"
        return WayBack(told=f"{same} as current job has same specification")
    return WayBack(version=stable, told=f"{_ROLLS_BACK} {stable.version}")


def taken_back(state: JobState, job: Job) -> JobVersion | None:
    """Return the version as which this spec was tried last, if it failed and was taken back.

    None where it is what the job has now, or where its deployment did not end by going back.
    """
    tried = next((v for v in state.versions if v.job == job), None)
    if tried is None or state.current is None or tried.version == state.current.version:
        return None
    ends = (d for d in reversed(state.deployments) if d.job_version == tried.version)
    end = next(ends, None)
    went_back = end is not None and _ROLLS_BACK in end.description
    return tried if went_back and end and end.status is DeploymentStatus.FAILED else None
