"""How each recorded allocation stands: recorded and observed, put side by side. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from planner.capacity import is_live
from planner.client import client_status, runs_again
from planner.disconnect import is_replaced_by_now, lost_at
from planner.fingerprint import spec_hash
from planner.job import Job, ReschedulePolicy
from planner.observed import Node, NodeStatus, Observed, ObservedAlloc
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
    DeploymentStatus,
    Desired,
    JobState,
)
from planner.reschedule import due_at, failed_nodes, is_due
from planner.update_order import UpdateOrder

# Why allocations are stopped, as it is recorded of them.
NOT_NEEDED = "alloc not needed due to job update"
UPDATED = "alloc is being updated due to job update"
LOST = "alloc is lost since its node is down"
MISSING = "alloc is lost since its host does not have it"
ENDED = "alloc was replaced because its tasks have ended"
RECONNECTED = "alloc not needed due to disconnected client reconnect"
MIGRATED = "alloc is being migrated"
TAINTED = "alloc not needed as node is tainted"
ALTERED = "alloc is replaced since it was changed on its host"
# Nomad gives no reason here.
RESCHEDULED = ""


class Pile(StrEnum):
    """What kind of attention an allocation needs, before counts and updates are looked at."""

    KEEP = "keep"
    RESUME = "resume"
    REPLACE = "replace"
    RESCHEDULE = "reschedule"
    MIGRATE = "migrate"
    UNKNOWN = "unknown"
    CUT_OFF = "cut off"
    FINISHED = "finished"
    STOPPING = "stopping"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One allocation as it stands, with the pile it goes to and why.

    `stop_description` is what is recorded of it if something else takes its place. `lost` says
    that its host is given up, and is told nothing. `runs_again` says that its host, which went back
    to how it was before, does not know that it has ended.
    """

    record: AllocRecord
    pile: Pile
    status: ClientStatus
    reason: str = ""
    stop_description: str = ""
    avoid: frozenset[str] = frozenset()
    seen: ObservedAlloc | None = None
    lost: bool = False
    runs_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What standings are judged by: the job's spec and records, the hosts, the time in ns."""

    job: Job
    state: JobState
    observed: Observed
    now: int
    registers: bool
    order: UpdateOrder = UpdateOrder.STOP_FIRST

    @property
    def deployment(self) -> Deployment | None:
        """The deployment of the spec that is planned, if it was tried before and is not done."""
        latest, current = self.state.deployment, self.state.current
        if self.registers or latest is None or current is None:
            return None
        ended = (DeploymentStatus.SUCCESSFUL, DeploymentStatus.CANCELLED)
        same = latest.job_version == current.version
        return latest if same and latest.status not in ended else None

    def is_trying(self, group: str) -> bool:
        """Whether canaries of the planned spec have yet to be found good, in that group."""
        deployment = self.deployment
        if deployment is None or deployment.status is DeploymentStatus.FAILED:
            return False
        progress = deployment.groups.get(group)
        return progress is not None and bool(progress.desired_canaries) and not progress.promoted

    def is_promoted(self, group: str) -> bool:
        """Whether canaries of the planned spec were found good, in that group."""
        deployment = self.deployment
        progress = deployment.groups.get(group) if deployment is not None else None
        return progress is not None and progress.promoted

    def is_canary(self, record: AllocRecord) -> bool:
        """Whether the allocation tries a version beside the others, and nobody has promoted it."""
        if not record.canary:
            return False
        made = next((d for d in self.state.deployments if d.id == record.deployment), None)
        if made is None:
            return True
        progress = made.groups.get(record.group)
        promoted = progress is not None and progress.promoted
        return not promoted and made.status is not DeploymentStatus.SUCCESSFUL

    def is_outdated(self, record: AllocRecord) -> bool:
        """Whether the allocation runs another spec than the one that is planned."""
        current = self.state.current
        return self.registers or current is None or record.job_version != current.version

    def own_job(self, record: AllocRecord) -> Job:
        """The version of the job that the allocation runs; the planned one where that is lost."""
        version = self.state.version(record.job_version)
        return version.job if version is not None else self.job

    def runs_this(self, record: AllocRecord) -> bool:
        """Whether an allocation of a version that is lost was started from the planned spec.

        Its host says so; what changed besides can be brought to it in place.
        """
        seen = self.observed.allocs.get(record.id)
        if seen is None or not seen.spec or self.state.version(record.job_version) is not None:
            return False
        return seen.spec == spec_hash(self.job, record.group)

    def has_failed_with(self, record: AllocRecord) -> bool:
        """Whether the allocation belongs to a deployment of this spec that has failed."""
        deployment = self.deployment
        return (
            deployment is not None
            and deployment.status is DeploymentStatus.FAILED
            and record.deployment == deployment.id
        )


