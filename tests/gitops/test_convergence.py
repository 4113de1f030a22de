"""After any apply the plan is empty; after a crash at any boundary, the next apply converges."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executors.boundary import Boundary
from planner.job import MINUTE, SECOND, Job, Network, Port, Resources, Task, TaskGroup, Update
from tests.world import CrashError, World, node

QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def group(draw: st.DrawFn, name: str) -> TaskGroup:
    port = draw(st.booleans())
    return TaskGroup(
        name=name,
        count=draw(st.integers(0, 4)),
        update=Update(
            max_parallel=draw(st.integers(0, 3)),
            min_healthy_time=SECOND,
            healthy_deadline=MINUTE,
        ),
        networks=(Network(dynamic_ports=(Port(label="http"),)),) if port else (),
        tasks=(
            Task(
                name="main",
                driver="raw_exec",
                config={"command": draw(st.sampled_from(["/bin/a", "/bin/b"]))},
                resources=Resources(cpu=draw(st.sampled_from([50, 100])), memory_mb=64),
                kill_timeout=draw(st.sampled_from([5, 6])) * SECOND,
            ),
        ),
    )


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    names = draw(st.sampled_from([("web",), ("api",), ("web", "api")]))
    return Job(
        id="shop",
        name="shop",
        priority=draw(st.integers(40, 60)),
        meta=draw(st.sampled_from([{}, {"a": "1"}])),
        stop=False,
        task_groups=tuple(group(draw, n) for n in names),
    )


def expected(job: Job) -> set[str]:
    return {f"{job.id}.{g.name}[{i}]" for g in job.task_groups for i in range(g.count)}


def assert_converged(world: World, job: Job) -> None:
    plan = world.plan(job)
    assert plan.empty, plan
    live = world.running()
    assert set(live) == expected(job)
    assert all(len(ids) == 1 for ids in live.values())
    assert not world.look().snapshot.runs


@QUICK
@given(st.lists(jobs(), min_size=1, max_size=4))
def test_the_plan_after_an_apply_is_empty(versions: list[Job]) -> None:
    world = World([node("h1"), node("h2"), node("h3")])
    for job in versions:
        assert world.apply(job).exit_code == 0
        assert_converged(world, job)


class _Crash:
    """Dies at the n-th boundary passed."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, boundary: Boundary) -> None:
        self.left -= 1
        if self.left < 0:
            raise CrashError(boundary)


def decided(world: World, job: Job) -> set[str]:
    """Ids of allocations that are decided to run `job`, if it is the registered one by now."""
    state = world.look().recorded.job("shop")
    if state.current is None or state.current.job != job:
        return set()
    newest = state.current.version
    return {a.id for a in state.allocs if not a.terminal and a.job_version == newest}


def running_ids(world: World) -> set[str]:
    return {i for ids in world.running().values() for i in ids}


@QUICK
@given(jobs(), jobs(), st.integers(0, 30))
def test_a_crash_anywhere_converges(first: Job, second: Job, after: int) -> None:
    world = World([node("h1"), node("h2")])
    world.apply(first)
    try:
        result = world.apply(second, at=_Crash(after))
    except CrashError:
        kept = decided(world, second)
        result = world.apply(second)
        # What the dead run had decided is to run goes on under the same ids.
        assert kept <= running_ids(world)
    assert result.exit_code == 0
    assert_converged(world, second)


@QUICK
@given(jobs(), jobs(), st.sets(st.integers(0, 12), max_size=4), st.sets(st.integers(0, 12)))
def test_refusals_and_lost_hosts_lose_nothing(
    first: Job, second: Job, busy: set[int], lost: set[int]
) -> None:
    world = World([node("h1"), node("h2")])
    world.apply(first)
    world.fleet.count = 0
    world.fleet.busy = busy
    world.fleet.lost = lost if len(lost) < 3 else set()
    disturbed = world.apply(second)
    names = {n for n, ids in world.running().items() if len(ids) == 1}
    assert names >= set(expected(second) & expected(first)) or disturbed.exit_code != 0
    world.fleet.busy = world.fleet.lost = set()
    world.fleet.down.clear()
    for _ in range(3):
        if not world.plan(second).empty:
            assert world.apply(second).exit_code == 0
    assert_converged(world, second)


@QUICK
@given(st.integers(0, 30), st.booleans())
def test_a_rollout_that_failed_is_never_called_done(after: int, crash: bool) -> None:
    world = World([node("h1"), node("h2")])
    good = steady("/bin/a")
    bad = steady("/bin/b")
    world.apply(good)
    world.fleet.crashes = lambda _: True
    try:
        result = world.apply(bad, at=_Crash(after if crash else 1000))
    except CrashError:
        result = world.apply(bad)
    assert result.exit_code == 5 or world.plan(bad).jobs[0].failed
    live = world.running()
    assert len(live) >= 2
    assert all(len(ids) == 1 for ids in live.values())


def steady(command: str) -> Job:
    update = Update(max_parallel=1, min_healthy_time=SECOND, healthy_deadline=MINUTE)
    task = Task(name="main", driver="raw_exec", config={"command": command})
    return Job(
        id="shop", task_groups=(TaskGroup(name="web", count=3, update=update, tasks=(task,)),)
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_job_that_left_the_repository_is_stopped(count: int) -> None:
    job = Job(
        id="gone",
        task_groups=(TaskGroup(name="g", count=count, tasks=(Task(name="t", driver="raw_exec"),)),),
    )
    world = World([node("h1")])
    world.apply(job)
    plan = world.plan()
    assert [p.job.stop for p in plan.jobs] == [True]
    assert world.apply().exit_code == 0
    assert world.running() == {}
    assert world.plan().empty


@pytest.mark.parametrize("after", range(14))
def test_a_crash_of_the_very_first_apply_converges(after: int) -> None:
    group = TaskGroup(name="g", count=2, tasks=(Task(name="t", driver="raw_exec"),))
    job = Job(id="first", task_groups=(group,))
    world = World([node("h1"), node("h2")])
    with contextlib.suppress(CrashError):
        world.apply(job, at=_Crash(after))
    assert world.apply(job).exit_code == 0
    assert_converged(world, job)
    assert set(world.look().recorded.nodes) == {"h1", "h2"}
