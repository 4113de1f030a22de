"""Tasks begin anew when a check has failed too often, while a rollout watches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.events import Message
from planner.job import SECOND, CheckRestart, Job
from tests.executors.test_rollout import ROLLING, checked, job
from tests.world import World, node

RULE = CheckRestart(limit=3, grace=5 * SECOND)
WHY = 'healthcheck: check "alive" unhealthy'


def restarting(spec: Job, rule: CheckRestart = RULE, **group: object) -> Job:
    (made,) = checked(spec, check_restart=rule, interval=2 * SECOND).task_groups
    return replace(spec, task_groups=(replace(made, **group),))  # type: ignore[arg-type]


def restarts(world: World) -> list[int]:
    return [t.restarts for a in world.fleet.observed.allocs.values() for t in a.tasks.values()]


def lines(world: World) -> list[str]:
    return [e.text for e in world.events if isinstance(e, Message)]


def until_restarted(world: World, times: int = 1) -> None:
    """The check fails until the task was restarted so often."""
    world.fleet.sick = lambda _: max(restarts(world)) < times


def test_a_check_that_fails_too_often_restarts_its_task() -> None:
    world = World([node("h1")])
    until_restarted(world)
    began = world.clock.monotonic()
    assert world.apply(restarting(job(count=1))).exit_code == 0
    # the grace time, and the limit's intervals
    assert world.clock.monotonic() - began >= 5 + 2 * 2
    assert restarts(world) == [1]
    (alloc,) = world.fleet.observed.allocs.values()
    told = [e.message for e in alloc.tasks["t"].events if e.type == "Restart Signaled"]
    assert told == [WHY]
    assert lines(world) == ['web.g[0] on h1: check "alive" unhealthy, restarting t']


def test_each_life_has_its_own_grace_and_count() -> None:
    world = World([node("h1")])
    until_restarted(world, 3)
    began = world.clock.monotonic()
    assert world.apply(restarting(job(count=1))).exit_code == 0
    assert restarts(world) == [3]
    assert world.clock.monotonic() - began >= 3 * (5 + 2 * 2)


def test_it_does_so_where_the_check_has_no_say_in_the_health() -> None:
    world = World([node("h1")])
    until_restarted(world)
    blind = replace(ROLLING, health_check="task_states", min_healthy_time=30 * SECOND)
    assert world.apply(restarting(job(count=1), update=blind)).exit_code == 0
    assert restarts(world) == [1]


def beside(spec: Job, *, named: str) -> Job:
    """The same with a second task, and a service that names one of them."""
    (group,) = spec.task_groups
    (service,), (task,) = group.services, group.tasks
    both = replace(
        group,
        tasks=(task, replace(task, name="u")),
        services=(replace(service, task_name=named),),
    )
    return replace(spec, task_groups=(both,))


@pytest.mark.parametrize(("named", "expected"), [("u", [0, 1]), ("", [1, 1])])
def test_the_task_that_the_service_names_or_all(named: str, expected: list[int]) -> None:
    world = World([node("h1")])
    until_restarted(world)
    assert world.apply(beside(restarting(job(count=1)), named=named)).exit_code == 0
    assert restarts(world) == expected


def test_a_limit_of_zero_restarts_nothing() -> None:
    world = World([node("h1")])
    world.fleet.sick = lambda _: True
    assert world.apply(restarting(job(count=1), CheckRestart(limit=0))).exit_code == 5
    assert restarts(world) == [0]


def test_a_host_that_refuses_is_told_of_and_asked_again() -> None:
    world = World([node("h1")])

    def sick(_: str) -> bool:
        # Its disk is full until somebody was told.
        world.fleet.full = set() if lines(world) else {"h1"}
        return max(restarts(world)) < 1

    world.fleet.sick = sick
    assert world.apply(restarting(job(count=1))).exit_code == 0
    assert restarts(world) == [1]
    first, second = lines(world)
    assert first == f"{second}: h1: could not write"
