"""A host that goes back to how it was runs what has ended by its record: it is stopped there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.action import Action
from planner.capacity import is_live
from planner.job import Job, ReschedulePolicy, Resources, Task, TaskGroup, Update
from planner.recorded import AllocRecord, ClientStatus, Desired, JobChange
from planner.steps import Start, Stop
from tests.world import World, node

TASK = Task(name="t", driver="raw_exec", resources=Resources(cpu=100, memory_mb=64))
GROUP = TaskGroup(
    name="g",
    tasks=(TASK,),
    reschedule_policy=ReschedulePolicy(attempts=0, unlimited=False),
)
BATCH = Job(id="web", type="batch", task_groups=(GROUP,))
SERVICE = Job(id="web", task_groups=(replace(GROUP, update=Update(min_healthy_time=0)),))


def gone_back(job: Job, client: ClientStatus, *, unattended: bool) -> World:
    """A world in which the allocation has ended by its record, and its host does not know that."""
    world = World([node("h1")])
    world.apply(job)
    state = world.look().recorded.job("web")
    change = JobChange(key="web", allocs=(replace(recorded(world), client=client),))
    snapshot = world.ledger().read()
    world.ledger().commit(snapshot, [change], message="It has ended", guards=[])
    assert state.allocs[0].client is ClientStatus.RUNNING
    if unattended:
        world.restart_host("h1")
    world.fleet.steps.clear()
    return world


def recorded(world: World) -> AllocRecord:
    return world.look().recorded.job("web").allocs[0]


ENDS = [
    (BATCH, ClientStatus.COMPLETE),
    (BATCH, ClientStatus.FAILED),
    (SERVICE, ClientStatus.FAILED),
]


@pytest.mark.parametrize("unattended", [False, True])
@pytest.mark.parametrize(("job", "client"), ENDS)
def test_it_is_stopped_there_and_its_record_stays(
    job: Job, client: ClientStatus, *, unattended: bool
) -> None:
    world = gone_back(job, client, unattended=unattended)
    (plan,) = world.plan(job).jobs
    assert [(c.action, c.ended) for c in plan.changes] == [(Action.DESTROY, True)]
    assert world.apply(job).exit_code == 0
    assert [type(s) for s in world.fleet.steps] == [Stop]
    (seen,) = world.fleet.observed.allocs.values()
    assert (seen.desired, is_live(seen)) == ("stop", False)
    assert (recorded(world).client, recorded(world).desired) == (client, Desired.RUN)
    assert world.plan(job).jobs[0].empty


def test_it_is_stopped_where_it_is_outdated() -> None:
    world = gone_back(SERVICE, ClientStatus.FAILED, unattended=True)
    later = replace(SERVICE, task_groups=(replace(SERVICE.task_groups[0], meta={"a": "b"}),))
    assert world.apply(later).exit_code == 0
    old = recorded(world)
    assert isinstance(world.fleet.steps[0], Stop)
    assert [s.alloc.id != old.id for s in world.fleet.steps if isinstance(s, Start)] == [True]


@pytest.mark.parametrize("unattended", [False, True])
def test_what_was_taken_for_lost_is_taken_back(*, unattended: bool) -> None:
    world = gone_back(SERVICE, ClientStatus.LOST, unattended=unattended)
    assert world.apply(SERVICE).exit_code == 0
    assert not [s for s in world.fleet.steps if isinstance(s, Stop)]
    assert recorded(world).client is ClientStatus.RUNNING
    assert len(world.running()) == 1
