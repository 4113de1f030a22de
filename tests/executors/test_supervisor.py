from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from executors.guard import UpdateRequest
from executors.records import Life
from executors.taskfiles import TaskPolicy
from planner.job import SECOND, LogConfig, RestartPolicy
from planner.observed import TaskPhase
from tests.executors.on_host import ONCE, HostUnderTest, eventually, host, kinds, lives, messages

__all__ = ["host"]

QUICK = RestartPolicy(attempts=2, interval=60 * SECOND, delay=SECOND // 10)
SETUP = ["Received", "Task Setup"]


def start_time() -> str:
    return Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]


async def test_service_that_goes_on_is_running(host: HostUnderTest) -> None:
    record = await host.start(host.task("echo up; exec sleep 100"))
    state = await host.until(record, "running")
    assert kinds(state) == [*SETUP, "Started"]
    assert messages(state)[-1] == "Task started by client"
    assert await host.until_output(record, b"up") == b"up\n"
    assert (await host.inspect(record)).lives == {"t": Life.SUPERVISED}


@pytest.mark.parametrize(
    ("script", "message", "code", "sig"),
    [
        ("exit 5", "Exit Code: 5", 5, 0),
        ("exit 255", "Exit Code: 255", 255, 0),
        ("kill -TERM $$; sleep 1", "Exit Code: 143, Signal: 15", 143, 15),
        ("kill -KILL $$; sleep 1", "Exit Code: 137, Signal: 9", 137, 9),
    ],
)
async def test_exit_is_recorded(
    host: HostUnderTest, script: str, message: str, code: int, sig: int
) -> None:
    record = await host.start(host.task(script))
    state = await host.until_dead(record)
    assert (state.failed, state.exit_code, state.signal) == (True, code, sig)
    assert kinds(state) == [*SETUP, "Started", "Terminated", "Not Restarting"]
    assert messages(state)[-2:] == [message, "Policy allows no restarts"]
    assert state.events[-2].details["exit_code"] == str(code)
    assert state.finished_at >= state.started_at > 0


async def test_restarts_until_the_policy_is_used_up(host: HostUnderTest) -> None:
    record = await host.start(host.task("exit 3", TaskPolicy(restart=QUICK)))
    state = await host.until_dead(record)
    again = ["Started", "Terminated", "Restarting"]
    assert kinds(state) == [*again * 2, "Started", "Terminated", "Not Restarting"][-10:] or (
        kinds(state)[-9:] == [*again * 2, "Started", "Terminated", "Not Restarting"]
    )
    assert (state.failed, state.restarts) == (True, 2)
    assert messages(state)[-1] == (
        'Exceeded allowed attempts 2 in interval 1m0s and mode is "fail"'
    )
    restarting = [e for e in state.events if e.type == "Restarting"]
    for event in restarting:
        assert event.details["restart_reason"] == "Restart within policy"
        assert 100 * 10**6 <= int(event.details["start_delay"]) <= 125 * 10**6
        assert event.message.startswith("Task restarting in 1")


async def test_service_restarts_after_exit_0_too(host: HostUnderTest) -> None:
    record = await host.start(host.task("exit 0", TaskPolicy(restart=replace(QUICK, attempts=1))))
    state = await host.until_dead(record)
    assert (state.failed, state.restarts, state.exit_code) == (True, 1, 0)


async def test_batch_is_done_after_exit_0(host: HostUnderTest) -> None:
    record = await host.start(host.task("exit 0", TaskPolicy(restart=QUICK, batch=True)))
    state = await host.until_dead(record)
    assert (state.failed, state.restarts) == (False, 0)
    assert kinds(state) == [*SETUP, "Started", "Terminated"]
    assert (await host.inspect(record)).released


