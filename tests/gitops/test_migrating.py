from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from executors.boundary import Boundary, pass_by
from gitops.applying import Result, apply
from gitops.begin import Beginning
from gitops.effects import Effects
from gitops.ledger.journal import RunInfo
from gitops.planning import plan_of, told_to_stop
from planner.action import Action
from planner.codec import from_json, to_json
from planner.decide import Stamp, opened
from planner.evaluate import Situation, plan_job
from planner.job import Constraint, Job, Resources, Task, TaskGroup, Update
from planner.observed import NodeResources
from planner.recorded import AllocRecord, Desired, Evaluation, Recorded
from tests.world import CrashError, World, node

SMALL = NodeResources(cpu=500, memory_mb=300, disk_mb=1000, cores=1)


def job(**changes: object) -> Job:
    task = Task(name="t", driver="raw_exec", resources=Resources(cpu=400, memory_mb=200))
    group = TaskGroup(name="g", count=1, tasks=(task,), update=Update())
    return replace(Job(id="web", datacenters=("*",), task_groups=(group,)), **changes)  # type: ignore[arg-type]


def marked(world: World) -> Recorded:
    """The records in which every allocation of the job was told to stop."""
    recorded = world.look().recorded
    state = recorded.job("web")
    allocs = tuple(replace(a, migrate=True) for a in state.allocs)
    return replace(recorded, jobs={"web": replace(state, allocs=allocs)})


def test_what_was_told_to_stop_is_replaced_where_it_leaves_room() -> None:
    world = World([node("h1", resources=SMALL)])
    assert world.apply(job()).exit_code == 0
    plan = plan_job(job(), Situation(recorded=marked(world), observed=world.look().observed, now=1))
    (change,) = plan.changes
    assert (change.action, change.node, change.previous_node) == (Action.MIGRATE, "h1", "h1")
    assert change.stop_description == "alloc is being migrated"


def test_what_was_told_to_stop_stops_where_nothing_can_take_its_place() -> None:
    world = World([node("h1", resources=SMALL)])
    assert world.apply(job()).exit_code == 0
    nodes = {"h1": replace(world.look().observed.nodes["h1"], eligible=False)}
    seen = replace(world.look().observed, nodes=nodes)
    plan = plan_job(job(), Situation(recorded=marked(world), observed=seen, now=1))
    (change,) = plan.changes
    assert (change.action, change.node) == (Action.MIGRATE, "")
    assert plan.groups[0].failure is not None


def test_of_too_many_those_that_were_told_to_stop_go_first() -> None:
    world = World([node("h1")])
    two = job(task_groups=(replace(job().task_groups[0], count=2),))
    assert world.apply(two).exit_code == 0
    recorded = world.look().recorded
    state = recorded.job("web")
    allocs = tuple(replace(a, migrate=a.index == 0) for a in state.allocs)
    recorded = replace(recorded, jobs={"web": replace(state, allocs=allocs)})
    plan = plan_job(job(), Situation(recorded=recorded, observed=world.look().observed, now=1))
    assert {c.name: c.action for c in plan.changes} == {
        "web.g[0]": Action.DESTROY,
        "web.g[1]": Action.IN_PLACE,
    }


def test_an_evaluation_keeps_why_nothing_was_placed() -> None:
    world = World([node("h1")])
    picky = job(constraints=(Constraint(l_target="${attr.kernel.name}", r_target="plan9"),))
    plan = plan_job(picky, world.look().situation())
    stamp = Stamp(now=1, ids=world.fresh_id, run="r")
    (evaluation,) = opened(plan, world.look().recorded.job("web"), stamp).evaluations
    assert evaluation.reasons["g"].constraint_filtered == {"${attr.kernel.name} = plan9": 1}
    assert evaluation.updates == {"g": {"create": 1}}
    assert from_json(Evaluation, to_json(evaluation)) == evaluation


def test_records_of_an_older_orch_are_read() -> None:
    old = AllocRecord(id="a", name="web.g[0]", group="g", node="h1")
    assert "Migrate" not in to_json(old)
    assert from_json(AllocRecord, to_json(old)) == old
    assert "Reasons" not in to_json(Evaluation(id="e", triggered_by="job-register"))


def stop_alloc(world: World, alloc_id: str, at: Callable[[Boundary], None] = pass_by) -> Result:
    """Stop one allocation of the job, as the command does it."""
    look = told_to_stop(world.look(), {alloc_id})
    plan = plan_of(world.desired(job(), whole=False), look, "sim")
    info = RunInfo(id=world.fresh_id(), holder="test@here", repository="r", ttl=3600)
    effects = Effects(
        ledger=world.ledger(),
        fleet=world.fleet,
        clock=world.clock,
        ids=world.fresh_id,
        tell=lambda _: None,
        at=at,
    )
    beginning = Beginning(snapshot=look.snapshot, plans=plan.jobs)
    return asyncio.run(apply(effects, info, beginning, look.observed))


def test_a_stopped_allocation_is_replaced_as_one_decision() -> None:
    world = World([node("h1")])
    assert world.apply(job()).exit_code == 0
    (old,) = world.look().recorded.job("web").allocs
    assert stop_alloc(world, old.id).exit_code == 0
    state = world.look().recorded.job("web")
    first, second = state.allocs
    assert (first.id, first.desired, first.next) == (old.id, Desired.STOP, second.id)
    assert (first.desired_description, first.migrate) == ("alloc is being migrated", False)
    assert (second.previous, second.job_version) == (old.id, old.job_version)
    assert state.evaluations[-1].triggered_by == "alloc-stop"
    assert state.evaluations[-1].deployment == state.deployments[-1].id
    assert (len(state.versions), len(state.deployments)) == (1, 1)
    assert world.running() == {"web.g[0]": [second.id]}
    assert world.plan(job()).empty


@pytest.mark.parametrize("boundary", list(Boundary))
def test_a_stop_that_dies_anywhere_converges(boundary: Boundary) -> None:
    world = World([node("h1")])
    assert world.apply(job()).exit_code == 0
    (old,) = world.look().recorded.job("web").allocs
    died = False

    def at(passed: Boundary) -> None:
        nonlocal died
        if passed is boundary:
            died = True
            raise CrashError

    with suppress(CrashError):
        stop_alloc(world, old.id, at)
    assert world.apply(job()).exit_code == 0
    (running,) = world.running()["web.g[0]"]
    # Before it was decided, nothing has happened; after that it is not forgotten.
    stays = died and boundary is Boundary.PLANNED
    assert (running == old.id) == stays
    assert world.plan(job()).empty
