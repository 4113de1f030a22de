"""Nodes as text: the list, and one with its resources and allocations. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops.view.alloc_text import alloc_list
from gitops.view.amounts import amount, size
from gitops.view.columns import pairs, table
from gitops.view.live import NodeLive, megahertz
from gitops.view.options import NONE, StatusView, joined
from planner.observed import Node, Observed, ObservedAlloc
from planner.recorded import AllocRecord
from planner.status import Statuses


def node_list(nodes: Iterable[Node], view: StatusView) -> str:
    """Return the table of nodes in name order; a node that has not been enrolled has no id."""
    rows = [_row(n, view) for n in sorted(nodes, key=lambda n: n.name)]
    if not rows:
        return "No nodes in the inventory\n"
    where = ["Address"] if view.verbose else []
    header = ["ID", "Node Pool", "DC", "Name", "Class", *where, "Drain", "Eligibility", "Status"]
    return joined([table(header, rows)])


def _row(node: Node, view: StatusView) -> list[object]:
    return [
        view.id(node.id),
        node.node_pool,
        node.datacenter,
        node.name,
        node.node_class or NONE,
        *([node.address or NONE] if view.verbose else []),
        str(node.drain).lower(),
        _eligibility(node),
        node.status,
    ]


def _eligibility(node: Node) -> str:
    return "eligible" if node.eligible else "ineligible"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCase:
    """One node, the recorded allocations on it, and what the hosts and a live look show."""

    node: Node
    observed: Observed
    allocs: tuple[AllocRecord, ...] = ()
    live: NodeLive | None = None


def node_status(case: NodeCase, found: Statuses, view: StatusView) -> str:
    """Return one node with its resources and allocations; `found` are their statuses."""
    node, seen = case.node, case.observed.allocs.values()
    here = [a for a in seen if a.node == node.name and a.desired == "run"]
    placed = ["Allocations", *alloc_list(case.allocs, found, view)]
    if view.short:
        return joined([pairs(_header(node)), placed])
    allowed = case.live.forwarding if case.live else ""
    header = pairs([*_header(node), *([("Forwarding", allowed)] if allowed else [])])
    drivers = _drivers(node) if view.verbose else []
    sections = [header, drivers, _resources(node, here), *_utilization(case), placed]
    if view.verbose:
        sections += [_named("Attributes", node.attributes), _named("Meta", node.meta)]
    return joined(sections)


def _header(node: Node) -> list[tuple[str, object]]:
    reason = [("Reason", node.reason)] if node.reason else []
    return [
        ("ID", node.id or NONE),
        ("Name", node.name),
        ("Address", node.address or NONE),
        ("Node Pool", node.node_pool),
        ("Class", node.node_class or NONE),
        ("DC", node.datacenter),
        ("Drain", str(node.drain).lower()),
        ("Eligibility", _eligibility(node)),
        ("Status", node.status),
        *reason,
        ("Host Volumes", ",".join(sorted(node.host_volumes)) or NONE),
        ("Driver Status", ",".join(sorted(node.drivers)) or NONE),
    ]


def _resources(node: Node, allocs: list[ObservedAlloc]) -> list[str]:
    r, held = node.resources, node.reserved
    cpu, memory, disk = r.cpu - held.cpu, r.memory_mb - held.memory_mb, r.disk_mb - held.disk_mb
    row = (
        f"{sum(a.cpu for a in allocs)}/{cpu} MHz",
        f"{size(sum(a.memory_mb for a in allocs))}/{size(memory)}",
        f"{size(sum(a.disk_mb for a in allocs))}/{size(disk)}",
        len(allocs),
    )
    return ["Allocated Resources", *table(("CPU", "Memory", "Disk", "Alloc Count"), [row])]


def _drivers(node: Node) -> list[str]:
    rows = [(name, "true") for name in sorted(node.drivers)]
    return ["Drivers", *table(("Driver", "Detected"), rows)] if rows else []


def _utilization(case: NodeCase) -> list[list[str]]:
    """Return what the allocations and the whole host really use, where that was looked at."""
    if case.live is None:
        return []
    node, usage = case.node, case.live.usage
    cpu, memory = node.resources.cpu, amount(usage.memory_total)
    used = [u for (alloc, _), u in usage.tasks.items() if alloc in case.live.allocs]
    held = sum(megahertz(u, node) for u in used)
    allocs = (f"{held}/{cpu} MHz", f"{amount(sum(u.memory for u in used))}/{memory}")
    host = (
        f"{megahertz(usage.host, node)}/{cpu} MHz",
        f"{amount(usage.host.memory)}/{memory}",
        f"{amount(usage.disk)}/{amount(usage.disk_total)}",
    )
    return [
        ["Allocation Resource Utilization", *table(("CPU", "Memory"), [allocs])],
        ["Host Resource Utilization", *table(("CPU", "Memory", "Disk"), [host])],
    ]


def _named(title: str, values: Mapping[str, str]) -> list[str]:
    return [title, *pairs(sorted(values.items()))] if values else []
