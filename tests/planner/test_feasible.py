from __future__ import annotations

from dataclasses import replace

import pytest

from planner.feasible import is_candidate, obstacle
from planner.job import Constraint, Job, Network, Port, Resources, TaskGroup, VolumeRequest
from planner.observed import Node
from tests.planner.scenes import group, job, node, task

PLAN9 = Constraint(l_target="${attr.kernel.name}", r_target="plan9")
VAX = Constraint(l_target="${attr.cpu.arch}", r_target="vax")
DATA = VolumeRequest(name="data", type="host", source="data")
EACH = VolumeRequest(name="data", type="host", source="data", per_alloc=True)
DEVICE = task(resources=Resources(devices=({"Name": "gpu"},)))
PUBLIC = Network(dynamic_ports=(Port(label="web", host_network="public"),))


@pytest.mark.parametrize(
    ("datacenters", "pool", "here", "expected"),
    [
        (("*",), "default", node(), True),
        (("dc1",), "default", node(), True),
        (("dc2", "dc-*"), "default", node(datacenter="dc-east1"), True),
        (("dc-*",), "default", node(), False),
        (("d.1",), "default", node(), False),
        (("*",), "default", node(node_pool="gpu"), False),
        (("*",), "gpu", node(node_pool="gpu"), True),
        (("*",), "all", node(node_pool="gpu"), True),
    ],
)
def test_datacenters_and_pools(
    datacenters: tuple[str, ...], pool: str, here: Node, expected: bool
) -> None:
    assert is_candidate(job(datacenters=datacenters, node_pool=pool), here) is expected


@pytest.mark.parametrize(
    ("wanted", "spec", "label"),
    [
        (job(), group(), ""),
        (job(constraints=(PLAN9,)), group(), "${attr.kernel.name} = plan9"),
        (job(), group(constraints=(VAX, PLAN9)), "${attr.cpu.arch} = vax"),
        (job(), group(tasks=(task(constraints=(VAX,)),)), "${attr.cpu.arch} = vax"),
        (job(), group(tasks=(task(driver="docker"),), constraints=(VAX,)), "missing drivers"),
        (job(), group(tasks=(DEVICE,)), "missing devices"),
        (job(), group(volumes={"data": DATA}), "missing compatible host volumes"),
        (job(), group(volumes={"data": EACH}), "missing compatible host volumes"),
        (job(), group(networks=(PUBLIC,)), 'missing host network "public" for port "web"'),
        (job(), group(networks=(Network(mode="cni/mesh"),)), "missing network"),
        (job(), group(networks=(Network(mode="bridge"),)), ""),
        (job(constraints=(Constraint(operand="distinct_hosts"),)), group(), ""),
    ],
)
def test_the_first_obstacle(wanted: Job, spec: TaskGroup, label: str) -> None:
    assert obstacle(wanted, spec, node()) == label


def test_host_volumes_that_are_there() -> None:
    here = node(host_volumes=frozenset({"data", "data[0]"}))
    assert obstacle(job(), group(volumes={"data": DATA}), here) == ""
    assert obstacle(job(), group(volumes={"data": EACH}), here) == ""


def test_what_is_to_be_written_to_can_not_be_read_only() -> None:
    here = node(host_volumes=frozenset({"data"}), read_only_volumes=frozenset({"data"}))
    assert obstacle(job(), group(volumes={"data": DATA}), here) == "missing compatible host volumes"
    reads = replace(DATA, read_only=True)
    assert obstacle(job(), group(volumes={"data": reads}), here) == ""
