"""What made an allocation unhealthy is told of the tasks it is about, in Nomad's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.health import Health, Look, Watched, looked, with_verdict
from planner.job import SECOND, Lifecycle, Task, TaskGroup, Update
from planner.observed import ObservedAlloc, TaskEvent, TaskPhase, TaskState
from planner.recorded import AllocRecord

GROUP = TaskGroup(name="g", tasks=(Task(name="a", driver="raw_exec"), Task(name="b", driver="x")))
UPDATE = Update(min_healthy_time=10 * SECOND, healthy_deadline=90 * SECOND)
RUNNING = TaskState(state=TaskPhase.RUNNING, started_at=5)
PENDING = TaskState()
FAILED = TaskState(state=TaskPhase.DEAD, failed=True)
ENDED = TaskState(state=TaskPhase.DEAD)


def seen(a: TaskState, b: TaskState) -> ObservedAlloc:
    return ObservedAlloc(
        id="1", node="n", name="w.g[0]", job_id="w", group="g", tasks={"a": a, "b": b}
    )


def verdict(alloc: ObservedAlloc | None, at: float = 1.0, checks: tuple[str, ...] = ()) -> Watched:
    look = Look(at=at, alloc=alloc, checks=checks)
    return looked(Watched(began=0.0), look, UPDATE, GROUP)


def test_tasks_that_ended_are_told_at_once() -> None:
    found = verdict(seen(FAILED, ENDED))
    assert found.health is Health.UNHEALTHY
    assert found.tasks == {
        "a": "Unhealthy because of failed task",
        "b": "Unhealthy because of dead task",
    }
    assert verdict(seen(RUNNING, ENDED)).tasks == {"b": "Unhealthy because of dead task"}


def with_hook(hook: str, *, sidecar: bool = False) -> TaskGroup:
    life = Lifecycle(hook=hook, sidecar=sidecar)
    return replace(GROUP, tasks=(GROUP.tasks[0], replace(GROUP.tasks[1], lifecycle=life)))


@pytest.mark.parametrize(
    ("hook", "sidecar", "state", "expected"),
    [
        ("prestart", False, PENDING, Health.PENDING),
        ("prestart", False, RUNNING, Health.PENDING),
        ("prestart", False, ENDED, Health.HEALTHY),
        ("prestart", False, FAILED, Health.UNHEALTHY),
        ("prestart", True, RUNNING, Health.HEALTHY),
        ("prestart", True, ENDED, Health.UNHEALTHY),
        ("poststart", False, PENDING, Health.PENDING),
        ("poststart", False, RUNNING, Health.HEALTHY),
        ("poststart", False, ENDED, Health.HEALTHY),
        ("poststart", True, ENDED, Health.UNHEALTHY),
        ("poststop", False, PENDING, Health.HEALTHY),
    ],
)
def test_tasks_with_hooks_are_to_run_or_to_end(
    hook: str, sidecar: bool, state: TaskState, expected: Health
) -> None:
    group, alloc = with_hook(hook, sidecar=sidecar), seen(RUNNING, state)
    before = looked(Watched(began=0.0), Look(at=1.0, alloc=alloc), UPDATE, group)
    assert looked(before, Look(at=12.0, alloc=alloc), UPDATE, group).health is expected


def test_before_the_deadline_nothing_is_told() -> None:
    assert verdict(seen(RUNNING, PENDING), at=89.9).tasks == {}


@pytest.mark.parametrize(
    ("alloc", "checks", "a", "b"),
    [
        (
            seen(RUNNING, PENDING),
            (),
            "Task not running for min_healthy_time of 10s by healthy_deadline of 1m30s",
            "Task not running by healthy_deadline of 1m30s",
        ),
        (
            seen(RUNNING, RUNNING),
            ('"alive"',),
            "Services not healthy by healthy_deadline of 1m30s",
            "Services not healthy by healthy_deadline of 1m30s",
        ),
        (
            None,
            (),
            "Task not running by healthy_deadline of 1m30s",
            "Task not running by healthy_deadline of 1m30s",
        ),
    ],
)
def test_what_was_not_so_by_the_deadline(
    alloc: ObservedAlloc | None, checks: tuple[str, ...], a: str, b: str
) -> None:
    found = verdict(alloc, at=90.0, checks=checks)
    assert found.health is Health.UNHEALTHY
    assert found.tasks == {"a": a, "b": b}


def hooked(hook: str, *, sidecar: bool = False) -> TaskGroup:
    lifecycle = Lifecycle(hook=hook, sidecar=sidecar)
    tasks = (Task(name="a"), Task(name="b", lifecycle=lifecycle))
    return TaskGroup(name="g", tasks=tasks)


@pytest.mark.parametrize(
    ("group", "b", "health"),
    [
        (hooked("prestart"), ENDED, Health.HEALTHY),
        (hooked("prestart"), FAILED, Health.UNHEALTHY),
        (hooked("prestart", sidecar=True), ENDED, Health.UNHEALTHY),
        (hooked("prestart", sidecar=True), PENDING, Health.PENDING),
        (hooked("poststart"), ENDED, Health.HEALTHY),
        (hooked("poststart"), PENDING, Health.PENDING),
        (hooked("poststop"), PENDING, Health.HEALTHY),
    ],
)
def test_tasks_beside_the_main_ones(group: TaskGroup, b: TaskState, health: Health) -> None:
    watched = Watched(began=0.0)
    for at in (1.0, 11.0):
        look = Look(at=at, alloc=seen(RUNNING, b))
        watched = looked(watched, look, UPDATE, group)
    assert watched.health is health


def test_the_event_is_among_the_others() -> None:
    why = "Unhealthy because of failed task"
    alloc = AllocRecord(
        id="1",
        name="w.g[0]",
        group="g",
        node="n",
        healthy=False,
        healthy_at=7,
        unhealthy={"a": why},
    )
    tasks = with_verdict(alloc, {"a": FAILED, "b": RUNNING})
    assert tasks["a"].events == (
        TaskEvent(time=7, type="Alloc Unhealthy", message=why, details={"message": why}),
    )
    assert tasks["b"] is RUNNING
