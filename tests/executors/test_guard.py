from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from executors import probe
from executors.fleet import JobFence
from executors.guard import Guard, StopRequest
from executors.local import LocalTransport
from executors.refusals import (
    DamagedError,
    DiskFullError,
    FencedError,
    GuardError,
    MissingToolError,
    NoRoomError,
    OtherNodeError,
    PortTakenError,
    RestartedError,
    StillAliveError,
    TakenError,
    TombstonedError,
)
from executors.taskfiles import BadNameError
from planner.errors import ConflictError
from planner.observed import NodeResources
from tests.executors.on_host import CLUSTER, NODE, HostUnderTest, host, leave_nothing

__all__ = ["host"]

IDLE = "exec sleep 100"
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name != "lock"
    }


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


async def test_first_node_id_stands(host: HostUnderTest) -> None:
    assert await replace(host.guard, node_id="99999999").enrol() == NODE


async def test_fence_only_rises(host: HostUnderTest) -> None:
    guard = host.guard
    newer = JobFence(key="web", epoch=0, index=9, commit="c9")
    await guard.raise_fences([newer])
    await guard.raise_fences([newer])
    for lower in (host.fence, replace(newer, commit="other"), replace(newer, epoch=0, index=8)):
        with pytest.raises(FencedError, match="index 9 of epoch 0") as caught:
            await guard.raise_fences([lower])
        assert isinstance(caught.value, ConflictError)
        assert caught.value.exit_code == 3
    await guard.raise_fences([JobFence(key="web", epoch=1, index=2, commit="c")])
    with pytest.raises(FencedError):
        await guard.raise_fences([replace(newer, index=100)])


async def test_step_behind_the_fence_is_refused_and_changes_nothing(host: HostUnderTest) -> None:
    record = await host.start(host.task(IDLE))
    await host.until_settled(record)
    await host.guard.raise_fences([JobFence(key="web", epoch=0, index=6, commit="x")])
    before = bytes_of(host.data)
    with pytest.raises(FencedError):
        await host.start(host.task(IDLE), record=host.record(2))
    with pytest.raises(FencedError):
        await host.stop(record)
    with pytest.raises(FencedError):
        await host.guard.remove(host.fence, record.alloc_id)
    assert bytes_of(host.data) == before
    host.fence = JobFence(key="web", epoch=0, index=6, commit="x")


async def test_damaged_fence_is_refused(host: HostUnderTest) -> None:
    (host.data / "clusters" / CLUSTER / "fences" / "web").write_text("")
    with pytest.raises(DamagedError):
        await host.start(host.task(IDLE))


async def test_other_node_is_refused(host: HostUnderTest) -> None:
    (host.data / "node" / "id").write_text("another\n")
    with pytest.raises(OtherNodeError, match="another"):
        await host.start(host.task(IDLE))


async def test_start_twice_is_one_start(host: HostUnderTest) -> None:
    first, second = await asyncio.gather(
        host.start(host.task("echo up; exec sleep 100")),
        host.start(host.task("echo up; exec sleep 100")),
    )
    assert first == second
    assert await host.until_output(first, b"up") == b"up\n"
    await host.start(host.task("echo up; exec sleep 100"))
    assert await host.output(first) == b"up\n"


async def test_one_that_is_refused_keeps_no_other_from_being_started(host: HostUnderTest) -> None:
    stopped = host.record(1)
    await host.stop(stopped)
    records = [stopped, host.record(2, ports={"a": 29877}), host.record(3), host.record(4)]
    records += [host.record(5, ports={"a": 29877}), host.record(6, memory_mb=900)]
    newer = JobFence(key="web", epoch=0, index=6)
    requests = [host.request(host.task(IDLE), record=r) for r in records]
    requests[3] = replace(requests[3], fence=newer)
    ends = await host.guard.start_all(requests)
    assert [type(e) for e in ends] == [
        TombstonedError,
        type(None),
        type(None),
        FencedError,
        PortTakenError,
        NoRoomError,
    ]
    assert f"29877 is taken by allocation {records[1].name}" in str(ends[4])
    for record in records[1:3]:
        await host.until(record, "running")
    assert {p.name for p in (host.data / "alloc").iterdir()} == {r.alloc_id for r in records[1:3]}
    again = await host.guard.start_all(requests[:3])
    assert [type(e) for e in again] == [TombstonedError, type(None), type(None)]


async def test_other_token_is_refused(host: HostUnderTest) -> None:
    record = await host.start(host.task(IDLE))
    with pytest.raises(TakenError):
        await host.start(host.task(IDLE), record=replace(record, token="other"))


