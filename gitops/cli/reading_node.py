"""Answers about nodes: what hosts are and have, and what they use at the moment."""

from __future__ import annotations

from executors.forwarding import forwarding
from executors.stats import usage
from executors.transport import HostError
from gitops.cli.answer import Answer, answered
from gitops.cli.look import advise, session, workspace
from gitops.cli.say import note
from gitops.resolve import node_named
from gitops.session import Session
from gitops.view import status_json
from gitops.view.live import NodeLive
from gitops.view.node_text import NodeCase, node_list, node_status
from gitops.view.options import StatusView
from planner.observed import Node, NodeStatus, Observed
from planner.status import statuses


async def nodes(name: str, limit: str, view: StatusView) -> Answer:
    """Answer for all nodes, or for one."""
    ws = workspace()
    async with session(ws, limit) as ties:
        if name:
            return await about(ties, name, view)
        look = await ties.look(last=True)
        advise(ties)
    known = look.observed.nodes.values()
    return answered(node_list(known, view), status_json.node_data(known), look)


async def about(ties: Session, name: str, view: StatusView) -> Answer:
    """Answer for one node; a look at what it uses is taken unless the answer is short."""
    look = await ties.look()
    advise(ties)
    node = node_named(name, look.observed.nodes)
    live = None if view.short else await _live(ties, node, look.observed)
    jobs = look.recorded.jobs.values()
    allocs = tuple(a for s in jobs for a in s.allocs if a.node == node.name)
    found = {k: v for s in jobs for k, v in statuses(s, look.observed).items()}
    case = NodeCase(node=node, observed=look.observed, allocs=allocs, live=live)
    return answered(node_status(case, found, view), status_json.node_data([node]), look)


async def _live(ties: Session, node: Node, observed: Observed) -> NodeLive | None:
    if node.status is not NodeStatus.READY:
        return None
    here = sorted(
        a.id for a in observed.allocs.values() if a.node == node.name and a.desired == "run"
    )
    try:
        transport = await ties.connector.connect(node.name)
        seen = await usage(transport, ties.observer.probes[node.name].data_dir, here)
        allowed = await forwarding(transport, docker="docker" in node.drivers)
    except HostError as e:
        note(e.message)
        return None
    return NodeLive(usage=seen, allocs=tuple(here), forwarding=allowed.text())
