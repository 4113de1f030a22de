"""Hosts as they might be: what was observed, with some of it supposed to be otherwise. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.errors import OrchError
from planner.observed import Node, NodeStatus, Observed

_WHY = "supposed by -what-if"


def supposed(observed: Observed, hosts: Mapping[str, NodeStatus]) -> Observed:
    """Return the fleet in which these hosts are ready, down or unknown.

    What runs on one that is not ready is not seen. Raises `OrchError` for a host that is not there,
    and for one that is to be ready and of which nothing was seen.
    """
    for name, status in hosts.items():
        node = observed.nodes.get(name)
        if node is None:
            raise OrchError(f"-what-if: there is no host {name!r}", "See 'orch node status'.")
        if status is NodeStatus.READY and node.status is not NodeStatus.READY:
            raise OrchError(
                f"-what-if: nothing is known of {name}: {node.reason}",
                "What it would have, and run, can't be supposed.",
            )
    nodes = {name: _as(node, hosts.get(name)) for name, node in observed.nodes.items()}
    away = {name for name, status in hosts.items() if status is not NodeStatus.READY}
    allocs = {i: a for i, a in observed.allocs.items() if a.node not in away}
    return Observed(nodes=nodes, allocs=allocs)


def _as(node: Node, status: NodeStatus | None) -> Node:
    if status is None or status is node.status:
        return node
    return replace(node, status=status, reason=_WHY)
