"""A deployment that finds no room fails by its deadline; until then others may make some."""

from __future__ import annotations

from dataclasses import replace

from executors.outcome import OutcomeKind
from gitops.ledger.protocol import Guard
from planner.events import Event, Message
from planner.job import SECOND, Constraint, Job, Resources
from planner.observed import Node, NodeStatus
from planner.recorded import ClientStatus, DeploymentStatus, Desired, JobChange
from tests.executors.stories import deployment, job, only, shape
from tests.world import World, node

NO_PROGRESS = "Failed due to progress deadline"
DISTINCT = (Constraint(operand="distinct_hosts", r_target="true"),)


def spread(count: int, **changes: object) -> Job:
    """One allocation a host."""
    return replace(job(count=count, **changes), constraints=DISTINCT)  # type: ignore[arg-type]


def small(name: str) -> Node:
    """A host with room for one small task."""
    made = node(name)
    return replace(made, resources=replace(made.resources, memory_mb=100))


def big(name: str, count: int, **changes: object) -> Job:
    """A job of which one host holds one allocation, and a small one none."""
    made = replace(job(count=count, **changes), id=name)  # type: ignore[arg-type]
    (group,) = made.task_groups
    task = replace(group.tasks[0], resources=Resources(cpu=100, memory_mb=3000))
    return replace(made, task_groups=(replace(group, tasks=(task,)),))


def test_what_finds_no_room_fails_its_deployment_by_the_deadline() -> None:
    world = World([node("h1"), node("h2")])
    result = world.apply(spread(3))
    began, ended = deployment(world).created, deployment(world).modified
    assert only(result) == (OutcomeKind.FAILED, NO_PROGRESS)
    assert 'group "g": not every allocation could be placed' in result.outcomes[0].detail
    assert result.exit_code == 5
    assert deployment(world).status is DeploymentStatus.FAILED
    assert 15 * SECOND <= ended - began < 20 * SECOND
    assert shape(world) == ["0@0", "1@0"]
    (planned,) = world.plan(spread(3)).jobs
    assert planned.failed == deployment(world).id


def test_its_job_goes_back_where_it_may() -> None:
    world = World([node("h1"), small("h2")])
    assert world.apply(spread(2)).exit_code == 0
    result = world.apply(big("web", 2, auto_revert=True))
    assert only(result)[1] == f"{NO_PROGRESS} - rolling back to job version 0"
    assert result.exit_code == 5
    assert result.outcomes[0].rolled_back_to == 0
    assert shape(world) == ["0@2", "1@2"]


def test_it_is_told_once_what_is_waited_for() -> None:
    world = World([node("h1"), node("h2")])
    world.apply(spread(3, progress_deadline=60 * SECOND))
    told = [e.text for e in world.events if isinstance(e, Message)]
    assert told == ["Job web: no room for all of g; waiting for it until the deadline"]


def test_room_that_another_run_gives_free_is_taken() -> None:
    world = World([node("h1"), node("h2")])
    world.apply(big("other", 1))

    def give_free(event: Event) -> None:
        if isinstance(event, Message):
            end(world, "other")

    world.tell = give_free
    assert world.apply(big("other", 1), big("web", 2)).exit_code == 0
    assert shape(world) == ["0@0", "1@0"]
    assert deployment(world).status is DeploymentStatus.SUCCESSFUL


def end(world: World, key: str) -> None:
    """Another run stops the job."""
    ledger = world.ledger()
    snapshot = ledger.read()
    over = tuple(
        replace(a, desired=Desired.STOP, client=ClientStatus.COMPLETE)
        for a in snapshot.recorded.job(key).allocs
    )
    ledger.commit(snapshot, [JobChange(key=key, allocs=over)], message="Stop", guards=list[Guard]())
    seen = world.fleet.observed
    left = {i: a for i, a in seen.allocs.items() if i not in {a.id for a in over}}
    world.fleet.observed = replace(seen, allocs=left)


def test_without_a_first_placement_no_deadline_runs() -> None:
    world = World([small("h1")])
    result = world.apply(big("web", 1))
    assert only(result)[0] is OutcomeKind.INCOMPLETE
    assert deployment(world).status is DeploymentStatus.RUNNING


def test_a_host_that_does_not_answer_may_have_room() -> None:
    world = World([node("h1"), node("h2"), node("h3", status=NodeStatus.UNKNOWN)])
    result = world.apply(spread(3))
    assert only(result)[0] is OutcomeKind.INCOMPLETE
    assert deployment(world).status is DeploymentStatus.RUNNING
