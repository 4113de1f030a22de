"""What made an allocation unhealthy is told of the tasks it is about, in Nomad's words."""

from __future__ import annotations

import pytest

from planner.health import Health, Look, Watched, looked, with_verdict
from planner.job import SECOND, Task, TaskGroup, Update
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
