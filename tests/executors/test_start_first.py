"""Updates that start the new before they stop the old: what runs meanwhile, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from executors.boundary import Boundary
from gitops.applying import Result
from planner.action import Action
from planner.job import EphemeralDisk, Job, Network, Port, TaskGroup, VolumeRequest
from planner.start_first import why_not
from planner.update_order import UpdateOrder
from tests.executors.stories import PATIENT, allocs, job, shape
from tests.world import CrashError, World, node

NEW = "/bin/b"


def world(*hosts: str, order: UpdateOrder = UpdateOrder.AUTO) -> World:
    found = World([node(h) for h in hosts or ("h1", "h2")])
    found.order = order
    return found


def healthy_ones(here: World) -> int:
    """How many allocations of the job run, and have been found healthy."""
    live = {i for ids in here.running().values() for i in ids}
    records = here.look().recorded.job("web").allocs
    return sum(a.id in live and a.healthy is True for a in records)


def watched(here: World, wanted: Job) -> tuple[Result, list[int]]:
    """Apply; return its end, and how many were healthy at each of its boundaries."""
    found: list[int] = []
    result = here.apply(wanted, at=lambda _: found.append(healthy_ones(here)))
    return result, found


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_never_fewer_than_the_count_are_healthy(parallel: int) -> None:
    here = world()
    here.apply(job())
    result, healthy = watched(here, job(command=NEW, max_parallel=parallel))
    assert result.exit_code == 0
    assert min(healthy) == 3
    assert shape(here) == ["0@1", "1@1", "2@1"]
    assert sorted(here.running()) == ["web.g[0]", "web.g[1]", "web.g[2]"]
    assert here.plan(job(command=NEW, max_parallel=parallel)).empty


def test_stop_first_takes_one_away_meanwhile() -> None:
    here = world(order=UpdateOrder.STOP_FIRST)
    here.apply(job())
    _, healthy = watched(here, job(command=NEW))
    assert min(healthy) == 2


def test_one_that_never_becomes_healthy_goes_and_the_old_ones_stay() -> None:
    here = world()
    here.apply(job())
    old = [a.id for a in allocs(here)]
    here.fleet.crashes = lambda name: name == "web.g[0]"
    result, healthy = watched(here, job(command=NEW))
    assert result.exit_code == 5
    assert min(healthy) == 3
    assert [a.id for a in allocs(here)] == old
    assert sorted(i for ids in here.running().values() for i in ids) == sorted(old)
    assert here.plan(job(command=NEW)).jobs[0].changes[0].action is Action.IGNORE


def test_a_failed_one_that_is_tried_again_still_stands_beside_the_old() -> None:
    here = world()
    here.apply(job())
    here.fleet.crashes = crashing_once("web.g[0]")
    result, healthy = watched(here, job(command=NEW, policy=PATIENT, progress_deadline=10**12))
    assert result.exit_code == 0
    assert min(healthy) == 3
    assert shape(here) == ["0@1", "1@1", "2@1"]
    assert all(len(ids) == 1 for ids in here.running().values())


def crashing_once(name: str) -> Callable[[str], bool]:
    started: list[str] = []

    def crashes(found: str) -> bool:
        started.append(found)
        return found == name and started.count(name) == 1

    return crashes


def test_the_next_version_takes_the_place_of_both() -> None:
    here = world()
    here.apply(job())
    with pytest.raises(CrashError):
        here.apply(job(command=NEW), at=crashing_at(Boundary.STARTED))
    assert shape(here) == ["0@0", "0@1", "1@0", "2@0"]
    result, healthy = watched(here, job(command="/bin/c"))
    assert result.exit_code == 0
    assert min(healthy) == 3
    assert shape(here) == ["0@2", "1@2", "2@2"]
    assert all(len(ids) == 1 for ids in here.running().values())


def crashing_at(boundary: Boundary) -> Callable[[Boundary], None]:
    def at(passed: Boundary) -> None:
        if passed is boundary:
            raise CrashError

    return at


@pytest.mark.parametrize("boundary", [Boundary.INTENDED, Boundary.STARTED, Boundary.JUDGED])
def test_an_apply_that_died_is_gone_on_with(boundary: Boundary) -> None:
    here = world()
    here.apply(job())
    with pytest.raises(CrashError):
        here.apply(job(command=NEW), at=crashing_at(boundary))
    begun = [a.id for a in allocs(here, 1)]
    result, healthy = watched(here, job(command=NEW))
    assert result.exit_code == 0
    assert min(healthy) == 3
    assert shape(here) == ["0@1", "1@1", "2@1"]
    assert begun == [a.id for a in allocs(here)][: len(begun)]
    assert all(len(ids) == 1 for ids in here.running().values())


def test_a_stopped_job_leaves_neither() -> None:
    here = world()
    here.apply(job())
    with pytest.raises(CrashError):
        here.apply(job(command=NEW), at=crashing_at(Boundary.STARTED))
    here.apply(replace(job(command=NEW), stop=True))
    assert here.running() == {}


def test_where_there_is_no_room_for_both_the_old_one_stops_first() -> None:
    here = World([replace(node("h1"), resources=replace(node("h1").resources, memory_mb=200))])
    here.order = UpdateOrder.AUTO
    here.apply(job())
    planned = here.plan(job(command=NEW)).jobs[0].changes
    (first, *_) = [c for c in planned if c.action is Action.DESTRUCTIVE]
    assert first.reason.endswith("; stops first: no room for both")
    assert not first.start_first
    assert here.apply(job(command=NEW)).exit_code == 0
    here.order = UpdateOrder.START_FIRST
    assert here.apply(job(command="/bin/c")).exit_code == 4


def test_room_is_taken_for_both() -> None:
    here = World([replace(node("h1"), resources=replace(node("h1").resources, memory_mb=256))])
    here.order = UpdateOrder.AUTO
    here.apply(job())
    (group,) = here.plan(job(command=NEW, max_parallel=3)).jobs[0].groups
    first = [c.start_first for c in group.changes if c.action is Action.DESTRUCTIVE]
    assert first == [True, False, False]


def grouped(**changes: object) -> TaskGroup:
    return replace(job().task_groups[0], **changes)  # type: ignore[arg-type]


STATIC = Network(reserved_ports=(Port(label="http", value=8080),))
DYNAMIC = Network(dynamic_ports=(Port(label="http"),))
WRITER = VolumeRequest(name="data", type="host", source="data")


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (grouped(), ""),
        (grouped(networks=(DYNAMIC,)), ""),
        (grouped(networks=(STATIC,)), "static port 8080"),
        (grouped(volumes={"data": WRITER}), 'volume "data" has one writer'),
        (grouped(volumes={"data": replace(WRITER, read_only=True)}), ""),
        (
            grouped(ephemeral_disk=EphemeralDisk(sticky=True)),
            "its disk goes from the old to the new",
        ),
        (grouped(update=None), "no update block that goes step by step"),
    ],
)
def test_the_rule(group: TaskGroup, expected: str) -> None:
    assert why_not(job(), group) == expected


def test_only_services_start_first() -> None:
    assert why_not(job(type="batch"), grouped()) == "a batch job"


def test_a_plan_says_why_the_old_one_stops_first() -> None:
    here = world()
    wanted = job()
    static = replace(wanted, task_groups=(grouped(networks=(STATIC,)),))
    here.apply(wanted)
    changes = here.plan(static).jobs[0].changes
    (first, *_) = [c for c in changes if c.action is Action.DESTRUCTIVE]
    assert first.reason.endswith("; stops first: static port 8080")
    here.order = UpdateOrder.START_FIRST
    changes = here.plan(static).jobs[0].changes
    assert any(c.start_first for c in changes)
