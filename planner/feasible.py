"""Which nodes a group may run on at all, and the label under which others are left out.

Looks at a node by itself; what already runs there is `planner.schedule`'s concern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from planner.constraint import holds, is_distinct, label
from planner.job import Constraint, Job, Port, TaskGroup, VolumeRequest
from planner.observed import Node

MISSING_DRIVERS = "missing drivers"
MISSING_DEVICES = "missing devices"
MISSING_NETWORK = "missing network"
MISSING_VOLUMES = "missing compatible host volumes"
CLASS_INELIGIBLE = "computed class ineligible"


def is_candidate(job: Job, node: Node) -> bool:
    """Whether the job's datacenters and node pool take in `node`; others are not even counted."""
    in_pool = job.node_pool in ("all", node.node_pool)
    return in_pool and any(_glob(d).fullmatch(node.datacenter) for d in job.datacenters)


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))


def obstacle(job: Job, group: TaskGroup, node: Node) -> str:
    """Return the label of the first thing that keeps `group` off `node`, or an empty string."""
    return (
        _unmet(job.constraints, node)
        or _missing_driver(group, node)
        or _unmet(group.constraints, node)
        or _unmet((c for t in group.tasks for c in t.constraints), node)
        or _missing_device(group)
        or _missing_network(group)
        or _missing_volume(group, node)
        or _missing_csi_volume(group)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Nodes that one plan has held before against the job's constraints, or against a group's."""

    job: frozenset[str] = frozenset()
    group: frozenset[str] = frozenset()


def is_known(job: Job, group: TaskGroup, node: Node, known: Known) -> bool:
    """Whether it was found before in this plan that `node` is out of the question.

    Nomad remembers that by classes of nodes: not where nodes are asked for by unique properties,
    nor what it finds out of volumes.
    """
    if _unmet(job.constraints, node):
        return node.name in known.job and not _asks_for_one(job.constraints)
    own = (*group.constraints, *(c for t in group.tasks for c in t.constraints))
    unfit = _missing_driver(group, node) or _unmet(own, node) or _missing_device(group)
    if not (unfit or _missing_network(group)):
        return False
    return node.name in known.group and not _asks_for_one(own)


def _asks_for_one(constraints: Iterable[Constraint]) -> bool:
    return any("unique." in c.l_target or "unique." in c.r_target for c in constraints)


def _unmet(constraints: Iterable[Constraint], node: Node) -> str:
    unmet = (c for c in constraints if not is_distinct(c) and not holds(c, node))
    first = next(unmet, None)
    return label(first) if first else ""


def _missing_driver(group: TaskGroup, node: Node) -> str:
    return "" if all(t.driver in node.drivers for t in group.tasks) else MISSING_DRIVERS


def _missing_device(group: TaskGroup) -> str:
    return MISSING_DEVICES if any(t.resources.devices for t in group.tasks) else ""


def _missing_network(group: TaskGroup) -> str:
    """No host of orch has networks of CNI, or names for its addresses."""
    ports: list[Port] = []
    for network in group.networks[:1]:
        if network.mode.startswith("cni/"):
            return MISSING_NETWORK
        ports += (*network.reserved_ports, *network.dynamic_ports)
    aliased = (p for p in ports if p.host_network not in ("", "default"))
    port = next(aliased, None)
    return f'missing host network "{port.host_network}" for port "{port.label}"' if port else ""


def _missing_volume(group: TaskGroup, node: Node) -> str:
    wanted = (v for v in group.volumes.values() if v.type == "host")
    found = all(_offers(node, v) for v in wanted)
    return "" if found else MISSING_VOLUMES


def _missing_csi_volume(group: TaskGroup) -> str:
    """No host of orch has a CSI plugin, so that no such volume is ever found."""
    wanted = (v.source for v in group.volumes.values() if v.type == "csi")
    source = next(wanted, None)
    return "" if source is None else f"missing CSI Volume {source}"


def _offers(node: Node, wanted: VolumeRequest) -> bool:
    offered = node.host_volumes
    if not wanted.read_only:
        offered -= node.read_only_volumes
    if not wanted.per_alloc:
        return wanted.source in offered
    return any(v.startswith(f"{wanted.source}[") for v in offered)
