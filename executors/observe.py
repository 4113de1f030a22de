"""Looks at hosts, all at once. Has no method that writes; a host that fails is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from executors import probe as probing
from executors.printable import printable
from executors.probe import Probe
from executors.transport import Bounds, Connector, HostError, HostFault
from inventory.model import Host
from planner.observed import Node, NodeResources, NodeStatus, Observed

# Seconds from the first packet of a connection that stands to the end of the answer.
DEADLINE = 30.0
_DAMAGED_SHOWN = 3

OnHost = Callable[[str, NodeStatus], None]


class Observer:
    """Probes hosts through a connector, on behalf of one cluster.

    `on_host` is told of each host when it has answered or failed. `probes` keeps each host's last
    answer by its name, for those who need more than the planner does; `errors` keeps those of
    hosts that failed at the last look, with their hints. `deadline` is in seconds. With
    `hangs_up`, for those who look once and no more, a connection ends with its answer.
    """

    def __init__(
        self,
        connector: Connector,
        cluster: str,
        *,
        on_host: OnHost | None = None,
        deadline: float = DEADLINE,
        hangs_up: bool = False,
    ) -> None:
        self._connector = connector
        self._cluster = cluster
        self._on_host = on_host
        self._deadline = deadline
        self.hangs_up = hangs_up
        self.probes: dict[str, Probe] = {}
        self.errors: dict[str, HostError] = {}

    async def observe(self, hosts: Sequence[Host]) -> Observed:
        """Return what all hosts have and run; a host that fails is unknown, with its reason."""
        nodes = await asyncio.gather(*(self._node(host) for host in hosts))
        ready = sorted(n.name for n in nodes if n.status is NodeStatus.READY)
        allocs = {a.id: a for name in ready for a in self.probes[name].allocs}
        return Observed(nodes={n.name: n for n in nodes}, allocs=allocs)

    async def _node(self, host: Host) -> Node:
        self.probes.pop(host.name, None)
        self.errors.pop(host.name, None)
        try:
            self.probes[host.name] = probe = await self.probe(host)
            seen = node(host, probe)
        except HostError as e:
            self.errors[host.name] = e
            seen = unknown(host, f"{e.fault}: {e.detail}" if e.detail else str(e.fault))
        if self.hangs_up:
            await self._connector.hang_up(host.name)
        if self._on_host is not None:
            self._on_host(host.name, seen.status)
        return seen

    async def probe(self, host: Host) -> Probe:
        """Return one host's answer; `HostError` where there is none, or none that can be used."""
        transport = await self._connector.connect(host.name)
        argv = probing.command(host.data_dir or None, self._cluster)
        bounds = Bounds(deadline=self._deadline, output=probing.PROBE_LIMIT)
        done = await transport.run(argv, bounds=bounds)
        if done.truncated:
            detail = f"the probe printed more than {probing.PROBE_LIMIT >> 20} MiB"
            raise HostError(host.name, HostFault.OUTPUT, detail)
        if done.exit_status:
            detail = f"the probe: exit {done.exit_status}: {printable(done.stderr)}"
            raise HostError(host.name, HostFault.COMMAND, detail)
        try:
            return probing.parse(done.stdout, host.name, self._cluster)
        except ValueError as e:
            raise HostError(host.name, HostFault.OUTPUT, printable(str(e))) from e


def node(host: Host, probe: Probe) -> Node:
    """Join what the inventory says of a host with what the host says.

    What other clusters have reserved counts as reserved, and so do the memory limits and ports of
    containers that are nobody's. A host with records that can't be read is unknown, because what
    they reserve is.
    """
    if probe.damaged:
        return unknown(host, _damage(probe))
    if probe.docker_down:
        return unknown(host, f"docker does not answer: {probe.docker_down}")
    address = host.address or probe.address
    attributes = {**probe.attributes, "unique.network.ip-address": address}
    if probe.machine_id:
        attributes["unique.host_id"] = probe.machine_id
    return Node(
        name=host.name,
        id=probe.node_id,
        datacenter=host.datacenter,
        node_class=host.node_class,
        node_pool=host.node_pool,
        address=address,
        attributes=attributes,
        meta=host.meta,
        drivers=probe.drivers,
        host_volumes=frozenset(host.host_volumes),
        read_only_volumes=frozenset(n for n, v in host.host_volumes.items() if v.read_only),
        resources=probe.resources,
        reserved=_reserved(host, probe),
        reserved_ports=host.reserved.ports.union(
            *(a.ports.values() for a in probe.foreign), *(c.ports for c in probe.containers)
        ),
        used_ports=probe.listening,
        fences={key: fence.index for key, fence in probe.fences.items()},
    )


def _reserved(host: Host, probe: Probe) -> NodeResources:
    own, foreign = host.reserved, probe.foreign
    memory = sum(a.memory_mb for a in foreign) + sum(c.memory_mb for c in probe.containers)
    return NodeResources(
        cpu=own.cpu + sum(a.cpu for a in foreign),
        memory_mb=own.memory_mb + memory,
        disk_mb=own.disk_mb + sum(a.disk_mb for a in foreign),
    )


def unknown(host: Host, reason: str) -> Node:
    """The node of a host that can't be seen, with what the inventory knows of it."""
    return Node(
        name=host.name,
        status=NodeStatus.UNKNOWN,
        reason=reason,
        datacenter=host.datacenter,
        node_class=host.node_class,
        node_pool=host.node_pool,
        address=host.address,
        meta=host.meta,
    )


def _damage(probe: Probe) -> str:
    shown = ", ".join(i[:8] for i in probe.damaged[:_DAMAGED_SHOWN])
    more = len(probe.damaged) - _DAMAGED_SHOWN
    names = f"{shown} and {more} more" if more > 0 else shown
    where = f"{probe.data_dir}/records" if probe.data_dir else "its data directory"
    return f"records in {where} can't be read: {names}"
