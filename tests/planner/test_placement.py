"""Placements and scores of eight different nodes, as Nomad has them where it looks at all nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from planner.action import Action
from planner.capacity import Algorithm
from planner.evaluate import plan_job
from planner.failure import PlacementFailure
from planner.job import (
    Affinity,
    Constraint,
    EphemeralDisk,
    Job,
    Lifecycle,
    Network,
    Port,
    Resources,
    Spread,
    SpreadTarget,
    TaskGroup,
    Update,
    VolumeRequest,
)
from planner.observed import Node, NodeResources
from planner.plan import JobPlan
from planner.score import SPREAD
from tests.planner.scenes import ended, group, job, node, nodes, scene, task

# name, datacenter, class, pool, MHz, MB, rack, zone
_ROWS = """
n1 dc1 small default 2000 2048 r1 z1
n2 dc1 small default 2000 4096 r2 -
n3 dc1 medium default 4000 4096 r1 -
n4 dc1 medium default 4000 8192 r2 z2
n5 dc2 large default 8000 16384 r3 z1
n6 dc2 large default 8000 8192 r1 -
n7 dc1 medium gpu 4000 8192 r3 -
n8 dc-east1 xl default 16000 32768 r3 -
"""


def fleet() -> list[Node]:
    return [_node(*row.split()) for row in _ROWS.strip().splitlines()]


def _node(name: str, datacenter: str, kind: str, pool: str, *rest: str) -> Node:
    cpu, memory, rack, zone = rest
    meta = {"rack": rack} | ({"zone": zone} if zone != "-" else {})
    reserved = NodeResources(cpu=500, memory_mb=512) if name == "n6" else NodeResources()
    return node(
        name,
        datacenter=datacenter,
        node_class=kind,
        node_pool=pool,
        meta=meta,
        attributes={"kernel.name": "linux", "cpu.frequency": "2596"},
        reserved=reserved,
        resources=NodeResources(
            cpu=int(cpu), memory_mb=int(memory), disk_mb=int(cpu) * 10, cores=2
        ),
    )


def sized(count: int, cpu: int = 200, memory: int = 128, **fields: object) -> TaskGroup:
    resources = Resources(cpu=cpu, memory_mb=memory)
    values: dict[str, object] = {"name": "g", "tasks": (task(resources=resources),)}
    return group(count, **(values | fields))


LINUX = Affinity(l_target="${attr.kernel.name}", r_target="linux", weight=1)
LARGE = Affinity(l_target="${node.class}", r_target="large", weight=50)
APART = Constraint(operand="distinct_hosts")
RACK, DATACENTER = "${meta.rack}", "${node.datacenter}"


def spread(attribute: str, weight: int = 50, **percents: int) -> Spread:
    targets = tuple(SpreadTarget(value=v, percent=p) for v, p in percents.items())
    return Spread(attribute=attribute, weight=weight, spread_target=targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A group, the nodes it is placed on by index, and their final scores."""

    name: str
    group: TaskGroup
    nodes: str
    finals: tuple[float, ...]
    job: Mapping[str, object] = field(default_factory=dict[str, object])


