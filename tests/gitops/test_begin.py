"""A run that can't begin holds nothing, whatever it had taken over by then."""

from __future__ import annotations

import pytest

from gitops.begin import Beginning, Begun, begin
from gitops.ledger.journal import RunInfo
from planner.decide import Stamp
from planner.errors import ConflictError
from planner.job import Job, Resources, Task, TaskGroup
from tests.world import World, node


def job(name: str) -> Job:
    task = Task(name="t", driver="raw_exec", resources=Resources(cpu=100, memory_mb=64))
    return Job(id=name, task_groups=(TaskGroup(name="g", tasks=(task,)),))


def taken(world: World, run: str, *names: str) -> Begun:
    """Let a run begin with jobs, on what is read now; it never goes on."""
    plans = world.plan(*(job(name) for name in names)).jobs
    return begun(world, run, Beginning(snapshot=world.ledger().read(), plans=plans))


def begun(world: World, run: str, beginning: Beginning) -> Begun:
    stamp = Stamp(now=world.clock.now(), ids=world.fresh_id, run=run)
    info = RunInfo(id=run, holder="test@here", repository="r")
    return begin(world.ledger(), info, beginning, stamp)


def test_what_was_taken_over_is_let_go_where_the_next_one_can_not_be() -> None:
    world = World([node("h1")])
    taken(world, "00000000-a", "a")
    taken(world, "00000000-b", "b")
    read = world.ledger().read()
    # The second one is not dead after all: its journal has moved since it was read.
    world.ledger().seal(read.runs["00000000-b"], "another")
    held = Beginning(
        snapshot=read,
        plans=world.plan(job("a"), job("b")).jobs,
        abandoned=("00000000-a", "00000000-b"),
    )
    with pytest.raises(ConflictError, match="journal has moved"):
        begun(world, "00000000-c", held)
    after = world.ledger().read()
    assert after.recorded.job("a").run == ""
    assert after.recorded.job("b").run == "00000000-b"
    assert "00000000-c" not in after.runs


def test_what_another_run_has_taken_meanwhile_is_not_taken_from_it() -> None:
    """The state after a take-over is newer than the plan: what stands there was not all planned."""
    world = World([node("h1")])
    taken(world, "00000000-a", "a")
    read = world.ledger().read()
    plans = world.plan(job("a"), job("b")).jobs
    taken(world, "00000000-b", "b")
    held = Beginning(snapshot=read, plans=plans, abandoned=("00000000-a",))
    with pytest.raises(ConflictError, match="job 'b' was changed by somebody else"):
        begun(world, "00000000-c", held)
    after = world.ledger().read()
    assert after.recorded.job("a").run == ""
    assert after.recorded.job("b").run == "00000000-b"


def test_a_second_run_that_went_on_meanwhile_is_not_taken_over() -> None:
    """Its journal is newer than the one that was waited for, and that the plan was made with."""
    world = World([node("h1")])
    taken(world, "00000000-a", "a")
    second = taken(world, "00000000-b", "b")
    read = world.ledger().read()
    plans = world.plan(job("a"), job("b")).jobs
    second.journal.run.beat()
    # The state has moved too: a take-over reads it anew, and the journals with it.
    taken(world, "00000000-d", "d")
    held = Beginning(snapshot=read, plans=plans, abandoned=("00000000-a", "00000000-b"))
    with pytest.raises(ConflictError, match="its journal has moved"):
        begun(world, "00000000-c", held)
    assert not world.ledger().read().runs["00000000-b"].sealed_by
