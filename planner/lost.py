"""Hosts that somebody has declared lost: what that decides, and what comes first when they return.

Pure. As long as such a host does not answer it counts as down, so that what ran there is replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from planner.capacity import is_live
from planner.errors import OrchError
from planner.node_record import NodeRecord
from planner.observed import Node, NodeStatus, Observed
from planner.recorded import Recorded
from planner.standing import LOST

DECLARED = "somebody has declared it lost"


def declared(
    nodes: Mapping[str, Node], recorded: Recorded, hosts: Collection[str], now: int
) -> tuple[NodeRecord, ...]:
    """Return the records of hosts that are declared lost at `now` (ns).

    Raises `OrchError` for one that answers, that is not looked at, or that was never enrolled.
    """
    return tuple(_declared(nodes.get(h), recorded.nodes.get(h), h, now) for h in sorted(set(hosts)))


def _declared(node: Node | None, record: NodeRecord | None, host: str, now: int) -> NodeRecord:
    if record is None or node is None:
        raise OrchError(
            f"-lost {host}: no such host was enrolled, or it is not looked at",
            "See 'orch node status'.",
        )
    if node.status is NodeStatus.READY:
        raise OrchError(
            f"-lost {host}: it answers; nothing was touched",
            f"To move away what runs there: orch node drain -enable {host}",
        )
    return replace(record, lost=record.lost or now)


def down(observed: Observed, recorded: Recorded) -> Observed:
    """Return the fleet in which hosts that are lost by record, and do not answer, are down."""
    lost = {
        name: replace(node, status=NodeStatus.DOWN, reason=DECLARED)
        for name, node in observed.nodes.items()
        if node.status is NodeStatus.UNKNOWN
        and (record := recorded.nodes.get(name)) is not None
        and record.lost
    }
    return replace(observed, nodes={**observed.nodes, **lost}) if lost else observed


def returned(observed: Observed, recorded: Recorded) -> tuple[NodeRecord, ...]:
    """Return the records of hosts that were lost and answer again: they are lost no more."""
    ready = {n for n, node in observed.nodes.items() if node.status is NodeStatus.READY}
    return tuple(
        replace(r, lost=0) for n, r in sorted(recorded.nodes.items()) if r.lost and n in ready
    )


def crowded(observed: Observed, recorded: Recorded) -> frozenset[str]:
    """Return hosts on which something runs that was replaced elsewhere when they were lost.

    It is stopped there before anything else is placed.
    """
    replaced = {
        a.id
        for state in recorded.jobs.values()
        for a in state.allocs
        if a.desired_description == LOST and a.id in observed.allocs
    }
    return frozenset(
        seen.node
        for i in replaced
        if (seen := observed.allocs[i]).desired != "stop" and is_live(seen)
    )