CASES = [
    Case(
        name="collisions",
        group=sized(10, affinities=(LINUX,)),
        nodes="n1 n2 n3 n4 n6 n5 n8 n1 n1 n1",
        finals=(
            0.59436317831, 0.576416590096, 0.549493616927, 0.540024289432, 0.527001256077,
            0.520490898479, 0.510368386715, 0.381323786331, 0.390635395333, 0.392509537825,
        ),
    ),
    Case(
        name="several affinities",
        group=sized(
            2,
            500,
            256,
            affinities=(
                Affinity(l_target=RACK, r_target="r1", weight=100),
                LARGE,
                Affinity(l_target=DATACENTER, r_target="dc2", weight=-30),
            ),
        ),
        nodes="n1 n6",
        finals=(0.468823462633, 0.393384825911),
    ),
    Case(
        name="spread with targets",
        group=sized(10, spreads=(spread(RACK, 100, r1=50, r2=30, r3=20),)),
        nodes="n1 n2 n3 n5 n6 n4 n1 n1 n2 n8",
        finals=(
            0.49436317831, 0.409749923429, 0.349493616927, 0.270490898479, 0.227001256077,
            0.206690956099, 0.114657119664, 0.085953092999, 0.039743981155, 0.02073677343,
        ),
    ),
    Case(
        name="two spreads with targets",
        group=sized(
            6, spreads=(spread(RACK, 70, r1=50, r2=50), spread(DATACENTER, 30, dc1=80, dc2=20))
        ),
        nodes="n1 n2 n3 n4 n6 n2",
        finals=(
            0.446446511643, 0.397249923429, 0.222410283593, 0.181690956099, 0.052001256077,
            -0.022115123674,
        ),
    ),
    Case(
        name="even spread",
        group=sized(4, spreads=(spread(DATACENTER),)),
        nodes="n1 n6 n8 n1",
        finals=(0.18872635662, 0.527001256077, 0.510368386715, -0.385342880336),
    ),
    Case(
        name="even spread and affinity",
        group=sized(
            5,
            spreads=(spread(RACK),),
            affinities=(Affinity(l_target="${node.class}", r_target="large", weight=60),),
        ),
        nodes="n6 n5 n2 n6 n5",
        finals=(0.527001256077, 0.680327265653, 0.384277726731, -0.073688228787, 0.420012144716),
    ),
    Case(
        name="spread with a rest",
        group=sized(4, spreads=(spread(RACK, 100, r1=40, r2=30),)),
        nodes="n1 n2 n5 n3",
        finals=(0.28186317831, 0.159749923429, 0.103824231813, -0.075506383073),
    ),
    Case(
        name="distinct hosts",
        group=sized(5, 500, 256, affinities=(LINUX,)),
        job={"constraints": (Constraint(operand="distinct_hosts", r_target="true"),)},
        nodes="n1 n2 n3 n4 n6",
        finals=(0.691045684855, 0.658803986514, 0.606705963141, 0.588759374927, 0.560051492578),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_nodes_and_scores(case: Case) -> None:
    plan = scene(*fleet()).plan(job(case.group, **case.job))
    assert [c.node for c in plan.changes] == case.nodes.split()
    assert [c.scores[0].final for c in plan.changes] == pytest.approx(case.finals, abs=1e-11)


def test_kept_allocations_count_twice_in_a_spread() -> None:
    spreads = (spread(RACK, 100, r1=50, r2=30, r3=20),)
    here = scene(*fleet()).applied(job(sized(3)))
    moved = zip(range(3), ("n1", "n2", "n3"), strict=True)
    for index, name in moved:
        here = here.with_record(f"web.g[{index}]", node=name)
        here = here.with_seen(f"web.g[{index}]", node=name)
    plan = here.plan(job(sized(7, spreads=spreads)))
    created = [c for c in plan.changes if c.action is Action.CREATE]
    assert [c.node for c in created] == ["n5", "n1", "n2", "n8"]
    assert [c.scores[0].final for c in created] == pytest.approx(
        [0.163348041337, -0.123438118431, -0.144932583992, -0.203917327571], abs=1e-11
    )


def test_five_scores_are_kept_with_their_parts() -> None:
    plan = scene(*fleet()).plan(job(sized(4, spreads=(spread(RACK, 100, r1=100),))))
    first, last = plan.changes[0].scores, plan.changes[-1].scores
    assert [s.node for s in first] == ["n1", "n3", "n6", "n2", "n4"]
    assert first[0].parts == {
        "binpack": pytest.approx(0.18872635662, abs=1e-11),
        "job-anti-affinity": 0.0,
        "node-affinity": 0.0,
        "node-reschedule-penalty": 0.0,
        SPREAD: 0.75,
    }
    assert SPREAD not in last[0].parts


def test_a_spread_over_every_host() -> None:
    here = scene(*(node(f"h{i:02}") for i in range(40)))
    plan = here.plan(job(group(40, spreads=(spread("${node.unique.name}"),))))
    assert len({c.node for c in plan.changes}) == 40


@pytest.mark.parametrize(
    ("attribute", "percents", "expected"),
    [("${meta.nothing}", {}, "h0"), ("${meta.nothing}", {"r1": 50}, "h0"), (RACK, {"r1": 0}, "h0")],
)
def test_spreads_that_no_node_can_meet(
    attribute: str, percents: dict[str, int], expected: str
) -> None:
    here = scene(node("h0", meta={"rack": "r1"}), node("h1", meta={"rack": "r2"}))
    plan = here.plan(job(group(1, spreads=(spread(attribute, **percents),))))
    assert plan.changes[0].node == expected


def test_affinities_without_weight_say_nothing() -> None:
    nothing = Affinity(l_target="${node.class}", r_target="large", weight=0)
    plan = scene(*fleet()).plan(job(sized(1, affinities=(nothing,))))
    assert plan.changes[0].node == "n1"


def test_a_lifecycle_takes_the_largest_stage() -> None:
    tasks = (
        task(
            name="pre",
            resources=Resources(cpu=800, memory_mb=600),
            lifecycle=Lifecycle(hook="prestart"),
        ),
        task(
            name="side",
            resources=Resources(cpu=100, memory_mb=50),
            lifecycle=Lifecycle(hook="prestart", sidecar=True),
        ),
        task(name="main", resources=Resources(cpu=400, memory_mb=300)),
        task(
            name="post",
            resources=Resources(cpu=300, memory_mb=900),
            lifecycle=Lifecycle(hook="poststop"),
        ),
    )
    plan = scene(*fleet()).plan(job(sized(1, affinities=(LINUX,), tasks=tasks)))
    assert plan.changes[0].node == "n1"
    assert plan.changes[0].scores[0].final == pytest.approx(0.856014186281, abs=1e-11)


def test_whole_cores_have_the_speed_of_the_node() -> None:
    wanted = sized(
        3,
        constraints=(Constraint(l_target="${node.unique.name}", r_target="n5"),),
        tasks=(task(resources=Resources(cores=1, memory_mb=256)),),
    )
    plan = scene(*fleet()).plan(job(wanted))
    assert [c.node for c in plan.changes] == ["n5", "n5", ""]
    finals = [c.scores[0].final for c in plan.changes[:2]]
    assert finals == pytest.approx([0.312023373286, -0.098600064808], abs=1e-11)
    assert _failure(plan).dimension_exhausted == {"cores": 1}


def _failure(plan: JobPlan) -> PlacementFailure:
    failure = plan.groups[0].failure
    assert failure is not None
    return failure


def only_on(name: str) -> Constraint:
    return Constraint(l_target="${node.unique.name}", r_target=name)


AVAILABLE = {"dc1": 4, "dc-east1": 1, "dc2": 2}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            job(sized(1, cpu=7600, constraints=(only_on("n6"),))),
            PlacementFailure(
                nodes_evaluated=7,
                nodes_filtered=6,
                nodes_exhausted=1,
                nodes_in_pool=7,
                nodes_available=AVAILABLE,
                class_filtered={"medium": 2, "small": 2, "xl": 1, "large": 1},
                constraint_filtered={"${node.unique.name} = n6": 6},
                class_exhausted={"large": 1},
                dimension_exhausted={"cpu": 1},
            ),
        ),
        (
            job(sized(9), constraints=(Constraint(operand="distinct_hosts"),)),
            PlacementFailure(
                nodes_evaluated=7,
                nodes_filtered=7,
                nodes_in_pool=7,
                nodes_available=AVAILABLE,
                class_filtered={"medium": 2, "xl": 1, "small": 2, "large": 2},
                constraint_filtered={"distinct_hosts": 7},
                coalesced_failures=1,
            ),
        ),
        (
            job(
                sized(
                    5,
                    constraints=(Constraint(l_target=RACK, operand="distinct_property"),),
                )
            ),
            PlacementFailure(
                nodes_evaluated=7,
                nodes_filtered=7,
                nodes_in_pool=7,
                nodes_available=AVAILABLE,
                class_filtered={"xl": 1, "large": 2, "small": 2, "medium": 2},
                constraint_filtered={
                    "distinct_property: ${meta.rack}=r2 used by 1 allocs": 2,
                    "distinct_property: ${meta.rack}=r1 used by 1 allocs": 3,
                    "distinct_property: ${meta.rack}=r3 used by 1 allocs": 2,
                },
                coalesced_failures=1,
            ),
        ),
        (
            job(
                sized(3),
                constraints=(
                    Constraint(l_target="${meta.zone}", operand="distinct_property", r_target="1"),
                ),
            ),
            PlacementFailure(
                nodes_evaluated=7,
                nodes_filtered=7,
                nodes_in_pool=7,
                nodes_available=AVAILABLE,
                class_filtered={"medium": 2, "xl": 1, "small": 2, "large": 2},
                constraint_filtered={
                    "distinct_property: ${meta.zone}=z1 used by 1 allocs": 2,
                    'missing property "${meta.zone}"': 4,
                    "distinct_property: ${meta.zone}=z2 used by 1 allocs": 1,
                },
            ),
        ),
        (
            job(sized(9, networks=(Network(reserved_ports=(Port(label="http", value=18080),)),))),
            PlacementFailure(
                nodes_evaluated=7,
                nodes_exhausted=7,
                nodes_in_pool=7,
                nodes_available=AVAILABLE,
                class_exhausted={"large": 2, "xl": 1, "small": 2, "medium": 2},
                dimension_exhausted={"network: reserved port collision http=18080": 7},
                coalesced_failures=1,
            ),
        ),
        (job(sized(1), datacenters=("dc9",)), PlacementFailure()),
    ],
    ids=["cpu", "distinct hosts", "distinct property", "missing property", "port", "datacenter"],
)
def test_why_nothing_is_placed(wanted: Job, expected: PlacementFailure) -> None:
    assert _failure(scene(*fleet()).plan(wanted)) == expected


