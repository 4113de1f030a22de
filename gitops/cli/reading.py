"""How the reading commands find their answers about jobs: the ledger, and the hosts it names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitops.cli import job_reading, reading_alloc, reading_decisions, reading_node
from gitops.cli.answer import Answer, answered
from gitops.cli.look import advise, session, workspace
from gitops.resolve import Kind, Match, alloc_named, job_named, resolved
from gitops.session import Session
from gitops.view import status_json
from gitops.view.alloc_text import alloc_list
from gitops.view.job_text import job_list, job_status_text
from gitops.view.options import StatusView
from planner.recorded import JobState, Recorded
from planner.status import Statuses, statuses


async def status(name: str, view: StatusView, *, jobs_only: bool = False) -> Answer:
    """Answer for all jobs, or for whatever the id is of; with `jobs_only` it is a job's."""
    ws = workspace()
    async with session(ws) as ties:
        return await found(ties, name, view, jobs_only=jobs_only)


async def found(ties: Session, name: str, view: StatusView, *, jobs_only: bool) -> Answer:
    """Answer as `status` does, over ties that there are already."""
    recorded = ties.ledger.read().folded()
    if not name:
        return await _jobs(ties, recorded)
    if jobs_only:
        return await _job(ties, job_named(name, recorded), recorded, view)
    return await _about(ties, resolved(name, recorded), recorded, view)


async def _about(ties: Session, match: Match, recorded: Recorded, view: StatusView) -> Answer:
    match match.kind:
        case Kind.JOB:
            return await _job(ties, match.id, recorded, view)
        case Kind.ALLOC:
            return await reading_alloc.about(ties, alloc_named(match.id, recorded), view)
        case Kind.NODE:
            return await reading_node.about(ties, match.id, view)
        case Kind.DEPLOYMENT:
            return reading_decisions.deployment(match.id, recorded, view)
        case Kind.EVALUATION:
            return reading_decisions.evaluation(match.id, recorded, view)


async def _jobs(ties: Session, recorded: Recorded) -> Answer:
    look = await ties.look(_hosts(recorded.jobs.values()), last=True)
    advise(ties)
    jobs: list[tuple[JobState, Statuses]] = [
        (state, statuses(state, look.observed)) for _, state in sorted(look.recorded.jobs.items())
    ]
    stubs = [status_json.job_stub(s, f) for s, f in jobs]
    return answered(job_list(jobs), [stub for stub in stubs if stub], look)


async def _job(ties: Session, key: str, recorded: Recorded, view: StatusView) -> Answer:
    look = await ties.look(_hosts([recorded.job(key)]), last=True)
    advise(ties)
    state = look.recorded.job(key)
    found = statuses(state, look.observed)
    text = job_status_text(state, found, view)
    return answered(text, status_json.job_status_data(state, found), look)


async def allocations(name: str, view: StatusView) -> Answer:
    """Answer with all allocations of a job; hosts are asked for those that have not ended."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = ties.ledger.read().folded()
        key = job_named(name, recorded)
        look = await ties.look(_hosts([recorded.job(key)]), last=True)
        advise(ties)
    state = look.recorded.job(key)
    found = statuses(state, look.observed)
    data = [status_json.alloc_data(state, a, found) for a in state.allocs]
    return answered("\n".join(alloc_list(state.allocs, found, view)), data, look)


def _hosts(jobs: Iterable[JobState]) -> frozenset[str]:
    return frozenset(a.node for s in jobs for a in s.allocs if not a.client.terminal)


def inspect(name: str, version: int | None) -> Any:  # noqa: ANN401
    """Return a job's specification; the newest version unless one is asked for."""
    state = job_reading.recorded_job(name)
    if version is not None:
        job_reading.version_of(state, version)
    return status_json.job_data(state, version)
