"""What holds for every plan, whatever stands on the hosts and whatever the spec becomes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.action import Action
from planner.capacity import fleet
from planner.codec import to_json
from planner.evaluate import plan_jobs
from planner.job import Constraint, Job, Network, Port, Resources, Update
from planner.observed import NodeResources, NodeStatus
from planner.plan import JobPlan
from planner.recorded import ClientStatus, Desired
from tests.planner.scenes import RUNNING, Scene, ended, group, job, node, scene, task

STARTS = (Action.CREATE, Action.DESTRUCTIVE, Action.CANARY)
EXAMPLES = settings(max_examples=50, deadline=None)
APART = Constraint(operand="distinct_hosts")


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    static = draw(st.sampled_from([(), (Port(label="web", value=8080),)]))
    tasks = (
        task(
            user=draw(st.sampled_from(["", "www"])),
            kill_timeout=draw(st.sampled_from([5, 9])),
            resources=Resources(cpu=draw(st.sampled_from([100, 900])), memory_mb=64),
        ),
    )
    fields: dict[str, Any] = {
        "networks": (Network(reserved_ports=static, dynamic_ports=(Port(label="http"),)),),
        "update": Update(max_parallel=draw(st.integers(0, 2))),
        "constraints": draw(st.sampled_from([(), (APART,)])),
        "tasks": tasks,
    }
    groups = [group(draw(st.integers(0, 4)), **fields)]
    if draw(st.booleans()):
        groups.append(group(draw(st.integers(0, 3)), name="db", tasks=tasks))
    return job(*groups, type=draw(st.sampled_from(["service", "batch"])))


@st.composite
def fleets(draw: st.DrawFn) -> Scene:
    sizes = st.sampled_from(
        [NodeResources(cpu=c, memory_mb=512, disk_mb=5000) for c in (500, 2000)]
    )
    ports = st.sets(st.sampled_from([22, 8080]))
    return scene(
        *(
            node(
                f"h{i}",
                resources=draw(sizes),
                used_ports=frozenset(draw(ports)),
                min_dynamic_port=20_000,
                max_dynamic_port=20_002,
            )
            for i in range(draw(st.integers(1, 4)))
        )
    )


FATES: list[dict[str, Any]] = [
    {},
    {"gone": True},
    {"gone": True, "client": ClientStatus.PENDING},
    {"desired": Desired.STOP},
    {"tasks": ended(failed=True, at=1)},
    {"tasks": ended(failed=False)},
    {"seen": "stop"},
    {"healthy": None},
]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Something was planned and carried out, and then things went wrong."""
    here = draw(fleets())
    here = here.applied(draw(jobs()))
    if draw(st.booleans()):
        here = here.applied(draw(jobs()))
    for record in here.state().allocs:
        here = _struck(here, record.id, draw(st.sampled_from(FATES)))
    for name in here.observed.nodes:
        if draw(st.integers(0, 4)) == 0:
            here = here.with_node(name, status=draw(st.sampled_from(list(NodeStatus))))
    return here


def _struck(here: Scene, alloc: str, fate: dict[str, Any]) -> Scene:
    fields = {k: v for k, v in fate.items() if k in ("client", "desired", "healthy")}
    allocs = (replace(a, **fields) if a.id == alloc else a for a in here.state().allocs)
    here = here.with_state(allocs=tuple(allocs))
    seen = dict(here.observed.allocs)
    if alloc in seen:
        look = {"tasks": fate.get("tasks", RUNNING), "desired": fate.get("seen", "run")}
        seen[alloc] = replace(seen[alloc], **look)
        if "gone" in fate:
            del seen[alloc]
    return replace(here, observed=replace(here.observed, allocs=seen))


def _starts(plan: JobPlan) -> list[str]:
    return [c.name for c in plan.changes if c.action in STARTS]


@EXAMPLES
@given(scenes(), jobs())
def test_no_name_is_decided_twice(here: Scene, wanted: Job) -> None:
    plan = here.plan(wanted)
    kept = (c for c in plan.changes if c.action in (Action.IN_PLACE, Action.IGNORE))
    live = [c.name for c in kept if not _has_ended(here, c.alloc)]
    twice = {n for n, count in Counter([*live, *_starts(plan)]).items() if count > 1}
    assert not twice, [(c.action, c.name, c.alloc, c.reason) for c in plan.changes]


