"""The life of an allocation's tasks on a simulated host, by its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from executors.sim.behaviour import Behaviour, Exit, Reaction, ended_by
from executors.sim.life import Life
from planner.client import task_status
from planner.job import SECOND, Lifecycle, RestartPolicy, Task, TaskGroup
from planner.observed import ObservedAlloc, TaskPhase
from planner.recorded import ClientStatus

SEEN = ObservedAlloc(id="a", node="n", name="j.g[0]", job_id="j", group="g")
UP = ["Received", "Task Setup", "Started"]
STOPPED = ["Killing", "Terminated", "Killed"]
LATE = 1000 * SECOND


def runs(seconds: float, code: int = 0) -> Behaviour:
    return Behaviour(lasts=int(seconds * SECOND), exit=Exit(code=code))


def task(name: str, hook: str = "", sidecar: bool = False, **fields: object) -> Task:
    lifecycle = Lifecycle(hook=hook, sidecar=sidecar) if hook else None
    once = RestartPolicy(attempts=0)
    made = Task(name=name, lifecycle=lifecycle, restart_policy=once)
    return replace(made, **fields)  # type: ignore[arg-type]


def life(
    tasks: list[Task],
    behaviours: Mapping[str, Behaviour] | None = None,
    job_type: str = "service",
    **group: object,
) -> Life:
    found = behaviours or {}
    made = TaskGroup(name="g", tasks=tuple(tasks))
    return Life(
        seen=SEEN,
        group=replace(made, **group),  # type: ignore[arg-type]
        job_type=job_type,
        born=0,
        behaviours=lambda t, _: found.get(t.name, Behaviour()),
    )


def told(alive: Life, now: int = LATE) -> dict[str, list[str]]:
    return {n: [e.type for e in s.events] for n, s in alive.at(now).tasks.items()}


def status(alive: Life, now: int = LATE) -> ClientStatus:
    return task_status(alive.at(now).tasks.values())


def test_a_task_runs_until_it_is_stopped() -> None:
    alive = life([task("t")])
    assert status(alive, 0) is ClientStatus.PENDING
    assert status(alive, SECOND) is ClientStatus.RUNNING
    alive.stop(2 * SECOND)
    assert told(alive) == {"t": UP + STOPPED}
    assert status(alive) is ClientStatus.COMPLETE
    assert alive.dead_at == 2 * SECOND
    end = alive.at(LATE).tasks["t"]
    assert (end.exit_code, end.signal, end.failed) == (130, 2, False)


def test_what_takes_no_notice_is_killed_when_its_time_is_over() -> None:
    deaf = Behaviour(reactions={"SIGINT": None})
    alive = life([task("t", kill_timeout=3 * SECOND)], {"t": deaf})
    alive.stop(SECOND)
    assert status(alive, 4 * SECOND - 1) is ClientStatus.RUNNING
    assert alive.dead_at is None
    assert alive.at(4 * SECOND).tasks["t"].exit_code == 137
    assert alive.dead_at == 4 * SECOND


def test_no_host_waits_longer_than_half_a_minute() -> None:
    deaf = Behaviour(reactions={"SIGINT": None})
    alive = life([task("t", kill_timeout=90 * SECOND)], {"t": deaf})
    alive.stop(SECOND)
    alive.at(LATE)
    assert alive.dead_at == 31 * SECOND


def test_a_kill_signal_may_be_answered() -> None:
    answer = Behaviour(reactions={"SIGTERM": Reaction(exit=Exit(code=0), after=SECOND)})
    alive = life([task("t", kill_signal="SIGTERM")], {"t": answer})
    alive.stop(SECOND)
    assert alive.at(LATE).tasks["t"].exit_code == 0
    assert alive.dead_at == 2 * SECOND


def test_delays_before_a_stop() -> None:
    slow = task("slow", shutdown_delay=3 * SECOND)
    alive = life([task("fast"), slow], shutdown_delay=2 * SECOND)
    alive.stop(SECOND)
    assert told(alive)["slow"] == [*UP, "Killing", "Waiting for shutdown delay", *STOPPED[1:]]
    at = {n: s.events[-1].time for n, s in alive.at(LATE).tasks.items()}
    assert at == {"fast": 3 * SECOND, "slow": 6 * SECOND}


def test_the_order_of_starts_and_stops() -> None:
    tasks = [
        task("pre", "prestart"),
        task("side", "prestart", sidecar=True),
        task("main"),
        task("post", "poststart", sidecar=True),
        task("last", "poststop"),
    ]
    alive = life(tasks, {"pre": runs(1), "last": runs(1)})
    assert told(alive, SECOND)["main"] == ["Received"]
    assert told(alive, 2 * SECOND)["main"] == UP
    alive.stop(5 * SECOND)
    beside = [*UP, "Main Tasks Dead", "Killing", *STOPPED]
    once = [*UP, "Terminated"]
    main = UP + STOPPED
    assert told(alive) == {
        "pre": once,
        "side": beside,
        "main": main,
        "post": beside,
        "last": once,
    }
    assert status(alive) is ClientStatus.COMPLETE


def test_the_end_of_the_leader_is_that_of_all() -> None:
    tasks = [task("lead", leader=True), task("other"), task("side", "prestart", sidecar=True)]
    alive = life(tasks, {"lead": runs(2)}, job_type="batch")
    assert told(alive)["lead"] == [*UP, "Terminated"]
    assert told(alive)["other"] == [*UP, "Leader Task Dead", *STOPPED]
    assert told(alive)["side"] == [*UP, "Leader Task Dead", *STOPPED]
    assert status(alive) is ClientStatus.COMPLETE


def test_sidecars_end_when_the_main_tasks_have() -> None:
    tasks = [task("side", "prestart", sidecar=True), task("main")]
    alive = life(tasks, {"main": runs(2)}, job_type="batch")
    assert told(alive) == {"side": [*UP, "Main Tasks Dead", *STOPPED], "main": [*UP, "Terminated"]}
    assert status(alive) is ClientStatus.COMPLETE


def test_a_failed_task_takes_its_siblings_along() -> None:
    tasks = [task("bad"), task("good"), task("last", "poststop")]
    alive = life(tasks, {"bad": runs(1, 4), "last": runs(1)})
    assert told(alive) == {
        "bad": [*UP, "Terminated", "Not Restarting"],
        "good": [*UP, "Sibling Task Failed", *STOPPED],
        "last": [*UP, "Terminated"],
    }
    assert status(alive) is ClientStatus.FAILED


def test_main_tasks_never_start_after_a_failed_prestart_task() -> None:
    alive = life([task("pre", "prestart"), task("main")], {"pre": runs(1, 2)})
    assert told(alive)["main"] == ["Received", "Sibling Task Failed", "Killing"]
    assert alive.at(LATE).tasks["main"].state is TaskPhase.DEAD
    assert status(alive) is ClientStatus.FAILED


@pytest.mark.parametrize("code", [0, 1])
def test_a_service_restarts_whatever_its_exit_and_gives_up(code: int) -> None:
    policy = RestartPolicy(attempts=1, interval=60 * SECOND, delay=8 * SECOND)
    alive = life([task("t", restart_policy=policy)], {"t": runs(1, code)})
    assert told(alive)["t"] == [
        *UP, "Terminated", "Restarting", "Started", "Terminated", "Not Restarting",
    ]  # fmt: skip
    ends = [e.time for e in alive.at(LATE).tasks["t"].events if e.type in ("Terminated", "Started")]
    assert 8 * SECOND <= ends[2] - ends[1] <= 10.5 * SECOND
    assert alive.at(LATE).tasks["t"].restarts == 1


def test_in_mode_delay_the_rest_of_the_interval_is_waited_for() -> None:
    policy = RestartPolicy(attempts=1, interval=20 * SECOND, delay=SECOND, mode="delay")
    alive = life([task("t", restart_policy=policy)], {"t": runs(1, 1)})
    starts = [e.time for e in alive.at(45 * SECOND).tasks["t"].events if e.type == "Started"]
    # The second interval begins at the first failure after the first one.
    assert [t // SECOND for t in starts] == [0, 2, 20, 22, 41, 43]
    assert status(alive, 45 * SECOND) is ClientStatus.PENDING


def test_a_run_may_last_too_long() -> None:
    alive = life([task("t")], job_type="batch", max_run_duration=4 * SECOND)
    assert told(alive) == {"t": UP + STOPPED}
    assert alive.dead_at == 4 * SECOND
    assert status(alive) is ClientStatus.COMPLETE


def test_a_restart_that_was_asked_for_does_not_count() -> None:
    alive = life([task("t")])
    alive.restart(2 * SECOND)
    assert told(alive)["t"] == [*UP, "Restart Signaled", "Terminated", "Restarting", "Started"]
    alive.signal(5 * SECOND, "SIGTERM")
    assert told(alive)["t"][-3:] == ["Signaling", "Terminated", "Not Restarting"]
    assert alive.at(LATE).tasks["t"].exit_code == ended_by(15).code


def test_a_restart_for_a_check_counts_whatever_the_exit() -> None:
    ends = Behaviour(reactions={"SIGINT": Reaction(exit=Exit())})
    policy = RestartPolicy(attempts=1, delay=SECOND)
    alive = life([task("t", restart_policy=policy)], {"t": ends}, job_type="batch")
    alive.restart(2 * SECOND, blame="its check fails")
    assert told(alive, 20 * SECOND)["t"][-2:] == ["Restarting", "Started"]
    alive.restart(30 * SECOND, blame="its check fails")
    assert told(alive)["t"][-3:] == ["Restart Signaled", "Terminated", "Not Restarting"]
    assert status(alive) is ClientStatus.FAILED


def test_the_same_looks_show_the_same() -> None:
    policy = RestartPolicy(attempts=3, interval=60 * SECOND, delay=SECOND)
    often, once = (life([task("t", restart_policy=policy)], {"t": runs(1, 1)}) for _ in range(2))
    for now in range(0, 30 * SECOND, SECOND // 7):
        often.at(now)
    assert often.at(LATE) == once.at(LATE)
    assert once.next_change(LATE) is None
