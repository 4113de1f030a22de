"""The sensitive values of versions that jobs go back to by themselves, looked up before they may.

Where they are not to be had, that is said before anything is touched, and the job stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitops.sealing import Vault
from gitops.specs import vault_of
from gitops.workspace import Workspace
from planner.errors import OrchError
from planner.job import Job
from planner.plan import JobPlan
from planner.recorded import JobVersion, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysBack:
    """What is known of the versions that planned jobs may go back to."""

    vault: Vault
    closed: tuple[tuple[str, JobVersion], ...] = ()

    def can_open(self, job: Job) -> bool:
        """Whether all sensitive values of a spec are known."""
        return _opens(self.vault, job)

    def warnings(self) -> Iterator[str]:
        """Say which jobs can't go back, should their rollout fail."""
        for key, version in self.closed:
            yield (
                f"job {key!r} would not be rolled back by itself if this fails: the sensitive "
                f"values of version {version.version} are not at hand"
            )


def ways_back(
    workspace: Workspace, plans: Iterable[JobPlan], recorded: Recorded, vault: Vault
) -> WaysBack:
    """Return the vault with the values of the versions that these jobs may go back to."""
    closed: list[tuple[str, JobVersion]] = []
    for key, version in _versions(plans, recorded):
        if not _opens(vault, version.job):
            vault = _joined(vault, vault_of(workspace, version))
        if not _opens(vault, version.job):
            closed.append((key, version))
    return WaysBack(vault=vault, closed=tuple(closed))


def _versions(plans: Iterable[JobPlan], recorded: Recorded) -> Iterator[tuple[str, JobVersion]]:
    for plan in plans:
        reverts = any(g.update and g.update.auto_revert for g in plan.job.task_groups)
        stable = (v for v in recorded.job(plan.key).versions if v.stable and not v.job.stop)
        version = next(stable, None)
        if reverts and version is not None and not plan.job.stop:
            yield plan.key, version


def _opens(vault: Vault, job: Job) -> bool:
    try:
        vault.opened(job)
    except OrchError:
        return False
    return True


def _joined(one: Vault, other: Vault) -> Vault:
    """Return the values of both: marks of a job differ where its values do."""
    keys = {**one.jobs, **other.jobs}
    return Vault({k: {**other.jobs.get(k, {}), **one.jobs.get(k, {})} for k in keys})