def _has_ended(here: Scene, alloc: str) -> bool:
    record, seen = here.state().alloc(alloc), here.observed.allocs.get(alloc)
    if seen is None and record is not None and record.desired is Desired.STOP:
        return True
    return seen is not None and all(t.finished_at for t in seen.tasks.values())


@EXAMPLES
@given(scenes(), jobs())
def test_every_allocation_is_decided_once(here: Scene, wanted: Job) -> None:
    changes = here.plan(wanted).changes
    touched = [c.replaces or c.alloc for c in changes if c.replaces or c.alloc]
    assert len(touched) == len(set(touched))
    running = {a.id for a in here.state().allocs if a.desired is Desired.RUN}
    assert running <= set(touched)


@EXAMPLES
@given(scenes(), jobs())
def test_never_more_than_the_count(here: Scene, wanted: Job) -> None:
    for plan in here.plan(wanted).groups:
        spec = wanted.group(plan.name)
        assert plan.count(Action.CREATE) <= (spec.count if spec else 0)


@EXAMPLES
@given(scenes(), jobs())
def test_unknown_hosts_are_left_alone(here: Scene, wanted: Job) -> None:
    unknown = {n.name for n in here.observed.nodes.values() if n.status is NodeStatus.UNKNOWN}
    for change in here.plan(wanted).changes:
        if change.action is not Action.IGNORE:
            assert change.node not in unknown


@EXAMPLES
@given(scenes(), jobs())
def test_room_and_ports_are_never_given_twice(here: Scene, wanted: Job) -> None:
    after = here.after(here.plan(wanted))
    loads = fleet(after.recorded, after.observed).loads
    before = fleet(here.recorded, here.observed).loads
    for name, load in loads.items():
        assert load.cpu <= max(load.room_cpu, before[name].cpu)
        assert load.memory <= max(load.room_memory, before[name].memory)
        assert all(n <= max(1, before[name].ports[p]) for p, n in load.ports.items())
    started = [c for c in here.plan(wanted).changes if c.action in STARTS and not c.resumed]
    taken = {(c.node, p.value) for c in started for p in c.ports}
    assert not any(load.node.used_ports & {22} and (n, 22) in taken for n, load in loads.items())


@EXAMPLES
@given(scenes(), jobs())
def test_equal_inputs_give_equal_bytes(here: Scene, wanted: Job) -> None:
    allocs = dict(sorted(here.observed.allocs.items(), reverse=True))
    nodes = dict(sorted(here.observed.nodes.items(), reverse=True))
    mixed = replace(here, observed=replace(here.observed, allocs=allocs, nodes=nodes))
    mixed = mixed.with_state(allocs=tuple(reversed(here.state().allocs)))
    first, second = (json.dumps(to_json(s.plan(wanted))) for s in (here, mixed))
    assert first == second


@EXAMPLES
@given(scenes(), st.lists(jobs(), min_size=2, max_size=4), st.randoms())
def test_the_order_of_files_and_hosts_does_not_matter(
    here: Scene, wanted: list[Job], chance: Random
) -> None:
    files = [(f"{i}.nomad.hcl", replace(w, id=f"job-{i}")) for i, w in enumerate(wanted)]
    first = json.dumps([to_json(p) for p in plan_jobs(files, here.situation)])
    chance.shuffle(files)
    nodes = list(here.observed.nodes.items())
    chance.shuffle(nodes)
    mixed = replace(here, observed=replace(here.observed, nodes=dict(nodes)))
    assert json.dumps([to_json(p) for p in plan_jobs(files, mixed.situation)]) == first


@EXAMPLES
@given(scenes(), jobs())
def test_after_what_can_be_done_nothing_is_left(here: Scene, wanted: Job) -> None:
    for _ in range(40):
        if _is_settled(here.plan(wanted)):
            break
        here = here.after(here.plan(wanted))
    assert _is_settled(here.plan(wanted))


def _is_settled(plan: JobPlan) -> bool:
    return plan.empty or any(g.failure for g in plan.groups)
