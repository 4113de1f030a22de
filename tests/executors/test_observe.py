"""Observing fleets: answers joined with the inventory, failures told apart, nothing written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from executors.dev import DevHost
from executors.fake import FakeConnector, FakeHost, Reply
from executors.observe import Observer, node
from executors.probe import PROBE_LIMIT, Probe
from executors.ssh import SshConnector
from executors.ssh_settings import SshSettings
from executors.transport import Completed, HostError, HostFault
from inventory.load import load
from inventory.model import Inventory
from planner.observed import NodeResources, NodeStatus, Observed, ObservedAlloc
from tests.lab.fleet import Lab

INVENTORY = """
all:
  hosts:
    h1:
      orch_datacenter: east
      orch_node_class: big
      orch_node_pool: gpu
      orch_meta: {rack: r1}
      orch_host_volumes: {data: /srv/data, media: {path: /srv/media, read_only: true}}
      orch_address: 10.9.9.9
      orch_reserved: {cpu: 100, memory: 64, disk: 10, ports: 22}
"""
HOST = load(INVENTORY, path="i.yml").hosts["h1"]
ALLOC = ObservedAlloc(
    id="a", node="h1", name="x.y[0]", job_id="x", group="y", ports={"http": 8080}, cpu=50
)
PROBE = Probe(
    host="h1",
    node_id="11111111-1111-1111-1111-111111111111",
    machine_id="m1",
    address="10.0.0.1",
    attributes={"kernel.name": "linux", "unique.network.ip-address": "10.0.0.1"},
    drivers=frozenset({"raw_exec"}),
    resources=NodeResources(cpu=2000, memory_mb=1000, disk_mb=5000, cores=2),
    listening=frozenset({22, 8080}),
)


def test_a_node_is_what_the_inventory_says_and_what_the_host_says() -> None:
    seen = node(HOST, PROBE)
    assert (seen.name, seen.id, seen.status) == ("h1", PROBE.node_id, NodeStatus.READY)
    assert (seen.datacenter, seen.node_class, seen.node_pool) == ("east", "big", "gpu")
    assert seen.meta == {"rack": "r1"}
    assert seen.host_volumes == frozenset({"data", "media"})
    assert seen.read_only_volumes == frozenset({"media"})
    assert seen.address == seen.attributes["unique.network.ip-address"] == "10.9.9.9"
    assert seen.attributes["unique.host_id"] == "m1"
    assert seen.resources == PROBE.resources
    assert seen.reserved == NodeResources(cpu=100, memory_mb=64, disk_mb=10)
    assert seen.reserved_ports == frozenset({22})
    assert seen.used_ports == frozenset({22, 8080})


def test_without_an_address_in_the_inventory_the_host_s_own_is_taken() -> None:
    assert node(replace(HOST, address=""), PROBE).address == "10.0.0.1"


def test_what_other_clusters_reserve_is_reserved() -> None:
    seen = node(HOST, replace(PROBE, foreign=(ALLOC,)))
    assert seen.reserved.cpu == 150
    assert seen.reserved_ports == {22, 8080}


def test_a_host_with_damaged_records_is_unknown() -> None:
    damaged = tuple(f"{n}2345678-" for n in range(5))
    seen = node(HOST, replace(PROBE, damaged=damaged, data_dir="/d"))
    assert seen.status is NodeStatus.UNKNOWN
    shown = "02345678, 12345678, 22345678 and 2 more"
    assert seen.reason == f"records in /d/records can't be read: {shown}"


def answering(stdout: bytes, status: int = 0, stderr: bytes = b"") -> FakeHost:
    completed = Completed(exit_status=status, stdout=stdout, stderr=stderr)
    return FakeHost(default=Reply(completed=completed))


HOSTILE = [
    (answering(b"x" * (PROBE_LIMIT + 1)), "unusable output: the probe printed more than 4 MiB"),
    (answering(b'{"not": "a probe"}'), "unusable output: "),
    (answering(b"\x1b[2J\x1b]0;pwned\x07"), "unusable output: "),
    (answering(b""), "unusable output: "),
    (answering(b"", 1, b"\x1b[31mno disk\n"), "command failed: the probe: exit 1: no disk"),
    (FakeHost(fault=HostFault.TIMEOUT, detail="no answer"), "timed out: no answer"),
    (FakeHost(fault=HostFault.AUTH), "permission denied"),
    (FakeHost(default=Reply(fault=HostFault.LOST)), "connection lost"),
    (FakeHost(default=Reply(delay=1e9)), "timed out: sh did not end within 30 s"),
]


@pytest.mark.parametrize(("script", "reason"), HOSTILE)
async def test_a_host_that_fails_is_unknown_and_says_why(script: FakeHost, reason: str) -> None:
    told: list[tuple[str, NodeStatus]] = []
    connector = FakeConnector({"h1": script})
    observer = Observer(connector, "c", on_host=lambda n, s: told.append((n, s)))
    observed = await observer.observe([HOST])
    seen = observed.nodes["h1"]
    assert seen.status is NodeStatus.UNKNOWN
    assert seen.reason.startswith(reason)
    assert seen.reason.isprintable()
    assert seen.datacenter == "east"
    assert told == [("h1", NodeStatus.UNKNOWN)]
    assert list(observer.errors) == ["h1"]
    assert observer.probes == {}


async def test_a_last_look_hangs_up_and_a_later_connect_calls_again(tmp_path: Path) -> None:
    async with DevHost(tmp_path) as dev:
        inventory = load(dev.inventory.read_text(), path="i.yml")
        connector = SshConnector(inventory.targets, SshSettings(known_hosts=(), agent=""))
        first = await connector.connect("dev")
        observer = Observer(connector, "c", hangs_up=True)
        observed = await observer.observe(list(inventory.hosts.values()))
        assert observed.nodes["dev"].status is NodeStatus.READY
        with pytest.raises(HostError, match="connection lost"):
            await first.run(("true",))
        second = await connector.connect("dev")
        assert (await second.run(("echo", "again"))).stdout == b"again\n"
        await connector.close()


async def test_no_hosts_are_no_nodes() -> None:
    assert await Observer(FakeConnector({}), "c").observe([]) == Observed()


def files(folder: Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


async def observe(inventory: Inventory, cluster: str = "test") -> Observed:
    settings = SshSettings(known_hosts=(), agent="", connect_timeout=60)
    connector = SshConnector(inventory.targets, settings)
    try:
        return await Observer(connector, cluster).observe(list(inventory.hosts.values()))
    finally:
        await connector.close()


async def test_the_embedded_host_is_a_node_and_stays_as_it_was(tmp_path: Path) -> None:
    async with DevHost(tmp_path) as dev:
        before = files(tmp_path)
        observed = await observe(load(dev.inventory.read_text(), path="i.yml"))
        assert files(tmp_path) == before
        dev_port = dev.port
    seen = observed.nodes["dev"]
    assert (seen.status, seen.reason) == (NodeStatus.READY, "")
    assert seen.address == "127.0.0.1"
    assert seen.attributes["kernel.name"] == "linux"
    assert seen.resources.memory_mb > 0
    assert seen.used_ports >= {dev_port}
    assert observed.allocs == {}


@pytest.mark.lab
async def test_of_real_hosts_those_that_fail_are_unknown_and_the_others_go_on(
    fresh_lab: Lab,
) -> None:
    inventory = load(fresh_lab.inventory_text(), path="i.yml")
    fresh_lab.host("h2").stop_sshd()
    try:
        observed = await observe(inventory)
    finally:
        fresh_lab.heal()
    statuses = {name: n.status for name, n in observed.nodes.items()}
    assert statuses["h2"] is NodeStatus.UNKNOWN
    assert observed.nodes["h2"].reason.startswith("connection refused")
    assert [statuses["h1"], statuses["h3"]] == [NodeStatus.READY, NodeStatus.READY]
    assert observed.nodes["h1"].address == fresh_lab.host("h1").address
