"""Services as text and JSON data: all of them, or where one of them runs. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gitops.services import Registration
from gitops.view.columns import table
from gitops.view.options import StatusView, joined

if TYPE_CHECKING:
    from gitops.view import fleet_shapes


def service_list(found: Sequence[Registration]) -> str:
    """Return the table of services with the tags of all their instances."""
    rows = [(s["ServiceName"], _tags(s["Tags"]), s["Namespace"]) for s in service_stubs(found)]
    if not rows:
        return "No services found\n"
    header = ("Service Name", "Tags", "Namespace")
    shown = 2 if {r[2] for r in rows} <= {"default"} else 3
    return joined([table(header[:shown], [r[:shown] for r in rows])])


def service_info(found: Iterable[Registration], view: StatusView) -> str:
    """Return the table of a service's instances."""
    rows = [
        (
            r.job_id,
            r.endpoint,
            _tags(r.tags),
            view.id(r.alloc.node_id or r.alloc.node),
            view.id(r.alloc.id),
        )
        for r in found
    ]
    return joined([table(("Job ID", "Address", "Tags", "Node ID", "Alloc ID"), rows)])


def service_stubs(found: Iterable[Registration]) -> list[fleet_shapes.ServiceName]:
    """Return services as they stand in a list."""
    tags: dict[tuple[str, str], set[str]] = {}
    for each in found:
        tags.setdefault((each.service, each.namespace), set()).update(each.tags)
    return [
        {"ServiceName": name, "Namespace": namespace, "Tags": sorted(those)}
        for (name, namespace), those in sorted(tags.items())
    ]


def service_data(found: Iterable[Registration]) -> list[fleet_shapes.ServiceInstance]:
    """Return the instances of a service."""
    return [
        {
            "ServiceName": r.service,
            "Namespace": r.namespace,
            "JobID": r.job_id,
            "AllocID": r.alloc.id,
            "NodeID": r.alloc.node_id,
            "NodeName": r.alloc.node,
            "Address": r.address,
            "Port": r.port,
            "Tags": list(r.tags),
        }
        for r in found
    ]


def _tags(tags: Iterable[str]) -> str:
    return f"[{','.join(tags)}]"
