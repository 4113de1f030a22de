from __future__ import annotations

import pytest

from planner.capacity import Ask, Fleet, Holding, Load, asked, fleet, is_live
from planner.job import EphemeralDisk, Lifecycle, Resources, Task
from planner.observed import (
    NodeResources,
    NodeStatus,
    Observed,
    ObservedAlloc,
    TaskPhase,
    TaskState,
)
from planner.recorded import Desired
from tests.planner.scenes import RUNNING, ended, group, job, node, nodes, scene, task


def sized(name: str, cpu: int, memory: int, hook: str = "", *, sidecar: bool = False) -> Task:
    life = Lifecycle(hook=hook, sidecar=sidecar) if hook else None
    return task(name=name, resources=Resources(cpu=cpu, memory_mb=memory), lifecycle=life)


def test_the_largest_stage_counts() -> None:
    tasks = (
        sized("pre", 800, 600, "prestart"),
        sized("side", 100, 50, "prestart", sidecar=True),
        sized("main", 400, 300),
        sized("late", 10, 10, "poststart"),
        sized("post", 300, 900, "poststop"),
    )
    ask = asked(group(tasks=tasks, ephemeral_disk=EphemeralDisk(size_mb=150)))
    assert ask == Ask(cpu=900, memory_mb=900, disk_mb=150)


def test_secrets_count_as_memory_and_whole_cores_by_themselves() -> None:
    tasks = (
        task(name="a", resources=Resources(cpu=100, memory_mb=64, secrets_mb=8)),
        task(name="b", resources=Resources(cpu=100, memory_mb=64, cores=2)),
    )
    assert asked(group(tasks=tasks)) == Ask(cpu=100, memory_mb=136, disk_mb=300, cores=2)


@pytest.mark.parametrize(
    ("ask", "dimension"),
    [
        (Ask(cpu=4000, memory_mb=4096, disk_mb=100_000), ""),
        (Ask(cpu=4001), "cpu"),
        (Ask(memory_mb=4097), "memory"),
        (Ask(disk_mb=100_001), "disk"),
        (Ask(cores=3), "cores"),
        (Ask(cpu=1, cores=2), "cpu"),
    ],
)
def test_the_first_dimension_that_is_too_small(ask: Ask, dimension: str) -> None:
    assert Load(node(), frozenset()).lacks(ask) == dimension


def test_reserved_resources_are_no_room() -> None:
    load = Load(node(reserved=NodeResources(cpu=3000)), frozenset())
    assert load.lacks(Ask(cpu=1001)) == "cpu"


@pytest.mark.parametrize(
    ("attributes", "cores", "speed"),
    [({"cpu.frequency": "2596"}, 2, 2596), ({}, 2, 2000), ({}, 0, 0)],
)
def test_how_fast_a_core_is(attributes: dict[str, str], cores: int, speed: int) -> None:
    here = node(attributes=attributes, resources=NodeResources(cpu=4000, cores=cores))
    assert Load(here, frozenset()).cpu_of(Ask(cores=1)) == speed


def test_what_is_held_comes_back() -> None:
    loads = Fleet(loads={"a": Load(node(), frozenset())})
    holding = Holding(job="web", group="api", node="a", ask=Ask(cpu=500), ports=(80,), id="x")
    loads.hold(holding)
    assert loads.loads["a"].takes(80)
    assert loads.loads["a"].lacks(Ask(cpu=3501)) == "cpu"
    assert loads.release("x") == holding
    assert not loads.loads["a"].takes(80)
    assert loads.loads["a"].lacks(Ask(cpu=3501)) == ""
    assert loads.release("x") is None


def test_a_holding_on_a_node_that_is_not_there() -> None:
    loads = Fleet()
    loads.hold(Holding(job="web", group="api", node="gone", ask=Ask(), id="x"))
    assert loads.release("x") is not None


def test_what_is_decided_and_what_runs_besides() -> None:
    here = scene(node(used_ports=frozenset({22, 8080, 9090}), reserved_ports=frozenset({1})))
    here = here.applied(job(group(3)))
    stranger = ObservedAlloc(
        id="stranger", node="a", name="x.y[0]", job_id="x", group="y", cpu=7, memory_mb=8,
        disk_mb=9, ports={"http": 9090},
    )  # fmt: skip
    seen = {**here.observed.allocs, "stranger": stranger}
    here = here.with_record("web.api[0]", desired=Desired.STOP).without_seen("web.api[0]")
    here = here.with_record("web.api[1]", desired=Desired.STOP)
    seen.pop("web-0000")
    load = fleet(here.recorded, Observed(nodes=here.observed.nodes, allocs=seen)).loads["a"]
    assert (load.cpu, load.memory, load.disk) == (207, 136, 609)
    assert load.blocked == {1, 22, 8080}
    assert load.takes(9090)


def test_an_allocation_of_a_forgotten_version_takes_what_the_host_says() -> None:
    here = scene().applied(job()).with_record("web.api[0]", job_version=-1)
    here = here.with_seen("web.api[0]", cpu=11)
    assert fleet(here.recorded, here.observed).loads["a"].cpu == 11
    here = here.with_node("a", status=NodeStatus.UNKNOWN).without_seen("web.api[0]")
    assert fleet(here.recorded, here.observed).loads["a"].cpu == 0


def test_what_is_lost_takes_nothing() -> None:
    here = scene(*nodes("a", "b")).applied(job()).without_seen("web.api[0]")
    assert fleet(here.recorded, here.observed).loads["a"].cpu == 0


@pytest.mark.parametrize(
    ("desired", "tasks", "expected"),
    [
        ("run", RUNNING, True),
        ("run", {}, True),
        ("run", ended(failed=True), False),
        ("stop", RUNNING, True),
        ("stop", {}, False),
        ("stop", {"main": TaskState(state=TaskPhase.PENDING)}, True),
    ],
)
def test_what_is_live(desired: str, tasks: dict[str, TaskState], expected: bool) -> None:
    alloc = ObservedAlloc(
        id="x", node="a", name="x.y[0]", job_id="x", group="y", desired=desired, tasks=tasks
    )
    assert is_live(alloc) is expected