MEDIUM = Constraint(l_target="${node.class}", r_target="medium")


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        (job(sized(9, memory=4096, constraints=(MEDIUM,))), [{"computed class ineligible": 5}]),
        (
            job(sized(9, memory=4096, constraints=(MEDIUM, only_on("n4")))),
            [{"${node.class} = medium": 5, "${node.unique.name} = n4": 1}],
        ),
        (
            job(sized(9, memory=4096), sized(1, 9000, name="b"), constraints=(MEDIUM,)),
            [{"computed class ineligible": 5}, {"computed class ineligible": 5}],
        ),
        (
            job(sized(1, 9000, name="b", constraints=(MEDIUM,)), sized(1, 9000, name="c")),
            [{"${node.class} = medium": 5}, None],
        ),
        (
            job(sized(2, volumes={"v": VolumeRequest(name="v", type="host", source="v")})),
            [{"missing compatible host volumes": 7}],
        ),
    ],
    ids=["group", "unique", "job", "others' constraints", "volumes"],
)
def test_what_was_found_of_nodes_before_is_told_by_class(
    wanted: Job, labels: list[Mapping[str, int] | None]
) -> None:
    plan = scene(*fleet()).plan(wanted)
    told = [g.failure.constraint_filtered if g.failure else None for g in plan.groups]
    assert told == labels


