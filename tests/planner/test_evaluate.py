from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planner.action import Action
from planner.codec import to_json
from planner.diff import DiffType
from planner.errors import OrchError
from planner.evaluate import Situation, plan_job, plan_jobs
from planner.job import Network, Parameterized, Periodic, Port, Resources
from planner.observed import Observed
from planner.plan import JobPlan
from planner.recorded import PortMapping
from tests.planner.scenes import NOW, counts, group, job, node, nodes, only, scene, task

WEB = Network(reserved_ports=(Port(label="web", value=8080),))
HTTP = Network(dynamic_ports=(Port(label="http", to=80),))
USER = (task(user="www"),)


def test_a_plan_of_a_new_job() -> None:
    wanted = job(group(2))
    plan = plan_job(wanted, scene().situation, path="jobs/web.nomad.hcl")
    assert (plan.key, plan.path, plan.registers, plan.empty) == (
        "web",
        "jobs/web.nomad.hcl",
        True,
        False,
    )
    assert (plan.job_modify_index, plan.modify_index) == (0, 0)
    assert plan.diff.type is DiffType.ADDED
    assert plan.diff.task_groups[0].updates == (("create", 2),)


def test_a_plan_without_changes() -> None:
    here = scene().applied(job())
    plan = here.plan(job())
    assert plan.empty
    assert not plan.registers
    assert plan.diff.type is DiffType.NONE
    assert plan.job_modify_index == here.state().job_modify_index == 1


def test_registers_although_nothing_is_placed() -> None:
    plan = scene().plan(job(group(0)))
    assert plan.registers
    assert plan.changes == ()
    assert not plan.empty


def test_jobs_of_another_namespace_are_other_jobs() -> None:
    plan = scene().applied(job()).plan(job(namespace="test"))
    assert plan.key == "web@test"
    assert counts(plan) == {"create": 1}


@pytest.mark.parametrize(
    "fields", [{"periodic": Periodic(spec="* * * * *")}, {"parameterized_job": Parameterized()}]
)
def test_a_periodic_or_parameterized_job_is_only_registered(fields: dict[str, object]) -> None:
    wanted = job(type="batch", **fields)
    plan = scene().plan(wanted)
    assert counts(plan) == {"create": 1}
    assert scene().after(replace(plan, groups=())).plan(wanted).empty


# Ports


def test_static_ports_of_others_are_taken() -> None:
    here = scene(*nodes("a", "b")).applied(job(group(networks=(WEB,)), id="first"))
    assert here.plan(job(group(networks=(WEB,)))).changes[0].node == "b"
    foreign = scene(node(used_ports=frozenset({8080})))
    plan = foreign.plan(job(group(networks=(WEB,))))
    failure = plan.groups[0].failure
    assert failure is not None
    assert failure.dimension_exhausted == {"network: reserved port collision web=8080": 1}


def test_a_replacement_takes_the_port_of_what_it_replaces() -> None:
    here = scene().applied(job(group(networks=(WEB,))))
    here = here.with_node("a", used_ports=frozenset({8080}))
    change = here.plan(job(group(networks=(WEB,), tasks=USER))).changes[0]
    assert (change.action, change.node) == (Action.DESTRUCTIVE, "a")
    assert change.ports == (PortMapping(label="web", value=8080, host_ip="10.0.0.1"),)


def test_a_replacement_that_finds_no_node_leaves_the_old_one() -> None:
    big = (task(resources=Resources(cpu=100, memory_mb=9000)),)
    here = scene().applied(job(group(2)))
    plan = here.plan(job(group(3, tasks=big)))
    assert counts(plan) == {"create": 1, "ignore": 2}
    plan = here.plan(job(group(2, tasks=big)))
    assert only(plan, Action.DESTRUCTIVE).node == ""
    failure = plan.groups[0].failure
    assert failure is not None
    assert (failure.dimension_exhausted, failure.coalesced_failures) == ({"memory": 1}, 0)
    assert here.after(plan).observed == here.observed


def test_the_old_one_keeps_its_place_beside_later_groups() -> None:
    full = node(resources=replace(node().resources, memory_mb=128))
    here = scene(full).applied(job(group(1), group(1, name="db")))
    big = (task(resources=Resources(cpu=100, memory_mb=129)),)
    plan = here.plan(job(group(1, tasks=big), group(1, name="db", tasks=USER)))
    assert [c.node for c in plan.changes] == ["", "a"]
    plan = here.plan(job(group(1, tasks=USER), group(1, name="db", tasks=big), group(1, name="x")))
    assert [c.node for c in plan.changes] == ["a", "", ""]


def test_dynamic_ports_are_kept_by_updates_in_place() -> None:
    wanted = job(group(networks=(HTTP,)))
    here = scene().applied(wanted)
    ports = here.state().allocs[0].ports
    assert ports[0].to == 80
    change = here.plan(replace(wanted, priority=70)).changes[0]
    assert (change.action, change.ports) == (Action.IN_PLACE, ports)


# Several jobs


def test_later_jobs_see_what_earlier_ones_take() -> None:
    small = node(resources=replace(node().resources, memory_mb=100))
    here = scene(small)
    one, two = job(id="one"), job(id="two", priority=80)
    plans = plan_jobs([("a", one), ("b", two)], here.situation)
    assert [(p.key, p.path, p.changes[0].node) for p in plans] == [
        ("two", "b", "a"),
        ("one", "a", ""),
    ]
    ports = [job(group(networks=(WEB,)), id=i) for i in ("x", "y")]
    plans = plan_jobs([("", j) for j in ports], scene(*nodes("a", "b")).situation)
    assert [p.changes[0].node for p in plans] == ["a", "b"]


def test_a_stopped_job_gives_its_room_to_later_ones() -> None:
    small = node(resources=replace(node().resources, memory_mb=100))
    here = scene(small).applied(job(id="old"))
    jobs = [("", job(id="old", stop=True)), ("", job(id="young"))]
    plans = plan_jobs(jobs, here.situation)
    assert [p.changes[0].node for p in plans] == ["a", "a"]


def test_one_job_in_two_files() -> None:
    with pytest.raises(OrchError, match="job 'web' is in two files: a and b"):
        plan_jobs([("a", job()), ("b", job(priority=1))], scene().situation)


def test_the_same_inputs_give_the_same_bytes() -> None:
    wanted = job(group(5, networks=(HTTP,)), group(3, name="db"))
    here = scene(*nodes("a", "b", "c")).applied(wanted)
    mixed = Situation(
        recorded=here.recorded,
        observed=Observed(
            nodes=dict(sorted(here.observed.nodes.items(), reverse=True)),
            allocs=dict(sorted(here.observed.allocs.items(), reverse=True)),
        ),
        now=NOW,
    )
    changed = replace(wanted, meta={"a": "1"})
    assert _bytes(plan_job(changed, here.situation)) == _bytes(plan_job(changed, mixed))


def _bytes(plan: JobPlan) -> str:
    return json.dumps(to_json(plan))