def standing(view: View, record: AllocRecord) -> Standing:
    """Judge one recorded allocation."""
    node = view.observed.nodes.get(record.node)
    seen = view.observed.allocs.get(record.id)
    if seen is not None:
        record = replace(record, tasks=seen.tasks)
    status = client_status(record, seen, node.status if node else NodeStatus.UNKNOWN)
    again = node is not None and node.status is NodeStatus.READY and runs_again(record, seen)
    base = Standing(record=record, pile=Pile.KEEP, status=status, seen=seen, runs_again=again)
    if record.desired is Desired.STOP:
        return _told_to_stop(view, base, node)
    if status is ClientStatus.UNKNOWN:
        return _unknown(view, base, node)
    if record.migrate and not status.terminal:
        reason = "it was told to stop"
        return replace(base, pile=Pile.MIGRATE, reason=reason, stop_description=MIGRATED)
    if seen is not None and (unlike := _unlike(view, base, seen)) is not None:
        return unlike
    return _JUDGES.get(status, _kept)(view, base)


def _unlike(view: View, base: Standing, seen: ObservedAlloc) -> Standing | None:
    """Judge an allocation that its host has, though not as it was left there."""
    if base.status.terminal:
        return None
    if (found := _altered(view, base, seen)) is not None:
        return found
    if not seen.unattended or view.is_outdated(base.record):
        return None
    return replace(base, pile=Pile.RESUME, reason=f"nobody on {seen.node} sees to it")


def _altered(view: View, base: Standing, seen: ObservedAlloc) -> Standing | None:
    if seen.desired == "stop":
        reason = f"{seen.node} was told to stop it, the records were not"
        return replace(base, pile=Pile.REPLACE, reason=reason, stop_description=MISSING)
    altered = seen.missing or seen.changed
    if not altered:
        return None
    if seen.missing and _is_batch(view):
        # It may have done its work: nobody knows, and it is not done twice.
        return replace(base, reason=f"{altered}: how it ended is not known")
    return replace(base, pile=Pile.REPLACE, reason=altered, stop_description=ALTERED)


def _unknown(view: View, base: Standing, node: Node | None) -> Standing:
    """Nothing is known of its host: it is waited for, and lost when that takes too long."""
    record = base.record
    base = replace(base, pile=Pile.UNKNOWN, reason=unknown_reason(record.node, node))
    if node is None or not node.silent_since:
        return base
    group = view.own_job(record).group(record.group)
    policy = group.disconnect if group else None
    lost = lost_at(node, policy)
    if lost and view.now >= lost:
        return _lost(view, replace(base, status=ClientStatus.LOST))
    waits = policy is not None and policy.lost_after > 0 and policy.replace
    if waits and view.job.type in ("service", "batch"):
        reschedule = group.reschedule_policy if group else None
        if is_replaced_by_now(view.state, record, node, reschedule, view.now):
            return replace(base, pile=Pile.CUT_OFF)
    return base


def unknown_reason(host: str, node: Node | None) -> str:
    """Say why nothing is known of a host."""
    why = node.reason if node else f"{host} is not in the inventory"
    return f"host is unknown: {why}" if why else "host is unknown"


