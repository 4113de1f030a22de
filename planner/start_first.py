"""Starting the new before the old is stopped: where that may be done, and what becomes of both.

A successor runs beside its predecessor under the same name until it has been found healthy. Then
the old one is stopped; a successor that turns out badly goes, and the old one has never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.action import Action
from planner.group_case import Decision, GroupCase, left, stop
from planner.job import Job, TaskGroup
from planner.recorded import AllocRecord, DeploymentStatus
from planner.standing import UPDATED, Pile, Standing, View
from planner.update_order import UpdateOrder

_WAITS = "it runs on until its successor is healthy"


def why_not(job: Job, group: TaskGroup) -> str:
    """Return why the old allocations of a group have to stop before new ones start, or nothing."""
    if job.type != "service":
        return f"a {job.type} job"
    if group.update is None or not group.update.max_parallel:
        return "no update block that goes step by step"
    networks = (*group.networks, *(n for t in group.tasks for n in t.resources.networks))
    ports = [p.value for n in networks for p in n.reserved_ports]
    if ports:
        return f"static port {min(ports)}"
    volumes = sorted(v.name for v in group.volumes.values() if not v.read_only)
    if volumes:
        return f'volume "{volumes[0]}" has one writer'
    disk = group.ephemeral_disk
    return "its disk goes from the old to the new" if disk.sticky or disk.migrate else ""


def ordered(case: GroupCase, decision: Decision) -> Decision:
    """Say of a replacement whether the new one starts first, and else why not."""
    change, order = decision.change, case.view.order
    if order is UpdateOrder.STOP_FIRST or case.group is None:
        return decision
    why = "" if order is UpdateOrder.START_FIRST else why_not(case.view.job, case.group)
    if change.action is not Action.DESTRUCTIVE:
        return decision
    reason = f"{change.reason}; stops first: {why}" if why else change.reason
    return replace(decision, change=replace(change, start_first=not why, reason=reason))


def without_pairs(case: GroupCase) -> tuple[GroupCase, list[Decision]]:
    """Set aside what stands beside another one of its name, old or new; decide about that."""
    if case.group is None:
        return case, []
    aside: dict[str, Decision] = {}
    for new in case.standings:
        if not new.record.starts_first or new.pile is Pile.STOPPING:
            continue
        old = _predecessor(case, new.record)
        if old is not None:
            gone = _decided(case.view, old, new)
            aside[gone.change.alloc] = gone
    standings = tuple(s for s in case.standings if s.record.id not in aside)
    return replace(case, standings=standings), list(aside.values())


def _decided(view: View, old: Standing, new: Standing) -> Decision:
    """Decide about one of a pair: the old one, or the new where that has come to nothing."""
    if new.record.healthy is True:
        if old.pile is Pile.UNKNOWN:
            return left(old, old.reason)
        return stop(old, "its successor is healthy", UPDATED)
    deployment = view.deployment
    goes_on = deployment is not None and deployment.status is not DeploymentStatus.FAILED
    if goes_on and deployment is not None and new.record.deployment == deployment.id:
        return left(old, _WAITS)
    return stop(new, "it never became healthy, and the old one runs")


def _predecessor(case: GroupCase, record: AllocRecord) -> Standing | None:
    """The allocation that a successor was started beside, if that still stands.

    Between the two there may be successors that have failed.
    """
    standing = {s.record.id: s for s in case.standings if s.pile is not Pile.STOPPING}
    for before in _line(case.view, record):
        found = standing.get(before.id)
        if found is not None and not before.terminal:
            return found
    return None


def _line(view: View, record: AllocRecord) -> Iterator[AllocRecord]:
    """Those that a successor comes from, the last first, up to the first that was none itself."""
    while record.starts_first and (before := view.state.alloc(record.previous)) is not None:
        yield before
        record = before
