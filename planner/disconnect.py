"""Allocations on hosts that do not answer: how long they are waited for, and who stays after.

What a group says in its `disconnect` block counts from when somebody who keeps watching noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.job import Disconnect, ReschedulePolicy
from planner.observed import Node, NodeStatus, Observed
from planner.recorded import AllocRecord, JobState
from planner.reschedule import due_after, is_due


def watched(before: Mapping[str, int], observed: Observed, now: int) -> dict[str, int]:
    """Return since when (ns) each unknown host is; `before` is what this said at the last look."""
    unknown = (n.name for n in observed.nodes.values() if n.status is NodeStatus.UNKNOWN)
    return {name: before.get(name, now) for name in unknown}


def with_silence(observed: Observed, since: Mapping[str, int], grace: int) -> Observed:
    """Return what was observed, with how long hosts have been unknown by now.

    What no `disconnect` block speaks of is lost after `grace` ns; where that is 0, never.
    """
    nodes = {
        name: replace(n, silent_since=since[name], lost_at=since[name] + grace if grace else 0)
        if name in since
        else n
        for name, n in observed.nodes.items()
    }
    return replace(observed, nodes=nodes)


def lost_at(node: Node, policy: Disconnect | None) -> int:
    """Return when (ns) an allocation of the unknown node is lost; 0 for never."""
    if not node.silent_since:
        return 0
    if policy is not None and policy.lost_after:
        return node.silent_since + policy.lost_after
    return node.lost_at


def is_replaced_by_now(
    state: JobState, record: AllocRecord, node: Node, policy: ReschedulePolicy | None, now: int
) -> bool:
    """Whether another one is to stand in for an allocation whose node does not answer."""
    due = due_after(state, record, policy, node.silent_since)
    return due is not None and is_due(due, now)


def original_stays(original: AllocRecord, other: AllocRecord, policy: Disconnect | None) -> bool:
    """Whether of two that run, once a node is back, the one that was cut off goes on.

    The other one was made to stand in for it.
    """
    if other.job_version > original.job_version:
        return False
    rule = policy.reconcile if policy else ""
    if rule == "keep_replacement":
        return False
    if rule in ("keep_original", "longest_running"):
        return rule == "keep_original" or _started(original) <= _started(other)
    return _score(other) <= _score(original)


def _started(record: AllocRecord) -> int:
    return min((t.started_at for t in record.tasks.values() if t.started_at), default=0)


def _score(record: AllocRecord) -> float:
    return next((s.final for s in record.scores if s.node == record.node), 0.0)
