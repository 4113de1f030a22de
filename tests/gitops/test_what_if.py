"""What is only supposed: hosts that are down, and counts that are others."""

from __future__ import annotations

import pytest

from gitops.planning import plan_of
from gitops.view import plan_text
from gitops.view.plan_text import PlanView
from gitops.what_if import WhatIf, what_if, with_counts, with_hosts
from planner.action import Action
from planner.errors import OrchError
from planner.job import Job, Task, TaskGroup
from planner.observed import NodeStatus
from planner.plan import Plan
from tests.world import World, node


def group(name: str, count: int = 2) -> TaskGroup:
    task = Task(name="main", driver="raw_exec", config={"command": "/bin/a"})
    return TaskGroup(name=name, count=count, tasks=(task,))


def web(*names: str) -> Job:
    return Job(id="web", name="web", task_groups=tuple(map(group, names or ("g",))))


def planned(world: World, job: Job, text: str) -> Plan:
    supposed = what_if(text)
    look = with_hosts(world.look(), supposed.hosts)
    return plan_of(with_counts(world.desired(job), supposed.counts), look, "sim")


def test_suppositions_are_read() -> None:
    found = what_if("host=h3:down,job=web:count=9, job=web.api:count=0")
    assert found == WhatIf(hosts={"h3": NodeStatus.DOWN}, counts={"web": 9, "web.api": 0})
    assert found.words == (
        "host h3 is down",
        "the count of web is 9",
        "the count of web.api is 0",
    )
    assert what_if("") == WhatIf()


@pytest.mark.parametrize(
    "text", ["h3:down", "host=h3", "host=h3:gone", "job=web", "job=web:count=x", "job=web:9", ","]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(OrchError, match="is no supposition"):
        what_if(text)


def test_what_a_host_that_is_down_runs_is_placed_elsewhere() -> None:
    world = World([node("a"), node("b")])
    world.apply(web())
    host = next(iter(world.fleet.observed.allocs.values())).node
    there = sum(a.node == host for a in world.fleet.observed.allocs.values())
    plan = planned(world, web(), f"host={host}:down")
    moved = [c for c in plan.jobs[0].changes if c.action is Action.CREATE]
    assert len(moved) == there
    assert {c.node for c in moved} == {"a", "b"} - {host}
    assert world.plan(web()).empty, "nothing of it is kept"


def test_what_an_unknown_host_runs_is_left_alone() -> None:
    world = World([node("a")])
    world.apply(web())
    plan = planned(world, web(), "host=a:unknown")
    assert not plan.jobs[0].touches
    assert [u.host for u in plan.unknown] == ["a"]


def test_a_count_is_that_of_the_group_that_is_named() -> None:
    world = World([node("a")])
    plan = planned(world, web("api", "ui"), "job=web.ui:count=5")
    assert {g.name: g.count(Action.CREATE) for g in plan.jobs[0].groups} == {"api": 2, "ui": 5}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("job=web:count=3", "several groups"),
        ("job=db:count=3", "no job, or group of one, 'db'"),
        ("job=web.db:count=3", "no job, or group of one, 'web.db'"),
        ("host=z:down", "no host 'z'"),
    ],
)
def test_what_is_not_there_can_not_be_supposed_otherwise(text: str, why: str) -> None:
    with pytest.raises(OrchError, match=why):
        planned(World([node("a")]), web("api", "ui"), text)


def test_such_a_plan_says_that_it_is_none_to_apply() -> None:
    plan = planned(World([node("a")]), web(), "job=web:count=3")
    view = PlanView(advises=False, supposed=what_if("job=web:count=3").words)
    lines = plan_text.text(plan, view).splitlines()
    assert lines[0] == (
        "What if the count of web is 3? This plan is not about what is so, and can't be applied."
    )
    assert not any("orch run" in line for line in lines)