def test_distinct_hosts_of_one_group_and_switched_off() -> None:
    yes = Constraint(operand="distinct_hosts", r_target="true")
    no = Constraint(operand="distinct_hosts", r_target="false")
    here = scene(*nodes("a", "b"))
    apart = here.plan(job(group(2, constraints=(yes,)), group(2, name="db")))
    assert {c.node for c in apart.groups[0].changes} == {"a", "b"}
    assert apart.groups[1].failure is None
    assert here.plan(job(group(3, constraints=(no,)))).groups[0].failure is None


def test_distinct_hosts_of_the_whole_job_follow_each_group() -> None:
    yes = Constraint(operand="distinct_hosts", r_target="true")
    wanted = job(group(2), group(1, name="db"), constraints=(yes,))
    plan = scene(*nodes("a", "b", "c")).plan(wanted)
    assert sorted(c.node for c in plan.changes) == ["a", "b", "c"]
    rolled = scene(*nodes("a", "b", "c")).applied(wanted)
    changed = job(
        group(2, tasks=(task(user="x"),)),
        group(1, name="db", tasks=(task(user="x"),)),
        constraints=(yes,),
    )
    plan = rolled.plan(changed)
    assert [(c.node, c.previous_node) for c in plan.changes if c.action is Action.DESTRUCTIVE] == [
        ("a", "a"),
        ("c", "c"),
    ]


def test_a_property_of_the_whole_job_counts_all_groups() -> None:
    limit = Constraint(l_target=RACK, operand="distinct_property", r_target="2")
    rack = {"rack": "r1"}
    wanted = job(group(1), group(2, name="db"), constraints=(limit,))
    plan = scene(node("a", meta=rack), node("b", meta=rack)).plan(wanted)
    assert [c.node != "" for c in plan.changes] == [True, True, False]
    here = scene(node("a", meta=rack), node("b", meta=rack)).after(plan)
    assert [c.node != "" for c in here.plan(wanted).changes if c.action is Action.CREATE] == [False]


def test_a_failed_allocation_avoids_its_node() -> None:
    here = scene(*nodes("a", "b")).applied(job())
    here = here.with_seen("web.api[0]", tasks=ended(failed=True, at=1))
    created = here.plan(job()).changes[0]
    assert (created.previous_node, created.node) == ("a", "b")
    assert created.scores[-1].parts["node-reschedule-penalty"] == -1.0
    assert created.replaces == "web-0000"


def test_a_failed_allocation_goes_back_where_there_is_no_other_node() -> None:
    here = scene().applied(job()).with_seen("web.api[0]", tasks=ended(failed=True, at=1))
    assert here.plan(job()).changes[0].node == "a"


