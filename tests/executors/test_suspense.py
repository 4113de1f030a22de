"""An apply ends, also where what is not healthy neither ends nor can fail its deployment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from executors.boundary import Boundary
from executors.outcome import OutcomeKind
from planner.events import DeploymentUpdate, Event
from planner.job import (
    MINUTE,
    SECOND,
    Check,
    Job,
    Network,
    Port,
    ReschedulePolicy,
    Resources,
    Service,
    Task,
    TaskGroup,
    Update,
)
from planner.recorded import DeploymentStatus
from tests.world import CrashError, World, node

UPDATE = Update(min_healthy_time=SECOND, healthy_deadline=MINUTE)
CHECK = Check(name="alive", type="tcp", interval=SECOND, timeout=SECOND)
JOB = Job(
    id="web",
    task_groups=(
        TaskGroup(
            name="g",
            update=UPDATE,
            reschedule_policy=ReschedulePolicy(unlimited=True),
            networks=(Network(dynamic_ports=(Port(label="http"),)),),
            services=(Service(name="web", port_label="http", checks=(CHECK,)),),
            tasks=(Task(name="t", driver="raw_exec", resources=Resources(cpu=9, memory_mb=9)),),
        ),
    ),
)


def at_verdict(boundary: Boundary) -> None:
    if boundary is Boundary.JUDGED:
        raise CrashError


def alter(world: World) -> None:
    """Somebody changes by hand what runs."""
    seen = world.fleet.observed
    allocs = {i: replace(a, changed="its image") for i, a in seen.allocs.items()}
    world.fleet.observed = replace(seen, allocs=allocs)


def test_what_is_not_healthy_and_runs_on_is_told_and_not_waited_for() -> None:
    world = World([node("h1")])
    with pytest.raises(CrashError):
        world.apply(JOB, at=at_verdict)
    alter(world)
    world.fleet.sick = lambda _: True
    with pytest.raises(CrashError):
        world.apply(JOB, at=at_verdict)
    (sick,) = (a for a in world.look().recorded.job("web").allocs if not a.terminal)
    assert sick.healthy is False
    world.restart_host("h1")
    result = world.apply(JOB)
    (outcome,) = result.outcomes
    assert (result.exit_code, outcome.kind) == (4, OutcomeKind.INCOMPLETE)
    assert "web.g[0] on h1 runs, and is not healthy" in outcome.detail
    deployment = world.look().recorded.job("web").deployment
    assert deployment is not None
    assert deployment.status is DeploymentStatus.SUCCESSFUL


def test_what_nobody_sees_to_while_it_is_watched_is_started_again_and_may_be_healthy() -> None:
    world = World([node("h1")])
    left: list[Event] = []

    def leave(event: Event) -> None:
        if isinstance(event, DeploymentUpdate) and not left:
            left.append(event)
            world.clock.nanoseconds += MINUTE // 2
            world.restart_host("h1")

    world.tell = leave
    result = world.apply(JOB)
    assert left
    assert result.exit_code == 0
    assert len(world.fleet.steps) == 2
    (alloc,) = world.look().recorded.job("web").allocs
    assert alloc.healthy
    assert {s.alloc.id for s in world.fleet.steps} == {alloc.id}
