"""Tasks with hooks, leaders and delays on a host, as recorded of Nomad: order, events, ends."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from executors.guard import TaskStart
from executors.handled import Handled
from executors.taskfiles import Record, TaskPolicy
from planner.job import SECOND
from planner.observed import TaskPhase, TaskState
from tests.executors.on_host import ONCE, HostUnderTest, eventually, host, kinds, messages

__all__ = ["host"]

MAIN = TaskPolicy(restart=ONCE, waits=True)
PRE = TaskPolicy(restart=ONCE, batch=True, hook="prestart")
SIDE = TaskPolicy(restart=ONCE, hook="prestart", sidecar=True)
POST = TaskPolicy(restart=ONCE, batch=True, hook="poststart", waits=True)
STOP = TaskPolicy(restart=ONCE, batch=True, hook="poststop", waits=True)
EVER = "exec sleep 1000"
BEGUN = ["Received", "Task Setup", "Started"]
KILLED = ["Killing", "Terminated", "Killed"]


async def states(host: HostUnderTest, record: Record) -> dict[str, TaskState]:
    return dict((await host.inspect(record)).alloc.tasks)


async def until_all(host: HostUnderTest, record: Record, phase: str) -> dict[str, TaskState]:
    async def look() -> dict[str, TaskState] | None:
        found = await states(host, record)
        return found if all(t.state.value == phase for t in found.values()) else None

    return await eventually(look, f"not all tasks are {phase}")


def in_order(tasks: dict[str, TaskState], *expected: str) -> bool:
    """Whether these events (``TASK KIND``) came in this order; busybox tells whole seconds."""
    times = {f"{n} {e.type}": e.time for n, t in tasks.items() for e in t.events}
    found = [times[e] for e in expected]
    return found == sorted(found)


def whole_group(host: HostUnderTest) -> list[TaskStart]:
    return [
        host.task("sleep 0.3", PRE, "pre"),
        host.task(EVER, SIDE, "side"),
        host.task(EVER, MAIN, "main"),
        host.task(EVER, replace(POST, sidecar=True, batch=False), "post"),
        host.task("sleep 0.2; echo over", STOP, "last"),
    ]


async def test_tasks_start_and_stop_in_the_order_of_their_hooks(host: HostUnderTest) -> None:
    record = await host.start(*whole_group(host))
    await host.until(record, "running", "post")
    tasks = await states(host, record)
    assert in_order(tasks, "pre Terminated", "main Started", "post Started")
    assert in_order(tasks, "side Started", "main Started")
    assert tasks["last"].state is TaskPhase.PENDING
    assert kinds(tasks["last"]) == ["Received"]
    await host.stop(record)
    tasks = await states(host, record)
    assert kinds(tasks["pre"]) == [*BEGUN, "Terminated"]
    assert kinds(tasks["main"]) == [*BEGUN, *KILLED]
    assert kinds(tasks["side"]) == [*BEGUN, "Main Tasks Dead", *KILLED]
    assert kinds(tasks["post"]) == [*BEGUN, "Main Tasks Dead", *KILLED]
    assert kinds(tasks["last"]) == [*BEGUN, "Terminated"]
    assert in_order(tasks, "main Killed", "side Main Tasks Dead", "side Terminated", "last Started")
    assert in_order(tasks, "main Killed", "post Main Tasks Dead", "post Terminated", "last Started")
    assert await host.output(record, task="last") == b"over\n"
    assert not any(t.failed for t in tasks.values())
    assert (await host.inspect(record)).released


async def test_a_batch_main_task_takes_its_sidecar_along(host: HostUnderTest) -> None:
    main = replace(MAIN, batch=True)
    record = await host.start(host.task(EVER, SIDE, "side"), host.task("sleep 0.3", main, "main"))
    tasks = await until_all(host, record, "dead")
    assert kinds(tasks["main"]) == [*BEGUN, "Terminated"]
    assert kinds(tasks["side"]) == [*BEGUN, "Main Tasks Dead", *KILLED]
    assert messages(tasks["side"])[3] == "Main tasks in the group died"
    assert not any(t.failed for t in tasks.values())
    assert (await host.inspect(record)).released


async def test_the_last_of_several_main_tasks_ends_the_sidecar(host: HostUnderTest) -> None:
    main = replace(MAIN, batch=True)
    record = await host.start(
        host.task(EVER, SIDE, "side"),
        host.task("exit 0", main, "a"),
        host.task(f"{host.wait_at_gate}", main, "b"),
    )
    await host.until_dead(record, "a")
    assert (await host.state(record, "side")).state is TaskPhase.RUNNING
    host.gate.touch()
    tasks = await until_all(host, record, "dead")
    assert kinds(tasks["side"]).count("Main Tasks Dead") == 1


async def test_a_failed_prestart_task_keeps_the_main_task_from_starting(
    host: HostUnderTest,
) -> None:
    record = await host.start(
        host.task("exit 2", PRE, "pre"),
        host.task(EVER, MAIN, "main"),
        host.task("echo over", STOP, "last"),
    )
    tasks = await until_all(host, record, "dead")
    assert kinds(tasks["pre"]) == [*BEGUN, "Terminated", "Not Restarting"]
    assert kinds(tasks["main"]) == ["Received", "Sibling Task Failed", "Killing"]
    assert tasks["main"].started_at == 0
    assert [n for n, t in tasks.items() if t.failed] == ["pre"]
    assert kinds(tasks["last"]) == [*BEGUN, "Terminated"]


async def test_a_prestart_task_is_tried_again_before_the_main_task(host: HostUnderTest) -> None:
    again = replace(PRE, restart=replace(ONCE, attempts=1, delay=SECOND // 10))
    script = f"[ -e {host.gate} ] || {{ : >{host.gate}; exit 1; }}"
    record = await host.start(host.task(script, again, "pre"), host.task(EVER, MAIN, "main"))
    await host.until(record, "running", "main")
    tasks = await states(host, record)
    assert (tasks["pre"].restarts, tasks["pre"].failed) == (1, False)


async def test_a_sidecar_that_fails_takes_the_main_task_along(host: HostUnderTest) -> None:
    record = await host.start(
        host.task(f"{host.wait_at_gate}; exit 7", SIDE, "side"), host.task(EVER, MAIN, "main")
    )
    await host.until(record, "running", "main")
    host.gate.touch()
    tasks = await until_all(host, record, "dead")
    assert kinds(tasks["main"]) == [*BEGUN, "Sibling Task Failed", *KILLED]
    assert tasks["side"].failed
    assert not tasks["main"].failed


async def test_followers_end_after_their_leader(host: HostUnderTest) -> None:
    lead = TaskPolicy(restart=ONCE, leader=True)
    slow = 'trap "sleep 0.3; exit 0" INT; while :; do sleep 0.1; done'
    record = await host.start(host.task(slow, lead, "lead"), host.task(EVER, name="follow"))
    await until_all(host, record, "running")
    await host.stop(record)
    tasks = await states(host, record)
    assert kinds(tasks["lead"])[-3:] == KILLED
    assert kinds(tasks["follow"])[-4:] == ["Leader Task Dead", *KILLED]
    assert in_order(tasks, "lead Terminated", "follow Leader Task Dead")


async def test_a_leader_that_ends_takes_main_tasks_before_sidecars(host: HostUnderTest) -> None:
    lead = TaskPolicy(restart=ONCE, leader=True, batch=True, waits=True)
    record = await host.start(
        host.task(EVER, SIDE, "side"),
        host.task("sleep 0.3", lead, "lead"),
        host.task(EVER, MAIN, "follow"),
        host.task("exit 0", STOP, "last"),
    )
    tasks = await until_all(host, record, "dead")
    assert kinds(tasks["follow"])[-4:] == ["Leader Task Dead", *KILLED]
    assert kinds(tasks["side"])[-4:] == ["Main Tasks Dead", *KILLED]
    ends = [f"{name} Terminated" for name in ("lead", "follow", "side", "last")]
    assert in_order(tasks, *ends)


async def test_delays_before_the_signal_are_told(host: HostUnderTest) -> None:
    plain = TaskPolicy(restart=ONCE, group_delay=SECOND // 2)
    delayed = replace(plain, shutdown_delay=SECOND * 3 // 2)
    record = await host.start(host.task(EVER, plain, "a"), host.task(EVER, delayed, "b"))
    await until_all(host, record, "running")
    await host.stop(record)
    tasks = await states(host, record)
    assert kinds(tasks["a"]) == [*BEGUN, *KILLED]
    assert kinds(tasks["b"]) == [*BEGUN, "Killing", "Waiting for shutdown delay", *KILLED[1:]]
    assert messages(tasks["b"])[4] == (
        "Waiting for shutdown_delay of 1.5s before killing the task."
    )


@pytest.mark.parametrize("name", ["main", "last"])
async def test_a_killed_supervisor_is_brought_back_in_its_place(
    host: HostUnderTest, name: str
) -> None:
    record = await host.start(
        host.task(host.wait_at_gate, PRE, "pre"),
        host.task(EVER, MAIN, "main"),
        host.task("echo over", STOP, "last"),
    )
    await host.until(record, "running", "pre")
    await asyncio.sleep(0.2)
    os.kill(host.pid(record, "sup", name), signal.SIGKILL)
    await host.guard.resume(host.fence, record.alloc_id)
    assert (await host.state(record, name)).state is TaskPhase.PENDING
    host.gate.touch()
    await host.until(record, "running", "main")
    await host.stop(record)
    assert await host.output(record, task="last") == b"over\n"


async def test_a_stop_finds_the_supervisor_of_poststop_killed(host: HostUnderTest) -> None:
    record = await host.start(host.task(EVER, MAIN, "main"), host.task("echo over", STOP, "last"))
    await host.until(record, "running", "main")
    os.kill(host.pid(record, "sup", "last"), signal.SIGKILL)
    await host.stop(record)
    assert await host.output(record, task="last") == b"over\n"
    assert (await host.inspect(record)).released


async def test_a_stop_before_the_main_task_has_run(host: HostUnderTest) -> None:
    record = await host.start(host.task(EVER, PRE, "pre"), host.task(EVER, MAIN, "main"))
    await host.until(record, "running", "pre")
    await host.stop(record)
    tasks = await states(host, record)
    assert kinds(tasks["pre"]) == [*BEGUN, *KILLED]
    assert kinds(tasks["main"]) == ["Received", "Killing"]
    assert (await host.inspect(record)).released


async def test_restarting_all_tasks_leaves_those_alone_whose_turn_has_not_come(
    host: HostUnderTest,
) -> None:
    record = await host.start(
        host.task("exit 0", PRE, "pre"), host.task(EVER, MAIN, "main"), host.task("", STOP, "last")
    )
    await host.until(record, "running", "main")
    handled = Handled(alloc_id=record.alloc_id, tasks=("pre", "main", "last"), ended=True)
    await host.guard.restart(host.fence, handled)

    async def look() -> bool | None:
        found = await states(host, record)
        again = (found["pre"].restarts, found["main"].restarts) == (1, 1)
        return True if again and found["pre"].state is TaskPhase.DEAD else None

    await eventually(look, "not both have run again")
    assert kinds(await host.state(record, "last")) == ["Received"]
