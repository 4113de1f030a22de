"""The state of jobs and allocations in one word each, from records and observations. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from planner.client import client_status
from planner.observed import NodeStatus, Observed
from planner.recorded import AllocRecord, ClientStatus, Desired, JobState

Statuses = Mapping[str, ClientStatus]


def statuses(state: JobState, observed: Observed | None) -> Statuses:
    """Return the client status of each allocation of a job, by id.

    Without observations, what is recorded is returned. A node that is not among the observed
    ones is unknown.
    """
    if observed is None:
        return {a.id: a.client for a in state.allocs}
    return {a.id: _status(a, observed) for a in state.allocs}


def _status(alloc: AllocRecord, observed: Observed) -> ClientStatus:
    node = observed.nodes.get(alloc.node)
    return client_status(
        alloc, observed.allocs.get(alloc.id), NodeStatus.UNKNOWN if node is None else node.status
    )


def job_status(state: JobState, found: Statuses) -> str:
    """Return ``pending``, ``running`` or ``dead``, with ``(stopped)`` for a job told to stop."""
    if state.current is None:
        return _word(state, found) if state.allocs else "dead"
    job = state.current.job
    parent = job.type == "system" or job.periodic is not None or job.parameterized_job is not None
    if parent:
        return "dead (stopped)" if job.stop else "running"
    return _word(state, found) + (" (stopped)" if job.stop else "")


def _word(state: JobState, found: Statuses) -> str:
    deploys = state.deployment is not None and state.deployment.status.active
    if deploys or any(_lives(a, found) for a in state.allocs):
        return "running"
    waits = any(e.status in ("pending", "blocked") for e in state.evaluations)
    queued = bool(state.evaluations) and any(state.evaluations[-1].queued.values())
    stopped = state.current is not None and state.current.job.stop
    return "pending" if waits or queued or not (state.allocs or stopped) else "dead"


def _lives(alloc: AllocRecord, found: Statuses) -> bool:
    return alloc.desired is Desired.RUN and not found.get(alloc.id, alloc.client).terminal


def summary(state: JobState, found: Statuses) -> Mapping[str, Counter[str]]:
    """Count each group's allocations by client status, plus ``queued`` ones that have no place."""
    names = {a.group for a in state.allocs}
    if state.current is not None:
        names |= {g.name for g in state.current.job.task_groups}
    counts = {name: Counter[str]() for name in sorted(names)}
    for alloc in state.allocs:
        counts[alloc.group][found.get(alloc.id, alloc.client).value] += 1
    if state.evaluations:
        for name, n in state.evaluations[-1].queued.items():
            counts.setdefault(name, Counter())["queued"] += n
    return counts
