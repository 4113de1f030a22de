# ruff: noqa: ANN401 - the builders pass on any field
"""System jobs: one allocation of each group on every node that takes it, and none anywhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.action import Action
from planner.job import SECOND, Constraint, Job, Periodic, Resources, Update
from planner.observed import NodeStatus
from planner.recorded import Deployment, DeploymentStatus, Desired
from tests.planner.scenes import (
    NOW,
    Scene,
    counts,
    ended,
    group,
    job,
    node,
    nodes,
    only,
    scene,
    task,
)

USER: dict[str, Any] = {"tasks": (task(user="www"),)}
ON_A = Constraint(l_target="${node.unique.name}", r_target="a")


def agent(kind: str = "system", **fields: Any) -> Job:
    values: dict[str, Any] = {"reschedule_policy": None} | fields
    if kind == "sysbatch":
        values.setdefault("update", None)
    return job(group(**values), type=kind)


def three(wanted: Job) -> Scene:
    return scene(*nodes("a", "b", "c")).applied(wanted)


def placed(here: Scene, wanted: Job) -> list[str]:
    return sorted(c.node for c in here.plan(wanted).changes if c.action is Action.CREATE)


@pytest.mark.parametrize("kind", ["system", "sysbatch"])
def test_every_node_gets_one_and_then_nothing_is_left_to_do(kind: str) -> None:
    here = scene(*nodes("a", "b", "c"))
    assert placed(here, agent(kind)) == ["a", "b", "c"]
    assert {c.name for c in here.plan(agent(kind)).changes} == {"web.api[0]"}
    assert counts(here.applied(agent(kind)).plan(agent(kind))) == {"ignore": 3}


def test_a_node_that_joins_gets_one_too() -> None:
    here = three(agent()).joined(node("d"))
    assert counts(here.plan(agent())) == {"create": 1, "ignore": 3}
    assert only(here.plan(agent()), Action.CREATE).node == "d"


def test_nodes_elsewhere_and_nodes_that_take_nothing_new_are_left_out() -> None:
    here = scene(node("a"), node("b", node_pool="gpu"), node("c", datacenter="dc2"), node("d"))
    wanted = replace(agent(), datacenters=("dc1",))
    assert placed(here.barred("d"), wanted) == ["a"]


def test_a_constraint_leaves_nodes_out_without_a_failure() -> None:
    (plan,) = scene(*nodes("a", "b")).plan(agent(constraints=(ON_A,))).groups
    assert (counts(plan), plan.failure) == ({"create": 1}, None)


def test_only_where_all_nodes_are_left_out_that_is_a_failure() -> None:
    nowhere = Constraint(l_target="${attr.kernel.name}", r_target="plan9")
    (plan,) = scene(*nodes("a", "b")).plan(agent(constraints=(nowhere,))).groups
    assert counts(plan) == {}
    assert plan.failure is not None
    assert plan.failure.constraint_filtered == {"${attr.kernel.name} = plan9": 2}
    assert (plan.failure.nodes_evaluated, plan.failure.nodes_in_pool) == (2, 0)


def test_a_full_node_fails_by_itself() -> None:
    small = replace(node().resources, memory_mb=32)
    here = scene(node("a"), node("b", resources=small), node("c", resources=small))
    (plan,) = here.plan(agent()).groups
    assert counts(plan) == {"create": 1}
    assert plan.failure is not None
    assert (plan.failure.nodes_evaluated, plan.failure.coalesced_failures) == (1, 1)
    assert plan.failure.nodes_in_pool == 3


def test_updates_go_node_by_node() -> None:
    here = three(agent())
    assert counts(here.plan(agent(**USER))) == {"replace": 1, "ignore": 2}
    pair = Update(max_parallel=2)
    assert counts(here.plan(agent(update=pair, **USER))) == {"replace": 2, "ignore": 1}
    assert only(here.plan(agent(**USER)), Action.DESTRUCTIVE).node == "a"


def test_a_sysbatch_job_is_updated_everywhere_at_once() -> None:
    here = three(agent("sysbatch"))
    assert counts(here.plan(agent("sysbatch", **USER))) == {"replace": 3}


def test_what_can_stay_is_only_told() -> None:
    plan = three(agent()).plan(agent(tasks=(task(kill_timeout=9),)))
    assert counts(plan) == {"update": 3}


def test_canaries_are_a_share_of_the_nodes() -> None:
    here = three(agent())
    third = Update(max_parallel=3, canary=30)
    assert counts(here.plan(agent(update=third, **USER))) == {"replace": 1, "ignore": 2}
    most = Update(max_parallel=3, canary=50)
    assert counts(here.plan(agent(update=most, **USER))) == {"replace": 2, "ignore": 1}


def test_a_running_deployment_waits_for_health() -> None:
    here = three(agent()).applied(agent(**USER))
    here = here.with_deployment(job_version=1, status=DeploymentStatus.RUNNING)
    waiting = here.with_record("web.api[0]", healthy=None)
    assert counts(waiting.plan(agent(**USER))) == {"ignore": 3}


def test_nodes_that_no_longer_fit_lose_theirs() -> None:
    plan = three(agent()).plan(agent(constraints=(ON_A,)))
    assert counts(plan) == {"destroy": 2, "update": 1}
    reasons = {c.reason for c in plan.changes if c.action is Action.DESTROY}
    assert reasons == {
        "b is left out by '${node.unique.name} = a'",
        "c is left out by '${node.unique.name} = a'",
    }


def test_on_a_node_that_takes_nothing_new_the_old_goes_on_until_it_changes() -> None:
    here = three(agent()).barred("b")
    assert counts(here.plan(agent())) == {"ignore": 3}
    assert counts(here.plan(agent(**USER))) == {"destroy": 1, "replace": 1, "ignore": 1}


def test_what_a_host_that_is_gone_ran_moves_nowhere() -> None:
    here = three(agent())
    unknown = here.with_node("c", status=NodeStatus.UNKNOWN)
    assert counts(unknown.plan(agent())) == {"ignore": 3}
    down = here.with_node("c", status=NodeStatus.DOWN)
    assert counts(down.plan(agent())) == {"destroy": 1, "ignore": 2}
    lost = only(down.plan(agent()), Action.DESTROY)
    assert (lost.node, lost.lost) == ("c", True)


def test_stopped_or_removed_it_ends_everywhere() -> None:
    here = three(agent())
    assert counts(here.plan(replace(agent(), stop=True))) == {"destroy": 3}
    assert counts(here.plan(agent(count=0))) == {"destroy": 3}
    renamed = here.plan(agent(name="other"))
    assert {g.name: counts(g) for g in renamed.groups} == {
        "api": {"destroy": 3},
        "other": {"create": 3},
    }


def test_a_failed_one_is_started_again_where_it_was_after_a_while() -> None:
    here = three(agent())
    first = here.state().allocs[0]
    seen = {
        i: replace(a, tasks=ended(failed=True)) if i == first.id else a
        for i, a in here.observed.allocs.items()
    }
    here = replace(here, observed=replace(here.observed, allocs=seen))
    assert counts(here.plan(agent())) == {"ignore": 3}
    plan = replace(here, now=NOW + 30 * SECOND).plan(agent())
    assert counts(plan) == {"create": 1, "ignore": 2}
    assert only(plan, Action.CREATE).node == first.node


def test_what_failed_with_its_deployment_is_left_until_the_spec_changes() -> None:
    here = three(agent())
    state = here.state()
    assert state.current is not None
    deployment = Deployment(id="d", job_version=0, status=DeploymentStatus.FAILED)
    allocs = tuple(replace(a, deployment="d") for a in state.allocs)
    here = here.with_state(allocs=allocs, deployments=(deployment,))
    here = here.with_seen("web.api[0]", tasks=ended(failed=True, at=1))
    assert counts(here.plan(agent())) == {"ignore": 3}
    assert counts(here.plan(agent(**USER)))["create"] == 3


@pytest.mark.parametrize("failed", [True, False])
def test_a_sysbatch_job_runs_once_for_each_version(failed: bool) -> None:
    here = three(agent("sysbatch")).with_seen("web.api[0]", tasks=ended(failed=failed))
    assert counts(here.plan(agent("sysbatch"))) == {"ignore": 3}
    assert counts(here.plan(agent("sysbatch", **USER))) == {"replace": 3}


def test_one_that_was_told_to_stop_comes_back_on_its_node() -> None:
    here = three(agent())
    allocs = tuple(replace(a, migrate=a.node == "b") for a in here.state().allocs)
    plan = here.with_state(allocs=allocs).plan(agent())
    (change,) = (c for c in plan.changes if c.action is Action.MIGRATE)
    assert (change.node, change.previous_node) == ("b", "b")


def test_of_two_on_one_node_the_newer_stays() -> None:
    here = scene(node("a")).applied(agent())
    (record,) = here.state().allocs
    twin = replace(record, id="twin", created_index=9)
    seen = {**here.observed.allocs, "twin": replace(here.observed.allocs[record.id], id="twin")}
    here = replace(here, observed=replace(here.observed, allocs=seen))
    plan = here.with_state(allocs=(record, twin)).plan(agent())
    assert only(plan, Action.DESTROY).alloc == record.id


def test_what_was_stopped_before_does_not_count() -> None:
    here = scene(node("a")).applied(agent()).with_record("web.api[0]", desired=Desired.STOP)
    assert counts(here.without_seen("web.api[0]").plan(agent())) == {"create": 1}


def test_a_periodic_one_is_only_registered() -> None:
    wanted = replace(agent("sysbatch"), periodic=Periodic(specs=("@daily",)))
    here = scene(node("a"))
    assert counts(here.plan(wanted)) == {"create": 1}
    assert here.after(replace(here.plan(wanted), groups=())).plan(wanted).empty


def test_room_that_an_update_frees_is_used_for_it() -> None:
    half = agent(tasks=(task(resources=Resources(cpu=100, memory_mb=3000)),))
    more = agent(tasks=(task(resources=Resources(cpu=100, memory_mb=3500)),))
    plan = scene(node("a")).applied(half).plan(more)
    assert counts(plan) == {"replace": 1}
    assert plan.groups[0].failure is None
