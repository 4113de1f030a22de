"""Nodes as text: the list, and one with its resources and allocations. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops.view.alloc_text import alloc_list
from gitops.view.columns import pairs, table
from gitops.view.options import NONE, StatusView, joined
from planner.observed import Node, Observed, ObservedAlloc
from planner.recorded import AllocRecord
from planner.status import Statuses

_KIB = 1024
_UNITS = ("MiB", "GiB", "TiB", "PiB")


def node_list(nodes: Iterable[Node], view: StatusView) -> str:
    """Return the table of nodes in name order; a node that has not been enrolled has no id."""
    rows = [_row(n, view) for n in sorted(nodes, key=lambda n: n.name)]
    if not rows:
        return "No nodes in the inventory\n"
    where = ["Address"] if view.verbose else []
    header = ["ID", "Node Pool", "DC", "Name", "Class", *where, "Eligibility", "Status"]
    return joined([table(header, rows)])


def _row(node: Node, view: StatusView) -> list[object]:
    return [
        view.id(node.id),
        node.node_pool,
        node.datacenter,
        node.name,
        node.node_class or NONE,
        *([node.address or NONE] if view.verbose else []),
        _eligibility(node),
        node.status,
    ]


def _eligibility(node: Node) -> str:
    return "eligible" if node.eligible else "ineligible"


def node_status(
    node: Node, observed: Observed, allocs: Iterable[AllocRecord], found: Statuses, view: StatusView
) -> str:
    """Return one node; `allocs` are the recorded allocations on it, `found` their statuses."""
    here = [a for a in observed.allocs.values() if a.node == node.name and a.desired == "run"]
    placed = ["Allocations", *alloc_list(allocs, found, view)]
    if view.short:
        return joined([pairs(_header(node)), placed])
    sections = [pairs(_header(node)), _resources(node, here), placed]
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


def size(megabytes: int) -> str:
    """Return an amount given in MiB in the unit that suits it, with two digits or more."""
    if not megabytes:
        return "0 B"
    value, unit = float(megabytes), 0
    while value >= _KIB and unit < len(_UNITS) - 1:
        value, unit = value / _KIB, unit + 1
    ten = 10
    text = f"{value:.1f}" if value < ten and not value.is_integer() else f"{value:.0f}"
    return f"{text} {_UNITS[unit]}"


def _named(title: str, values: Mapping[str, str]) -> list[str]:
    return [title, *pairs(sorted(values.items()))] if values else []