async def test_mode_delay_waits_for_the_interval(host: HostUnderTest) -> None:
    policy = RestartPolicy(attempts=1, interval=2 * SECOND, delay=SECOND // 10, mode="delay")
    record = await host.start(host.task("exit 5", TaskPolicy(restart=policy)))
    state = await host.until_event(record, "Restarting", 3)
    reasons = [e.details["restart_reason"] for e in state.events if e.type == "Restarting"]
    assert reasons[:3] == [
        "Restart within policy",
        "Exceeded allowed attempts, applying a delay",
        "Restart within policy",
    ]


async def test_command_that_is_not_there_fails_at_once(host: HostUnderTest) -> None:
    record = await host.start(host.command(("/no/such/bin",), TaskPolicy(restart=QUICK)))
    state = await host.until_dead(record)
    assert kinds(state) == [*SETUP, "Driver Failure", "Not Restarting"]
    assert messages(state)[-2:] == [
        'binary "/no/such/bin" could not be found',
        "Error was unrecoverable",
    ]
    assert (state.failed, state.started_at) == (True, 0)


async def test_failed_task_takes_its_siblings_along(host: HostUnderTest) -> None:
    trap = f'trap "sleep 0.2; exit 0" INT; : >{host.gate}; while :; do sleep 0.1; done'
    failing = f"{host.wait_at_gate}; exit 4"
    record = await host.start(host.task(trap, name="a"), host.task(failing, name="b"))
    state = await host.until_dead(record, "a")
    assert kinds(state)[-4:] == ["Sibling Task Failed", "Killing", "Terminated", "Killed"]
    assert state.events[-4].message == 'Task\'s sibling "b" failed'
    assert not state.failed
    assert (await host.state(record, "b")).failed


async def test_leader_takes_the_others_along(host: HostUnderTest) -> None:
    leader = TaskPolicy(restart=ONCE, batch=True, leader=True)
    record = await host.start(
        host.task("exec sleep 100", name="a"), host.task("sleep 0.3", leader, name="b")
    )
    state = await host.until_dead(record, "a")
    assert "Leader Task Dead" in kinds(state)
    assert not state.failed


async def test_stop_sends_the_kill_signal(host: HostUnderTest) -> None:
    record = await host.start(
        host.task('trap "echo got; exit 7" USR1; echo up; while :; do sleep 0.1; done',
                  TaskPolicy(restart=QUICK, kill_signal="SIGUSR1", kill_timeout=30 * SECOND)),
    )  # fmt: skip
    await host.until_output(record, b"up")
    await host.stop(record)
    state = await host.state(record)
    assert kinds(state)[-3:] == ["Killing", "Terminated", "Killed"]
    assert messages(state)[-3:] == [
        "Sent interrupt. Waiting 30s before force killing",
        "Exit Code: 7",
        "Task successfully killed",
    ]
    assert (state.state, state.failed) == (TaskPhase.DEAD, False)
    assert await host.output(record) == b"up\ngot\n"
    assert (await host.inspect(record)).released


async def test_interrupt_is_the_default_and_reaches_the_task(host: HostUnderTest) -> None:
    patient = TaskPolicy(restart=ONCE, kill_timeout=30 * SECOND)
    record = await host.start(
        host.task('trap "echo int; exit 0" INT; echo up; while :; do sleep 0.1; done', patient)
    )
    await host.until_output(record, b"up")
    await host.stop(record)
    assert await host.output(record) == b"up\nint\n"


async def test_stop_kills_what_does_not_listen(host: HostUnderTest) -> None:
    record = await host.start(
        host.task('trap "" INT; echo up; while :; do sleep 0.1; done',
                  TaskPolicy(restart=QUICK, kill_timeout=SECOND // 2)),
    )  # fmt: skip
    await host.until_output(record, b"up")
    await host.stop(record)
    state = await host.state(record)
    assert (state.exit_code, state.signal, state.failed) == (137, 9, False)
    assert state.events[-3].details == {"kill_timeout": "500ms"}


async def test_stop_while_waiting_to_restart(host: HostUnderTest) -> None:
    slow = TaskPolicy(restart=replace(QUICK, delay=60 * SECOND))
    record = await host.start(host.task("exit 1", slow))
    await host.until_event(record, "Restarting")
    await host.stop(record)
    state = await host.state(record)
    assert kinds(state)[-1] == "Killed"
    assert (state.state, state.failed) == (TaskPhase.DEAD, False)


@pytest.mark.parametrize("escape", ["", "setsid "])
async def test_children_die_with_the_task(host: HostUnderTest, escape: str) -> None:
    script = f"{escape}sleep 1234 & echo $!; sleep 0.2; exit 3"
    record = await host.start(host.task(script))
    await host.until_dead(record)
    child = int((await host.output(record)).split()[0])
    await until_ended(child)


async def test_killed_supervisor_is_brought_back_and_the_task_goes_on(host: HostUnderTest) -> None:
    record = await host.start(
        host.task(f"echo up; {host.wait_at_gate}; echo down; exit 6", TaskPolicy(restart=ONCE))
    )
    await host.until_output(record, b"up")
    os.kill(host.pid(record, "sup"), signal.SIGKILL)
    found = await host.until_life(record, Life.UNSUPERVISED)
    assert found.needs_resume
    assert found.alloc.tasks["t"].state is TaskPhase.RUNNING
    await host.guard.resume(host.fence, record.alloc_id)
    await host.until_life(record, Life.SUPERVISED)
    host.gate.touch()
    state = await host.until_dead(record)
    assert kinds(state) == [*SETUP, "Started", "Terminated", "Not Restarting"]
    assert state.exit_code == 6
    assert await host.output(record) == b"up\ndown\n"


async def test_an_end_that_is_noted_late_is_waited_for(host: HostUnderTest) -> None:
    record = await host.start(host.task(f"echo up; {host.wait_at_gate}; exit 6"))
    await host.until_output(record, b"up")
    task = host.pid(record)
    runner = parent(task)
    os.kill(host.pid(record, "sup"), signal.SIGKILL)
    await host.until_life(record, Life.UNSUPERVISED)
    os.kill(runner, signal.SIGSTOP)
    try:
        await host.guard.resume(host.fence, record.alloc_id)
        await host.until_life(record, Life.SUPERVISED)
        host.gate.touch()
        await until_ended(task)
        await asyncio.sleep(1)
    finally:
        os.kill(runner, signal.SIGCONT)
    assert (await host.until_dead(record)).exit_code == 6


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def until_ended(pid: int) -> None:
    async def look() -> bool | None:
        return None if lives(pid) else True

    await eventually(look, "it lives on")


async def test_killed_supervisor_does_not_keep_a_task_from_being_stopped(
    host: HostUnderTest,
) -> None:
    record = await host.start(host.task("echo up; exec sleep 100"))
    await host.until_output(record, b"up")
    os.kill(host.pid(record, "sup"), signal.SIGKILL)
    task = host.pid(record)
    await host.stop(record)
    assert not lives(task)
    assert (await host.state(record)).state is TaskPhase.DEAD


async def test_killed_task_is_restarted(host: HostUnderTest) -> None:
    record = await host.start(
        host.task("echo up; exec sleep 100", TaskPolicy(restart=replace(QUICK, delay=0)))
    )
    await host.until_output(record, b"up")
    os.kill(host.pid(record), signal.SIGKILL)
    state = await host.until_event(record, "Started", 2)
    assert state.restarts == 1
    assert "Exit Code: 137, Signal: 9" in messages(state)


async def test_record_of_another_boot_is_gone_and_kills_no_stranger(host: HostUnderTest) -> None:
    record = await host.start(host.task("echo up; exec sleep 100"))
    await host.until_output(record, b"up")
    sup, task = host.pid(record, "sup"), host.pid(record)
    os.kill(sup, signal.SIGKILL)
    os.killpg(task, signal.SIGKILL)
    await host.until_alone()
    # The ids of processes that live, from another boot: a stranger's.
    for file in ("sup", "pid"):
        (host.task_dir(record) / file).write_text(f"{os.getpid()} {start_time()} another-boot\n")
    (host.task_dir(record) / "exit").unlink(missing_ok=True)
    found = await host.inspect(record)
    assert found.lives == {"t": Life.GONE}
    assert found.alloc.tasks["t"].state is TaskPhase.DEAD
    assert found.needs_resume
    await host.guard.resume(host.fence, record.alloc_id)
    state = await host.until_event(record, "Started", 2)
    assert "Restart Signaled" in kinds(state)
    assert state.restarts == 1


async def test_update_in_place_changes_the_policy_and_not_the_task(host: HostUnderTest) -> None:
    often = TaskPolicy(restart=replace(QUICK, attempts=9))
    record = await host.start(host.task(f"echo up; {host.wait_at_gate}; exit 2", often))
    await host.until_output(record, b"up")
    task = host.pid(record)
    newer = replace(record, version=1, index=7)
    await host.guard.update(
        UpdateRequest(fence=host.fence, record=newer, policies={"t": TaskPolicy(restart=ONCE)})
    )
    found = await host.inspect(record)
    assert (found.alloc.version, found.alloc.index) == (1, 7)
    assert host.pid(record) == task
    host.gate.touch()
    state = await host.until_dead(record)
    assert messages(state)[-1] == "Policy allows no restarts"


async def test_logs_rotate_without_losing_a_byte(host: HostUnderTest) -> None:
    policy = TaskPolicy(
        restart=replace(QUICK, attempts=1),
        logs=LogConfig(max_files=3, max_file_size_mb=1),
    )
    # 24 bytes a line
    script = (
        'i=0; while [ $i -lt 45000 ]; do echo "line $((100000 + i)) 0123456789ab"; i=$((i+1)); done'
    )
    record = await host.start(host.task(script, policy))
    await host.until_dead(record)
    logs = host.data / "alloc" / record.alloc_id / "alloc" / "logs"
    sizes = {p.name: p.stat().st_size for p in logs.iterdir() if "stdout" in p.name}
    assert all(0 <= 1024 * 1024 - sizes[f"t.stdout.{n}"] < 4096 for n in (0, 1))
    run = b"".join(b"line %d 0123456789ab\n" % (100000 + i) for i in range(45000))
    assert await host.output(record) == run * 2
    assert (logs / "t.stdout.0").stat().st_mode & 0o777 == 0o644


async def test_oldest_log_files_are_removed(host: HostUnderTest) -> None:
    policy = TaskPolicy(restart=ONCE, logs=LogConfig(max_files=2, max_file_size_mb=1))
    record = await host.start(host.task("head -c 3500000 /dev/zero; echo end", policy))
    await host.until_dead(record)
    logs = host.data / "alloc" / record.alloc_id / "alloc" / "logs"
    names = sorted(p.name for p in logs.iterdir() if "stdout" in p.name)
    assert names == ["t.stdout.2", "t.stdout.3"]
    assert (await host.output(record)).endswith(b"\x00end\n")


async def test_disabled_logs_leave_nothing(host: HostUnderTest) -> None:
    policy = TaskPolicy(restart=ONCE, logs=LogConfig(disabled=True))
    record = await host.start(host.task("echo out; echo err >&2", policy))
    await host.until_dead(record)
    assert await host.output(record) == b""


async def test_streams_are_kept_apart(host: HostUnderTest) -> None:
    record = await host.start(host.task("printf 'a\\377b'; echo err >&2"))
    await host.until_dead(record)
    assert await host.output(record) == b"a\xffb"
    assert await host.output(record, "stderr") == b"err\n"


async def test_task_sees_its_own_environment_only(host: HostUnderTest) -> None:
    task = host.command(("env",))
    odd = {"a.b": "dot", "x-y": "dash", "S": "it's $HOME\nnext", "PATH": "/usr/bin:/bin"}
    task = replace(task, launch=replace(task.launch, env=odd))
    record = await host.start(task)
    await host.until_dead(record)
    text = (await host.output(record)).decode()
    names = {line.partition("=")[0] for line in text.splitlines()} - {"next"}
    assert "S=it's $HOME\nnext\n" in text
    assert {"a.b=dot", "x-y=dash"} <= set(text.splitlines())
    assert names <= {"PATH", "HOME", "LANG", "PWD", "OLDPWD", "a.b", "x-y", "S", "SHLVL", "_"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes users")
async def test_task_runs_as_its_user(host: HostUnderTest) -> None:
    task = host.task("id -u; id -g; touch /proc/self/x 2>/dev/null; umask")
    record = await host.start(replace(task, launch=replace(task.launch, user="nobody")))
    await host.until_dead(record)
    uid, _, umask = (await host.output(record)).split()
    assert (uid, umask) == (b"65534", b"0022")


async def test_unknown_user_is_a_driver_failure(host: HostUnderTest) -> None:
    task = host.task("id -u")
    record = await host.start(replace(task, launch=replace(task.launch, user="no-such-user")))
    state = await host.until_dead(record)
    assert messages(state)[-2] == "unknown user no-such-user"


async def test_a_stop_that_its_host_did_not_survive_is_seen_and_ended(host: HostUnderTest) -> None:
    record = await host.start(host.task("exec sleep 100"))
    await host.until(record, "running")
    sup, task = host.pid(record, "sup"), host.pid(record)
    # As after a power cut right after the tombstone was written.
    (host.data / "records" / record.alloc_id / "stop").touch()
    os.kill(sup, signal.SIGKILL)
    os.killpg(task, signal.SIGKILL)
    gone = await host.until_life(record, Life.GONE)
    assert gone.alloc.unreleased
    assert not gone.alloc.unattended
    await host.stop(record)
    done = await host.inspect(record)
    assert done.released
    assert not done.alloc.unreleased