def _told_to_stop(view: View, base: Standing, node: Node | None) -> Standing:
    reachable = node is not None and node.status is NodeStatus.READY
    runs = base.seen is not None and (base.seen.desired != "stop" or is_live(base.seen))
    if not reachable or not runs:
        if reachable and _is_batch(view) and view.is_outdated(base.record):
            return replace(base, pile=Pile.FINISHED, reason="an older version was stopped")
        return replace(base, pile=Pile.GONE)
    return replace(
        base,
        pile=Pile.STOPPING,
        reason=f"still on {base.record.node}, though it was decided to stop",
        stop_description=base.record.desired_description,
    )


def _kept(_: View, base: Standing) -> Standing:
    return base


def _pending(view: View, base: Standing) -> Standing:
    if base.seen is not None and base.seen.tasks:
        return base
    if view.is_outdated(base.record):
        reason = "an older version was decided, but never started"
        return replace(base, pile=Pile.REPLACE, reason=reason, stop_description=UPDATED)
    reason = "an interrupted run had decided it"
    return replace(base, pile=Pile.RESUME, reason=reason)


def _lost(view: View, base: Standing) -> Standing:
    host = base.record.node
    node = view.observed.nodes.get(host)
    is_down = node is not None and node.status is not NodeStatus.READY
    reason, description = (f"{host} is down", LOST) if is_down else (f"missing on {host}", MISSING)
    return replace(
        base, pile=Pile.REPLACE, reason=reason, stop_description=description, lost=is_down
    )


def _is_batch(view: View) -> bool:
    return view.job.type == "batch"


def _complete(view: View, base: Standing) -> Standing:
    if view.job.type == "sysbatch":
        return replace(base, reason="has completed")
    if not _is_batch(view):
        reason = "all its tasks have ended"
        return replace(base, pile=Pile.REPLACE, reason=reason, stop_description=ENDED)
    return _ended_batch(view, base, "has completed")


def _ended_batch(view: View, base: Standing, reason: str) -> Standing:
    if _is_batch(view) and view.is_outdated(base.record) and not view.runs_this(base.record):
        return replace(base, pile=Pile.FINISHED, reason=f"an older version {reason}")
    return replace(base, reason=reason)


def _failed(view: View, base: Standing) -> Standing:
    base = _ended_batch(view, base, "has failed")
    if base.pile is Pile.FINISHED:
        return base
    if view.has_failed_with(base.record):
        return replace(base, reason="has failed, and so has its deployment")
    due = due_at(view.state, base.record, _reschedule_policy(view, base.record))
    if due is None:
        return replace(base, reason="has failed, and may not be rescheduled any more")
    if base.record.force_reschedule:
        return _rescheduled(view, base, "has failed, and is to be placed again")
    if not is_due(due, view.now):
        seconds = -((view.now - due) // 1_000_000_000)
        return replace(base, reason=f"has failed, to be rescheduled in {seconds}s")
    return _rescheduled(view, base, "has failed")


def _reschedule_policy(view: View, record: AllocRecord) -> ReschedulePolicy | None:
    """Nomad places failed system allocations again at the job's next evaluation, whenever that is.

    Here every look is one, so they wait as long as those of a service.
    """
    job = view.own_job(record)
    group = job.group(record.group)
    policy = group.reschedule_policy if group else None
    return policy or (ReschedulePolicy() if job.type == "system" else None)


def _rescheduled(view: View, base: Standing, reason: str) -> Standing:
    return replace(
        base,
        pile=Pile.RESCHEDULE,
        reason=reason,
        stop_description=RESCHEDULED,
        avoid=failed_nodes(view.state, base.record),
    )


_JUDGES: dict[ClientStatus, Callable[[View, Standing], Standing]] = {
    ClientStatus.PENDING: _pending,
    ClientStatus.LOST: _lost,
    ClientStatus.COMPLETE: _complete,
    ClientStatus.FAILED: _failed,
}
