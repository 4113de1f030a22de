"""Driving recorded jobs on, attached: as they are recorded, or with another spec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gitops.cli.applying import Applying
from gitops.cli.look import Approval, Look
from gitops.jobspec.unsupported import unsupported
from gitops.orders import Orders
from gitops.planning import Desired
from gitops.request import SpecRequest
from gitops.sealing import Vault
from gitops.session import Session
from gitops.specs import vault_of
from planner.errors import OrchError
from planner.job import Job
from planner.job_key import job_key
from planner.recorded import JobState, JobVersion
from planner.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """A spec that is to run from now on, and the recorded version that it was taken from.

    `index` is the job modify index at which that was decided.
    """

    version: JobVersion
    job: Job
    index: int

    @property
    def key(self) -> str:
        """The job's key."""
        return job_key(self.job.id, self.job.namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How jobs are driven on: with which orders, on which condition, and whether it is asked.

    `remedy` is what to do where nobody can be asked.
    """

    orders: Orders = field(default_factory=Orders)
    check_index: int | None = None
    asks: bool = False
    remedy: str = "Give -yes."


def known_version(state: JobState) -> JobVersion:
    """Return the newest version of a job; `OrchError` where its spec is not known."""
    if state.current is None:
        raise OrchError(
            f"job {state.key!r} was found on its hosts, and its spec is not known",
            "Apply its file.",
        )
    return state.current


def as_recorded(state: JobState) -> Driven:
    """Return a job as its newest version has it."""
    return changed(state, known_version(state).job)


def changed(state: JobState, job: Job, version: JobVersion | None = None) -> Driven:
    """Return another spec of a job, taken from a version: the newest unless one is given."""
    return Driven(version=version or known_version(state), job=job, index=state.job_modify_index)


async def drive(ties: Session, look: Look, jobs: Sequence[Driven], manner: Manner) -> int:
    """Plan the jobs, carry that out to its end, and return the exit code."""
    # What a job was applied without, it goes on without.
    ignored = {block for d in jobs for block in unsupported(d.job)}
    approval = Approval(
        check_index=manner.check_index,
        auto_approve=not manner.asks,
        ignored=tuple(sorted(ignored)),
        remedy=manner.remedy,
    )
    commits = {d.key: d.version.commit for d in jobs if d.version.commit}
    applying = Applying(
        ties=ties,
        look=look,
        approval=approval,
        request=SpecRequest(),
        orders=replace(manner.orders, commits=commits, expects={d.key: d.index for d in jobs}),
    )
    return await applying.run(_desired(ties, jobs))


def _desired(ties: Session, jobs: Sequence[Driven]) -> Desired:
    vaults = [vault_of(ties.workspace, d.version) for d in jobs]
    commits = {d.version.commit for d in jobs}
    return Desired(
        jobs=tuple((d.version.path, d.job) for d in jobs),
        source=Source(commit=commits.pop() if len(commits) == 1 else ""),
        vault=Vault({key: each for vault in vaults for key, each in vault.jobs.items()}),
    )
