"""What became of an allocation, from its record and what its host shows. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from planner.observed import NodeStatus, ObservedAlloc, TaskPhase, TaskState
from planner.recorded import AllocRecord, ClientStatus, Desired

_DESCRIPTIONS = {
    ClientStatus.PENDING: "No tasks have started",
    ClientStatus.RUNNING: "Tasks are running",
    ClientStatus.COMPLETE: "All tasks have completed",
    ClientStatus.FAILED: "Failed tasks",
    ClientStatus.LOST: "Node was declared lost, or no longer knows the allocation",
    ClientStatus.UNKNOWN: "Node does not answer",
}


def client_status(
    record: AllocRecord, observed: ObservedAlloc | None, node: NodeStatus
) -> ClientStatus:
    """Return the status of `record`, given what its node shows of it.

    A recorded end is final, but for what was taken for lost and is there: its node is back. On a
    node that does not answer it is unknown, on one that is down lost. Where a node that answers has
    no record of the allocation, it was never started (pending), has been cleaned up after a stop
    (complete), or is lost.
    """
    is_back = observed is not None and node is NodeStatus.READY
    if record.client.terminal and not (record.client is ClientStatus.LOST and is_back):
        return record.client
    if node is NodeStatus.UNKNOWN:
        return ClientStatus.UNKNOWN
    if node is NodeStatus.DOWN:
        return ClientStatus.LOST
    if observed is None:
        return _unseen(record)
    if observed.unattended or observed.missing:
        return ClientStatus.PENDING
    return task_status(observed.tasks.values())


def runs_again(record: AllocRecord, observed: ObservedAlloc | None) -> bool:
    """Whether a node goes on with what has ended by its record, or would if anybody saw to it.

    It went back to how it was before. What was taken for lost has not ended.
    """
    ended = record.client.terminal and record.client is not ClientStatus.LOST
    if not ended or observed is None or observed.desired == "stop":
        return False
    return observed.unattended or not task_status(observed.tasks.values()).terminal


def _unseen(record: AllocRecord) -> ClientStatus:
    if record.desired is Desired.STOP:
        return ClientStatus.COMPLETE
    return ClientStatus.PENDING if record.client is ClientStatus.PENDING else ClientStatus.LOST


def task_status(tasks: Iterable[TaskState]) -> ClientStatus:
    """Derive an allocation's status from its tasks: one failed task fails the whole of it."""
    states = tuple(tasks)
    phases = {t.state for t in states}
    if any(t.failed and t.state is TaskPhase.DEAD for t in states):
        return ClientStatus.FAILED
    if TaskPhase.RUNNING in phases:
        return ClientStatus.RUNNING
    if TaskPhase.PENDING in phases or not states:
        return ClientStatus.PENDING
    return ClientStatus.COMPLETE


def client_description(status: ClientStatus) -> str:
    """Return the sentence that goes with a status."""
    return _DESCRIPTIONS[status]
