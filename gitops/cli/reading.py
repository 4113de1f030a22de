"""How the reading commands find their answers: the ledger, and the hosts it points at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops.cli.look import INCOMPLETE, advise, session, workspace
from gitops.cli.say import note
from gitops.ledger.opening import open_ledger
from gitops.planning import Look, unknown_hosts
from gitops.resolve import alloc_named, allocs_named, job_named, node_named
from gitops.session import ledger_address
from gitops.view import status_json
from gitops.view.alloc_text import alloc_status
from gitops.view.job_text import job_history, job_list, job_status_text
from gitops.view.node_text import node_list, node_status
from gitops.view.options import StatusView
from gitops.view.safe import clean
from planner.errors import OrchError
from planner.recorded import JobState, Recorded
from planner.status import Statuses, statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a reading command prints, as text or as JSON."""

    text: str
    data: Any
    exit_code: int = 0


async def status(name: str, view: StatusView) -> Answer:
    """Answer for all jobs, for one job, or for one allocation."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = ties.ledger.read().folded()
        if not name:
            look = await ties.look(_hosts(recorded.jobs.values()))
            advise(ties)
            return _job_list(look)
        key = _job_or_alloc(name, recorded)
        look = await ties.look(_hosts([recorded.job(key)]))
        advise(ties)
    state = look.recorded.job(key)
    found = statuses(state, look.observed)
    if key == name or key.startswith(name):
        return _answer(
            job_status_text(state, found, view), status_json.job_status_data(state, found), look
        )
    alloc = alloc_named(name, look.recorded).alloc
    seen = look.observed.allocs.get(alloc.id)
    text = alloc_status(state, alloc, seen, view, found)
    return _answer(text, status_json.alloc_data(state, alloc, found), look)


def _job_or_alloc(name: str, recorded: Recorded) -> str:
    """Return the key of the job that is meant, itself or by one of its allocations."""
    if not any(k.startswith(name) for k in recorded.jobs) and allocs_named(name, recorded):
        return alloc_named(name, recorded).state.key
    return job_named(name, recorded)


def _hosts(jobs: Any) -> frozenset[str]:  # noqa: ANN401
    states: list[JobState] = list(jobs)
    return frozenset(a.node for s in states for a in s.allocs if not a.client.terminal)


def _job_list(look: Look) -> Answer:
    jobs: list[tuple[JobState, Statuses]] = [
        (state, statuses(state, look.observed)) for _, state in sorted(look.recorded.jobs.items())
    ]
    return _answer(job_list(jobs), [status_json.job_stub(s, f) for s, f in jobs], look)


def _answer(text: str, data: Any, look: Look) -> Answer:  # noqa: ANN401
    unknown = unknown_hosts(look.observed)
    for host in unknown:
        note(f"Host {clean(host.host)} is unknown: {clean(host.reason)}")
    return Answer(text=text, data=data, exit_code=INCOMPLETE if unknown else 0)


async def nodes(name: str, limit: str, view: StatusView) -> Answer:
    """Answer for all nodes, or for one."""
    ws = workspace()
    async with session(ws, limit) as ties:
        look = await ties.look()
        advise(ties)
    known = look.observed.nodes
    if not name:
        return _answer(node_list(known.values(), view), status_json.node_data(known.values()), look)
    node = node_named(name, known)
    jobs = look.recorded.jobs.values()
    allocs = [a for s in jobs for a in s.allocs if a.node == node.name]
    found = {k: v for s in jobs for k, v in statuses(s, look.observed).items()}
    text = node_status(node, look.observed, allocs, found, view)
    return _answer(text, status_json.node_data([node]), look)


def history(name: str, *, diffs: bool) -> Answer:
    """Answer with a job's versions; hosts are not asked."""
    state = _recorded_job(name)
    versions = [
        {
            "Version": v.version,
            "Stable": v.stable,
            "SubmitTime": v.submit_time,
            "JobModifyIndex": v.index,
            "Commit": v.commit,
            "Path": v.path,
        }
        for v in state.versions
    ]
    return Answer(text=job_history(state, diffs=diffs), data=versions)


def inspect(name: str, version: int | None) -> Any:  # noqa: ANN401
    """Return a job's specification; the newest version unless one is asked for."""
    state = _recorded_job(name)
    data = status_json.job_data(state, version)
    if data is None:
        kept = ", ".join(str(v.version) for v in state.versions)
        raise OrchError(f"job {state.key!r} has no version {version}", f"It has: {kept}.")
    return data


def _recorded_job(name: str) -> JobState:
    ws = workspace()
    recorded = open_ledger(ledger_address(ws)).read().folded()
    return recorded.job(job_named(name, recorded))
