"""A recorded placement as it lies in a folder: nodes, what ran, what was placed, with scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from planner.observed import Node, NodeResources


class _Driver(BaseModel):
    detected: bool = True
    healthy: bool = True


class _Address(BaseModel):
    ip: str = ""


class _Network(BaseModel):
    addresses: tuple[_Address, ...] = ()


class _Resources(BaseModel):
    cpu_mhz: int = 0
    cores: tuple[int, ...] = ()
    memory_mb: int = 0
    disk_mb: int = 0
    dynamic_port_min: int = 20_000
    dynamic_port_max: int = 32_000
    networks: tuple[_Network, ...] = ()


class _Reserved(BaseModel):
    cpu_mhz: int = 0
    cores: tuple[int, ...] = ()
    memory_mb: int = 0
    disk_mb: int = 0
    ports: str = ""

    def numbers(self) -> frozenset[int]:
        """The reserved ports: ``22,8000-8010``."""
        ranges = (part.partition("-") for part in self.ports.split(",") if part.strip())
        return frozenset(
            p for low, _, high in ranges for p in range(int(low), int(high or low) + 1)
        )


class NodeEntry(BaseModel):
    """One node."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    name: str
    id: str = ""
    datacenter: str = "dc1"
    node_class: str = ""
    node_pool: str = "default"
    status: str = "ready"
    eligibility: str = "eligible"
    drain: bool = False
    attributes: Mapping[str, str] = {}
    meta: Mapping[str, str] = {}
    drivers: Mapping[str, _Driver] = {}
    host_volumes: Mapping[str, Any] | tuple[str, ...] = ()
    resources: _Resources = _Resources()
    reserved: _Reserved = _Reserved()
    networks: tuple[_Network, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of the node's interfaces."""
        networks = self.networks or self.resources.networks
        return tuple(a.ip for n in networks for a in n.addresses)

    def node(self) -> Node:
        """The node as the planner sees it."""
        total, reserved = self.resources, self.reserved
        return Node(
            name=self.name,
            id=self.id,
            datacenter=self.datacenter,
            node_class=self.node_class,
            node_pool=self.node_pool,
            eligible=self.eligibility == "eligible" and not self.drain and self.status == "ready",
            address=next(iter(self.addresses), ""),
            attributes=self.attributes,
            meta=self.meta,
            drivers=frozenset(n for n, d in self.drivers.items() if d.detected and d.healthy),
            host_volumes=frozenset(self.host_volumes),
            resources=NodeResources(
                cpu=total.cpu_mhz,
                memory_mb=total.memory_mb,
                disk_mb=total.disk_mb,
                cores=len(total.cores),
            ),
            reserved=NodeResources(
                cpu=reserved.cpu_mhz,
                memory_mb=reserved.memory_mb,
                disk_mb=reserved.disk_mb,
                cores=len(reserved.cores),
            ),
            reserved_ports=reserved.numbers(),
            min_dynamic_port=total.dynamic_port_min,
            max_dynamic_port=total.dynamic_port_max,
        )


class PortEntry(BaseModel):
    label: str
    value: int
    to: int = 0
    host_ip: str = ""


class TaskEntry(BaseModel):
    """What a task was granted."""

    cpu_mhz: int = 0
    memory_mb: int = 0


class ExistingEntry(BaseModel):
    """An allocation that was there before."""

    id: str
    name: str
    job: str
    group: str
    node: str
    priority: int = 50
    job_version: int = 0
    create_index: int = 0
    tasks: Mapping[str, TaskEntry] = {}
    disk_mb: int = 0
    ports: tuple[PortEntry, ...] = ()


class ScoreEntry(BaseModel):
    """The scores of one node: parts that were noted, by their names, and their mean."""

    model_config = ConfigDict(extra="allow")

    node: str
    preemption: float | None = None
    final: float

    def parts(self) -> dict[str, float]:
        """The parts by the names that orch gives them, with the final score."""
        noted: dict[str, Any] = {**(self.model_extra or {}), "final": self.final}
        return {name.replace("_", "-"): v for name, v in noted.items() if v is not None}


class PlacementEntry(BaseModel):
    """One allocation that was placed."""

    name: str
    group: str
    node: str
    previous: str | None = None
    preempts: tuple[Any, ...] = ()
    scores: tuple[ScoreEntry, ...] = ()


class Metrics(BaseModel):
    """Why a group failed."""

    nodes_evaluated: int = 0
    nodes_filtered: int = 0
    nodes_in_pool: int = 0
    node_pool: str = ""
    nodes_available: Mapping[str, int] | None = None
    class_filtered: Mapping[str, int] | None = None
    constraint_filtered: Mapping[str, int] | None = None
    nodes_exhausted: int = 0
    class_exhausted: Mapping[str, int] | None = None
    dimension_exhausted: Mapping[str, int] | None = None
    coalesced_failures: int = 0


class EvalEntry(BaseModel):
    failed_groups: Mapping[str, Metrics] | None = None


class SchedulerEntry(BaseModel):
    """The scheduler's settings, with Nomad's names."""

    SchedulerAlgorithm: str = "binpack"
    PreemptionConfig: Mapping[str, bool] = {}

    def preempts(self, kind: str) -> bool:
        """Whether others may be put aside for jobs of that type."""
        names = {n.removesuffix("SchedulerEnabled").lower(): n for n in self.PreemptionConfig}
        return kind in names and self.PreemptionConfig[names[kind]]


class SetupEntry(BaseModel):
    file: str
    job: str


class PlacementFile(BaseModel):
    """`case.json` of a placement."""

    scheduler_config: SchedulerEntry = SchedulerEntry()
    nodes: tuple[NodeEntry, ...]
    setup: tuple[SetupEntry, ...] = ()
    existing: tuple[ExistingEntry, ...] = ()
    eval: EvalEntry = EvalEntry()
    placements: tuple[PlacementEntry, ...] = ()


def read_placement(folder: Path) -> PlacementFile:
    """Read `case.json`."""
    return PlacementFile.model_validate_json((folder / "case.json").read_text(encoding="utf-8"))
