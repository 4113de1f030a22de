"""Every host is named in an explanation: with its scores, or with the first thing against it."""

from __future__ import annotations

from planner.evaluate import Situation, plan_jobs
from planner.explanation import Explainer, Explanation
from planner.job import Constraint, Job, Network, Port, Resources
from planner.observed import Node, NodeResources, NodeStatus, Observed
from planner.recorded import Recorded
from tests.planner.scenes import group, job, node, task


def _explained(wanted: Job, *nodes: Node) -> list[Explanation]:
    observed = Observed(nodes={n.name: n for n in nodes})
    situation = Situation(recorded=Recorded(), observed=observed, now=1)
    explainer = Explainer()
    watched = plan_jobs([("", wanted)], situation, explainer)
    assert watched == plan_jobs([("", wanted)], situation)
    return list(explainer.explanations)


def _reasons(found: Explanation) -> dict[str, tuple[str, ...]]:
    return {r.reason: r.hosts for r in found.ruled_out}


def test_each_host_has_its_first_obstacle() -> None:
    linux = Constraint(l_target="${attr.kernel.name}", r_target="linux")
    wanted = job(constraints=(linux,), datacenters=("dc1",))
    (found,) = _explained(
        wanted,
        node("a"),
        node("away", status=NodeStatus.UNKNOWN, reason="connection refused"),
        node("barred", eligible=False),
        node("bsd", attributes={"kernel.name": "freebsd"}),
        node("elsewhere", datacenter="dc2"),
        node("pool", node_pool="gpu"),
        node("plain", drivers=frozenset({"docker"})),
        node("small", resources=NodeResources(cpu=4000, memory_mb=10, disk_mb=9999, cores=1)),
    )
    assert [s.node for s in found.scores] == [found.node] == ["a"]
    assert _reasons(found) == {
        "unknown: connection refused": ("away",),
        "not eligible": ("barred",),
        "${attr.kernel.name} = linux": ("bsd",),
        "datacenter dc2 is none of dc1": ("elsewhere",),
        "not in node pool default but in gpu": ("pool",),
        "missing drivers: raw_exec": ("plain",),
        "memory exhausted: 64 MB wanted": ("small",),
    }


def test_hosts_are_ranked_and_the_best_one_is_taken() -> None:
    big = NodeResources(cpu=40_000, memory_mb=40_960, disk_mb=100_000, cores=2)
    (found,) = _explained(job(), node("b", resources=big), node("c"), node("a"))
    assert [s.node for s in found.scores] == ["a", "c", "b"]
    assert found.node == "a"
    assert found.ruled_out == ()


def test_the_first_placement_that_fails_is_the_one_to_explain() -> None:
    port = Network(reserved_ports=(Port(label="http", value=80),))
    (found,) = _explained(job(group(2, networks=(port,))), node("a"))
    assert (found.name, found.node, found.scores) == ("web.api[1]", "", ())
    assert _reasons(found) == {"network: reserved port collision http=80": ("a",)}


def test_distinct_hosts_are_told() -> None:
    distinct = Constraint(operand="distinct_hosts", r_target="true")
    (found,) = _explained(job(group(2), constraints=(distinct,)), node("a"))
    assert _reasons(found) == {"distinct_hosts": ("a",)}


def test_a_job_for_every_node_explains_all_of_them() -> None:
    tight = NodeResources(cpu=10, memory_mb=4096, disk_mb=100_000, cores=1)
    wanted = job(group(1, update=None), type="system")
    nodes = [node("a"), node("b"), node("c", resources=tight), node("d", eligible=False)]
    (found,) = _explained(wanted, *nodes)
    assert {s.node for s in found.scores} == {"a", "b"}
    assert _reasons(found) == {
        "cpu exhausted: 100 MHz wanted": ("c",),
        "not eligible": ("d",),
    }


def test_a_whole_core_is_asked_for_in_cores() -> None:
    cores = group(tasks=(task(resources=Resources(cores=4, memory_mb=10)),))
    (found,) = _explained(job(cores), node("a"))
    assert _reasons(found) == {"cores exhausted: 4 wanted": ("a",)}