def test_a_sticky_disk_stays_where_it_is() -> None:
    sticky = EphemeralDisk(sticky=True)
    here = scene(*nodes("a", "b")).applied(job(group(ephemeral_disk=sticky)))
    here = here.with_record("web.api[0]", node="b").with_seen("web.api[0]", node="b")
    changed = job(group(ephemeral_disk=sticky, tasks=(task(user="x"),)))
    assert here.plan(changed).changes[0].node == "b"
    assert here.with_node("b", eligible=False).plan(changed).changes[0].node == "a"
    loose = job(group(tasks=(task(user="x"),)))
    assert here.plan(loose).changes[0].node == "a"


def test_allocations_on_nodes_without_the_attribute_count_nowhere() -> None:
    here = scene(node("a"), node("b", meta={"rack": "r1"})).applied(job(sized(1)))
    assert here.state().allocs[0].node == "a"
    limit = Constraint(l_target=RACK, operand="distinct_property")
    plan = here.plan(job(sized(2, constraints=(limit,), spreads=(spread(RACK),))))
    assert [c.node for c in plan.changes] == ["b", "a"]
    assert plan.changes[0].scores[0].parts.get(SPREAD) is None


def test_a_replacement_leaves_its_value_of_a_spread() -> None:
    racks = (node("a", meta={"rack": "r1"}), node("b", meta={"rack": "r2"}))
    even = (spread(RACK),)
    both = Update(max_parallel=2)
    here = scene(*racks).applied(job(sized(2, spreads=even)))
    plan = here.plan(job(sized(2, spreads=even, update=both, tasks=(task(user="x"),))))
    assert sorted(c.node for c in plan.changes) == ["a", "b"]
    assert [c.scores[0].parts[SPREAD] for c in plan.changes] == [1.0, 1.0]


def test_spreading_work_prefers_empty_nodes() -> None:
    half = sized(1, cpu=1000, memory=1024)
    situation = replace(
        scene(fleet()[0]).applied(job(sized(1, cpu=200, memory=256))).situation,
        algorithm=Algorithm.SPREAD,
    )
    (change,) = plan_job(replace(job(half), id="other"), situation).changes
    free = 10 ** (1 - 1200 / 2000) + 10 ** (1 - 1280 / 2048)
    assert change.scores[0].final == pytest.approx((free - 2) / 18, abs=1e-12)


def test_kept_allocations_count_twice_in_a_property_too() -> None:
    limit = Constraint(operand="distinct_property", l_target=RACK, r_target="2")
    here = scene(*fleet()).applied(job(sized(2, constraints=(limit,))))
    plan = here.plan(job(sized(5, constraints=(limit,))))
    racks = {"r1": 0, "r2": 0, "r3": 0}
    for change in plan.changes:
        if change.node:
            racks[here.observed.nodes[change.node].meta["rack"]] += 1
    kept = [c for c in plan.changes if c.action is Action.IN_PLACE]
    assert len(kept) == 2
    for change in kept:
        assert racks[here.observed.nodes[change.node].meta["rack"]] == 1
    failure = plan.groups[0].failure
    assert failure is not None
    assert all("used by 2 allocs" in label for label in failure.constraint_filtered)


def test_an_allocation_that_has_company_can_t_stay_where_it_must_be_alone() -> None:
    here = scene(node()).applied(job(sized(2)))
    (group_plan,) = here.plan(job(sized(2, constraints=(APART,)))).groups
    actions = sorted(str(c.action) for c in group_plan.changes)
    assert actions == ["create/destroy update", "ignore"]
    assert group_plan.failure is not None
    assert group_plan.failure.constraint_filtered == {"distinct_hosts": 1}


def test_a_node_can_be_chosen_otherwise() -> None:
    wanted = job(sized(1))
    here = scene(*fleet())
    chosen = plan_job(wanted, here.situation, choose=lambda r, w: r.place_on("n8", w))
    assert [c.node for c in chosen.changes] == ["n8"]
    nowhere = plan_job(wanted, here.situation, choose=lambda r, w: r.place_on("n7", w))
    assert [c.node for c in nowhere.changes] == [""]
    assert nowhere.groups[0].failure is not None


def test_no_host_has_csi_volumes() -> None:
    volume = VolumeRequest(name="data", type="csi", source="disk")
    (group_plan,) = scene(node()).plan(job(sized(1, volumes={"data": volume}))).groups
    assert group_plan.failure is not None
    assert group_plan.failure.constraint_filtered == {"missing CSI Volume disk": 1}