async def test_stopped_allocation_never_starts_again(host: HostUnderTest) -> None:
    record = await host.start(host.task(IDLE))
    await host.stop(record)
    await host.stop(record)
    with pytest.raises(TombstonedError):
        await host.start(host.task(IDLE))


async def test_stop_before_start_leaves_a_tombstone(host: HostUnderTest) -> None:
    record = host.record()
    await host.stop(record)
    assert (await host.inspect(record)).released
    with pytest.raises(TombstonedError):
        await host.start(host.task(IDLE))


async def test_port_of_another_allocation_is_refused(host: HostUnderTest) -> None:
    await host.start(host.task(IDLE), record=host.record(1, ports={"a": 19876}))
    with pytest.raises(PortTakenError, match=r"19876 is taken by allocation web.g\[1\]"):
        await host.start(host.task(IDLE), record=host.record(2, ports={"b": 19876}))


async def test_port_that_somebody_listens_on_is_refused(host: HostUnderTest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"{port} is taken by a process"):
            await host.start(host.task(IDLE), record=host.record(ports={"a": port}))
    assert not (host.data / "records" / host.record().alloc_id).exists()


@pytest.mark.parametrize("asked", ["cpu", "memory_mb", "disk_mb"])
async def test_reservations_never_exceed_the_node(host: HostUnderTest, asked: str) -> None:
    await host.start(host.task(IDLE), record=host.record(1, **{asked: 600}))
    with pytest.raises(NoRoomError, match=r"600 M.* reserved and 500 asked for of 1000"):
        await host.start(host.task(IDLE), record=host.record(2, **{asked: 500}))
    await host.stop(host.record(1))
    await host.start(host.task(IDLE), record=host.record(2, **{asked: 500}))


async def test_damaged_record_is_not_taken_for_nothing(host: HostUnderTest) -> None:
    record = await host.start(host.task(IDLE))
    path = host.data / "records" / record.alloc_id / "record"
    text = path.read_text()
    path.write_text("")
    with pytest.raises(DamagedError):
        await host.start(host.task(IDLE), record=host.record(2))
    path.write_text(text)


async def test_running_allocation_is_not_forgotten(host: HostUnderTest) -> None:
    record = await host.start(host.task(IDLE))
    with pytest.raises(StillAliveError):
        await host.guard.remove(host.fence, record.alloc_id)
    await host.stop(record)
    await host.guard.remove(host.fence, record.alloc_id)
    assert not (host.data / "records" / record.alloc_id).exists()
    assert not (host.data / "alloc" / record.alloc_id).exists()


async def test_secrets_are_readable_by_the_owner_only(host: HostUnderTest) -> None:
    task = host.task(IDLE)
    secret = replace(task, launch=replace(task.launch, env={"PASSWORD": "hunter2"}))
    record = await host.start(secret)
    await host.until(record, "running")
    run = host.task_dir(record) / "run"
    assert run.stat().st_mode & 0o077 == 0
    assert (host.data / "records").stat().st_mode & 0o077 == 0
    for pid in host.processes():
        with suppress(OSError):  # some come and go
            assert b"hunter2" not in command_of(pid)
    await host.stop(record)
    assert not run.exists()


async def test_unusual_names_are_carried_through(host: HostUnderTest) -> None:
    names = ["a b", "$(touch x)", "it's", "ünï", "*", "-n", "%s"]
    key = "dispatch/../x y@ns;`id`"
    fence = JobFence(key=key, epoch=0, index=1)
    await host.guard.raise_fences([fence])
    host.fence = fence
    record = host.record(1, job_id=key, name="a='$x'.g[1]")
    tasks = [host.task(f"echo {i}; exec sleep 100", name=n) for i, n in enumerate(names)]
    await host.start(*tasks, record=record)
    for name in names:
        await host.until(record, "running", name)
    done = await host.transport.run(probe.command(str(host.data), CLUSTER))
    found = probe.parse(done.stdout, "h", CLUSTER)
    assert found.fences[key].index == 1
    assert set(found.allocs[0].tasks) == set(names)
    assert found.allocs[0].name == "a='$x'.g[1]"
    await host.stop(record)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".x", "alloc", "a\nb", "x" * 300])
async def test_impossible_names_are_refused_before_anything(host: HostUnderTest, name: str) -> None:
    before = bytes_of(host.data)
    with pytest.raises(BadNameError):
        await host.start(host.task(IDLE, name=name))
    assert bytes_of(host.data) == before


