from __future__ import annotations

from dataclasses import replace

import pytest

from executors.handled import Handled
from executors.refusals import FencedError, NotRunningError, TombstonedError
from executors.taskfiles import Record, TaskPolicy
from planner.errors import OrchError
from planner.job import SECOND, RestartPolicy
from tests.executors.on_host import HostUnderTest, eventually, host, kinds, messages

__all__ = ["host"]

NEVER = TaskPolicy(
    restart=RestartPolicy(attempts=0, interval=60 * SECOND, delay=0), kill_timeout=SECOND // 2
)


def handled(record: Record, *tasks: str) -> Handled:
    return Handled(alloc_id=record.alloc_id, tasks=tasks or ("t",))


async def again(host: HostUnderTest, record: Record, times: int) -> None:
    async def look() -> bool | None:
        said = await host.output(record)
        return True if said.count(b"up\n") == times else None

    await eventually(look, f"it did not start {times} times")


async def test_a_restart_does_not_count(host: HostUnderTest) -> None:
    record = await host.start(host.task("echo up; exec sleep 100", NEVER))
    await again(host, record, 1)
    for times in (2, 3):
        await host.guard.restart(host.fence, handled(record))
        await again(host, record, times)
    state = await host.until(record, "running")
    assert state.restarts == 2
    assert kinds(state)[-5:] == [
        "Started",
        "Restart Signaled",
        "Terminated",
        "Restarting",
        "Started",
    ]
    assert messages(state)[-4:] == [
        "User requested running tasks to restart",
        "Exit Code: 130, Signal: 2",
        "Task restarting in 0s",
        "Task started by client",
    ]
    await host.stop(record)


@pytest.mark.parametrize("batch", [False, True])
async def test_a_restart_for_a_check_counts_as_a_failure(host: HostUnderTest, batch: bool) -> None:
    once = replace(NEVER.restart, attempts=1)
    policy = replace(NEVER, restart=once, batch=batch)
    record = await host.start(host.task("trap 'exit 0' INT; echo up; sleep 100 & wait", policy))
    await again(host, record, 1)
    why = 'healthcheck: check "alive" unhealthy'
    blamed = replace(handled(record), blame=why)
    await host.guard.restart(host.fence, blamed)
    await again(host, record, 2)
    # One that somebody asks for stays one that does not count.
    await host.guard.restart(host.fence, handled(record))
    await again(host, record, 3)
    await host.guard.restart(host.fence, blamed)
    state = await host.until_dead(record)
    assert (state.failed, state.restarts) == (True, 2)
    signaled = [e.message for e in state.events if e.type == "Restart Signaled"]
    assert signaled[-2:] == ["User requested running tasks to restart", why]
    assert kinds(state)[-3:] == ["Restart Signaled", "Terminated", "Not Restarting"]


async def test_a_task_that_does_not_listen_is_killed(host: HostUnderTest) -> None:
    record = await host.start(host.task("trap '' INT; echo up; while :; do sleep 1; done", NEVER))
    await again(host, record, 1)
    await host.guard.restart(host.fence, handled(record))
    await again(host, record, 2)
    assert "Exit Code: 137, Signal: 9" in messages(await host.state(record))
    await host.stop(record)


async def test_only_the_named_tasks_restart(host: HostUnderTest) -> None:
    other = host.task("exec sleep 100", NEVER, name="u")
    record = await host.start(host.task("echo up; exec sleep 100", NEVER), other)
    await again(host, record, 1)
    await host.until(record, "running", "u")
    await host.guard.restart(host.fence, handled(record))
    await again(host, record, 2)
    assert (await host.state(record, "u")).restarts == 0
    await host.stop(record)


async def test_all_tasks_restart_those_too_that_have_ended(host: HostUnderTest) -> None:
    once = host.task("echo up; exit 0", replace(NEVER, batch=True))
    other = host.task("exec sleep 100", NEVER, name="u")
    record = await host.start(once, other)
    await host.until_dead(record)
    await host.until(record, "running", "u")
    with pytest.raises(NotRunningError):
        await host.guard.restart(host.fence, handled(record, "t", "u"))
    everything = replace(handled(record, "t", "u"), ended=True)
    await host.guard.restart(host.fence, everything)
    await again(host, record, 2)
    state = await host.until_dead(record)
    assert (state.failed, state.restarts) == (False, 1)
    assert "User requested all tasks to restart" in messages(state)

    async def restarted() -> bool | None:
        return (await host.state(record, "u")).restarts == 1 or None

    await eventually(restarted, "the other one did not restart")
    await host.stop(record)
    with pytest.raises(TombstonedError):
        await host.guard.restart(host.fence, everything)


async def test_what_is_over_is_over(host: HostUnderTest) -> None:
    record = await host.start(host.task("exit 0", replace(NEVER, batch=True)))
    await host.until_dead(record)
    with pytest.raises(NotRunningError):
        await host.guard.restart(host.fence, replace(handled(record), ended=True))


async def test_a_signal_reaches_the_task(host: HostUnderTest) -> None:
    script = "trap 'echo got it' USR1; echo up; while :; do sleep 0.1; done"
    record = await host.start(host.task(script, NEVER))
    await again(host, record, 1)
    await host.guard.signal(host.fence, handled(record), "sigusr1")
    await host.until_output(record, b"got it")
    state = await host.state(record)
    assert (kinds(state)[-1], messages(state)[-1]) == ("Signaling", "Task being sent a signal")
    with pytest.raises(OrchError, match="no signal 'BOGUS'"):
        await host.guard.signal(host.fence, handled(record), "BOGUS")
    await host.stop(record)


async def test_what_does_not_run_is_not_handled(host: HostUnderTest) -> None:
    record = await host.start(host.task("exit 1", NEVER))
    await host.until_dead(record)
    with pytest.raises(NotRunningError, match='task "t" is not running'):
        await host.guard.restart(host.fence, handled(record))
    with pytest.raises(NotRunningError):
        await host.guard.signal(host.fence, handled(record), "SIGHUP")
    await host.stop(record)
    with pytest.raises(TombstonedError):
        await host.guard.restart(host.fence, handled(record))


async def test_a_newer_decision_keeps_hands_off(host: HostUnderTest) -> None:
    record = await host.start(host.task("echo up; exec sleep 100", NEVER))
    await again(host, record, 1)
    old = replace(host.fence, index=host.fence.index - 1)
    with pytest.raises(FencedError):
        await host.guard.restart(old, handled(record))
    with pytest.raises(FencedError):
        await host.guard.signal(old, handled(record), "SIGTERM")
    assert (await host.state(record)).state.value == "running"
    await host.stop(record)
