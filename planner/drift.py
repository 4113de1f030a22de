"""Where hosts differ from the records, whatever the specs say. Reports, and never repairs."""

from __future__ import annotations

from collections.abc import Iterator

from planner.capacity import is_live
from planner.client import client_status
from planner.evaluate import Situation
from planner.observed import Node, NodeStatus, ObservedAlloc
from planner.plan import Drift
from planner.recorded import AllocRecord, ClientStatus, Desired

MISSING = "missing"
DEAD = "dead"
EXTRA = "extra"
STALE = "stale version"
STOPPED = "stopped"
CHANGED = "changed"


def drift(situation: Situation) -> tuple[Drift, ...]:
    """Return what differs on the hosts that answered, ordered by host, kind and name.

    Missing: a recorded allocation that was started is not on its host. Dead: it is, and has
    failed. Stopped: it should run, and nobody on the host sees to it. Changed: a container of it is
    not as it was made. Extra: a host runs what is not recorded, or was decided to stop. Stale
    version: an update in place has not arrived.
    """
    found = (*_recorded(situation), *_extra(situation))
    return tuple(sorted(found, key=lambda d: (d.host, d.kind, d.name, d.alloc)))


def _recorded(situation: Situation) -> Iterator[Drift]:
    observed = situation.observed
    for state in situation.recorded.jobs.values():
        for record in state.allocs:
            node = observed.nodes.get(record.node)
            seen = observed.allocs.get(record.id)
            if node is None or node.status is not NodeStatus.READY:
                continue
            if record.desired is Desired.RUN and not record.client.terminal:
                yield from _differing(record, node, seen)
            elif record.desired is Desired.STOP and seen is not None and is_live(seen):
                yield _drift(EXTRA, record, "decided to stop, and still there")


def _differing(record: AllocRecord, node: Node, seen: ObservedAlloc | None) -> Iterator[Drift]:
    status = client_status(record, seen, node.status)
    if status is ClientStatus.LOST:
        yield _drift(MISSING, record, "recorded as running, and not there")
    if status is ClientStatus.FAILED and seen is not None:
        dead = (name for name, task in sorted(seen.tasks.items()) if task.failed)
        yield _drift(DEAD, record, f"task {next(dead)} has failed")
    if seen is not None and seen.desired != "stop":
        yield from _tampered(record, seen)
    if seen is not None and seen.version < record.job_version:
        detail = f"version {seen.version} is there, {record.job_version} is recorded"
        yield _drift(STALE, record, detail)


def _tampered(record: AllocRecord, seen: ObservedAlloc) -> Iterator[Drift]:
    if seen.missing:
        yield _drift(MISSING, record, seen.missing)
    if seen.changed:
        yield _drift(CHANGED, record, seen.changed)
    if seen.unattended and record.client is not ClientStatus.PENDING:
        codes = (t.exit_code for t in seen.tasks.values())
        code = next((c for c in codes if c is not None), None)
        how = "" if code is None else f", exit code {code}"
        yield _drift(STOPPED, record, f"it has ended{how}, and nobody there starts it again")


def _drift(kind: str, record: AllocRecord, detail: str) -> Drift:
    return Drift(kind=kind, host=record.node, alloc=record.id, name=record.name, detail=detail)


def _extra(situation: Situation) -> Iterator[Drift]:
    jobs = situation.recorded.jobs.values()
    known = {record.id for state in jobs for record in state.allocs}
    for seen in situation.observed.allocs.values():
        if seen.id not in known and is_live(seen):
            yield Drift(
                kind=EXTRA,
                host=seen.node,
                alloc=seen.id,
                name=seen.name,
                detail="not recorded: it counts as used, and is left alone",
            )
