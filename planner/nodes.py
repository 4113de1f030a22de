"""Whether hosts that answered are the nodes on record: a stranger under a known name is unknown.

Pure: joins what was observed with what is recorded about nodes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from planner.lost import down
from planner.node_record import NodeRecord
from planner.observed import Node, NodeStatus, Observed
from planner.recorded import Recorded


def verified(observed: Observed, recorded: Recorded) -> Observed:
    """Return the observed fleet with eligibility from the records, and strangers made unknown.

    The allocations a stranger shows are dropped: they may be another machine's.
    """
    ids = Counter(n.id for n in observed.nodes.values() if n.id)
    # A copy of a host that does not answer is told by the records. One that is not looked at may
    # have been given another name.
    names = {r.id: name for name, r in recorded.nodes.items() if name in observed.nodes}
    nodes = {
        name: _verified(
            node,
            recorded.nodes.get(name),
            is_copy=ids[node.id] > 1 or names.get(node.id, name) != name,
        )
        for name, node in observed.nodes.items()
    }
    allocs = {a.id: a for a in observed.allocs.values() if nodes[a.node].status is NodeStatus.READY}
    return down(Observed(nodes=nodes, allocs=allocs), recorded)


def _verified(node: Node, record: NodeRecord | None, *, is_copy: bool) -> Node:
    if node.status is not NodeStatus.READY:
        return replace(node, id=node.id or (record.id if record else ""))
    if reason := _stranger(node, record, is_copy=is_copy):
        return replace(node, status=NodeStatus.UNKNOWN, reason=reason)
    if record is None:
        return node
    return replace(node, eligible=record.eligible, drain=record.drain is not None)


def _stranger(node: Node, record: NodeRecord | None, *, is_copy: bool) -> str:
    if is_copy:
        return f"its node id {node.id[:8]} is also that of another host: one is a copy"
    if record is None or record.id == node.id:
        return ""
    if not node.id:
        return f"it no longer knows that it is node {record.id[:8]}: wiped, or another machine"
    return f"it answers as node {node.id[:8]}, but node {record.id[:8]} is on record"


def to_enrol(observed: Observed, recorded: Recorded) -> tuple[Node, ...]:
    """Return the ready nodes that the records do not have yet, in name order."""
    return tuple(
        node
        for name, node in sorted(observed.nodes.items())
        if node.status is NodeStatus.READY and name not in recorded.nodes
    )