async def test_record_holds_one_line_a_value(host: HostUnderTest) -> None:
    with pytest.raises(BadNameError):
        await host.start(host.task(IDLE), record=host.record(name="a\nstop"))


async def test_missing_tool_says_what_to_install(tmp_path: Path) -> None:
    if shutil.which("flock", path="/usr/local/sbin:/usr/sbin:/sbin"):
        pytest.skip("flock lies where scripts always look")
    transport = LocalTransport(
        name="h", env={"PATH": str(tmp_path)}, interpreter=(shutil.which("sh") or "/bin/sh",)
    )
    guard = Guard(transport=transport, cluster=CLUSTER, node_id=NODE, data_dir=str(tmp_path / "d"))
    with pytest.raises(MissingToolError, match="flock is not installed") as caught:
        await guard.enrol()
    assert caught.value.hint == "install util-linux"


async def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    transport = LocalTransport(name="h")
    guard = Guard(
        transport=transport, cluster=CLUSTER, node_id=NODE, data_dir=str(tmp_path / "file" / "d")
    )
    with pytest.raises(DiskFullError, match="could not write"):
        await guard.enrol()


@pytest.fixture
async def small_disk(host: HostUnderTest) -> AsyncIterator[HostUnderTest]:
    """The host's data on a file system of 512 kB, enrolled and fenced."""
    folder = host.data.parent / "small"
    folder.mkdir()
    mounted = os.getuid() == 0 and subprocess.run(  # noqa: ASYNC221
        ["mount", "-t", "tmpfs", "-o", "size=512k", "orch-test", str(folder)],
        check=False,
        capture_output=True,
    )
    if not mounted or mounted.returncode != 0:
        pytest.skip("needs root, to mount a small file system")
    small = HostUnderTest(folder / "data", host.transport)
    try:
        await small.guard.enrol()
        await small.guard.raise_fences([small.fence])
        yield small
    finally:
        await leave_nothing(small)
        subprocess.run(["umount", str(folder)], check=True)  # noqa: ASYNC221


def fill(path: Path) -> None:
    """Take all room but 8 kB."""
    with path.open("wb", buffering=0) as f, suppress(OSError):
        while f.write(b"x" * 4096):
            pass
    os.truncate(path, path.stat().st_size - 8192)


async def test_full_disk_leaves_nothing_half_done(small_disk: HostUnderTest) -> None:
    filler = small_disk.data / "filler"
    fill(filler)
    with pytest.raises(DiskFullError, match="could not write"):
        await small_disk.start(small_disk.task(IDLE))
    assert not list((small_disk.data / "records").iterdir())
    assert not list((small_disk.data / "alloc").iterdir())
    filler.unlink()
    record = await small_disk.start(small_disk.task("echo up; exec sleep 100"))
    await small_disk.until(record, "running")
    await small_disk.stop(record)


async def test_no_answer_is_an_error(tmp_path: Path) -> None:
    liar = tmp_path / "sh"
    liar.write_text("#!/bin/sh\necho 'orch-error\tnonsense\t\x1b[31m'; echo broken >&2; exit 9\n")
    liar.chmod(0o755)
    transport = LocalTransport(name="h", interpreter=(str(liar),))
    guard = Guard(transport=transport, cluster=CLUSTER, node_id=NODE, data_dir=str(tmp_path))
    with pytest.raises(Exception, match="h: command failed: broken") as caught:
        await guard.enrol()
    assert not isinstance(caught.value, GuardError)


async def test_limits_are_the_requests(host: HostUnderTest) -> None:
    host.limits = NodeResources(cpu=10, memory_mb=10, disk_mb=10)
    with pytest.raises(NoRoomError, match="cpu 0 MHz reserved and 100 asked for of 10"):
        await host.start(host.task(IDLE))
    assert StopRequest(fence=host.fence, record=host.record()).patience > 0


async def test_a_host_that_has_started_anew_since_it_was_looked_at_is_refused(
    host: HostUnderTest,
) -> None:
    then = replace(host.guard, boot="00000000-0000-0000-0000-000000000000")
    record = await host.start(host.task(IDLE))
    stop = StopRequest(fence=host.fence, record=record)
    with pytest.raises(RestartedError, match="has started anew since it was looked at") as error:
        await then.stop(stop)
    assert error.value.replan
    await then.raise_fences([host.fence])
    await replace(host.guard, boot=BOOT).stop(stop)
