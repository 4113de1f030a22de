"""The node that the cases ran on, and the cluster around it, as `node.json` has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gitops.jobspec.places import Places
from planner.observed import Node, NodeResources


class _Network(BaseModel):
    ipv4: str = ""
    ipv6: str = ""


class _Volume(BaseModel):
    read_only: bool = False


class _Amounts(BaseModel):
    cpu_mhz: int = 0
    cores: int = 0
    memory_mb: int = 0
    disk_mb: int = 0
    networks: tuple[_Network, ...] = ()
    ports: tuple[int, ...] = ()

    def resources(self) -> NodeResources:
        return NodeResources(
            cpu=self.cpu_mhz, memory_mb=self.memory_mb, disk_mb=self.disk_mb, cores=self.cores
        )


class Cluster(BaseModel):
    """What exists beside nodes."""

    namespaces: tuple[str, ...] = ("default",)
    regions: tuple[str, ...] = ("global",)
    node_pools: Mapping[str, int] = {"default": 1, "all": 1}

    def places(self) -> Places:
        """What jobs may name."""
        pools = tuple(self.node_pools)
        return Places(namespaces=self.namespaces, node_pools=pools, regions=self.regions)


class NodeFile(BaseModel):
    """`node.json`."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    name: str
    datacenter: str = "dc1"
    node_class: str = ""
    node_pool: str = "default"
    eligible: bool = True
    resources: _Amounts
    reserved: _Amounts = _Amounts()
    drivers: Mapping[str, bool]
    host_volumes: Mapping[str, _Volume] = {}
    attributes: Mapping[str, str]
    meta: Mapping[str, str] = {}
    cluster: Cluster = Cluster()

    @property
    def dual_stack(self) -> bool:
        """Whether an interface has an IPv4 and an IPv6 address."""
        return any(n.ipv4 and n.ipv6 for n in self.resources.networks)

    def node(self) -> Node:
        """The node as the planner sees it."""
        networks = self.resources.networks
        return Node(
            name=self.name,
            id=f"node-{self.name}",
            datacenter=self.datacenter,
            node_class=self.node_class,
            node_pool=self.node_pool,
            eligible=self.eligible,
            address=networks[0].ipv4 if networks else "",
            attributes=self.attributes,
            meta=self.meta,
            drivers=frozenset(name for name, found in self.drivers.items() if found),
            host_volumes=frozenset(self.host_volumes),
            read_only_volumes=frozenset(n for n, v in self.host_volumes.items() if v.read_only),
            resources=self.resources.resources(),
            reserved=self.reserved.resources(),
            reserved_ports=frozenset(self.reserved.ports),
        )


def read_node(path: Path) -> NodeFile:
    """Read `node.json`."""
    return NodeFile.model_validate_json(path.read_text(encoding="utf-8"))
