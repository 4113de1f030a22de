"""The embedded host: private files, one at a time, and tasks that outlive it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from executors.dev import DevHost
from executors.ssh import SshConnector
from executors.ssh_settings import SshSettings
from executors.transport import Bounds, HostError
from inventory.load import load
from inventory.model import Host
from planner.errors import OrchError


def described(dev: DevHost) -> Host:
    return load(dev.inventory.read_text(), path=str(dev.inventory)).hosts["dev"]


def connector_of(dev: DevHost) -> SshConnector:
    settings = SshSettings(known_hosts=(), agent="")
    return SshConnector({"dev": described(dev).ssh}, settings)


async def said(dev: DevHost, script: str, deadline: float = 30) -> str:
    connector = connector_of(dev)
    try:
        transport = await connector.connect("dev")
        done = await transport.run(("sh", "-c", script), bounds=Bounds(deadline=deadline))
        return done.stdout.decode()
    finally:
        await connector.close()


async def test_its_inventory_says_all_that_is_needed(tmp_path: Path) -> None:
    async with DevHost(tmp_path / "a b") as dev:
        host = described(dev)
        assert host.ssh.address == host.address == "127.0.0.1"
        assert host.ssh.port == dev.port
        assert host.data_dir == str(tmp_path / "a b" / "data")
        assert dev.data_dir.is_dir()
        assert await said(dev, "echo hello") == "hello\n"


async def test_its_key_is_private_and_stays(tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    async with DevHost(tmp_path) as first:
        assert described(first).ssh.key_path == str(key)
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        text, host_keys = key.read_text(), described(first).ssh.host_keys
    assert first.port == 0
    async with DevHost(tmp_path) as second:
        assert key.read_text() == text
        assert described(second).ssh.host_keys != host_keys


async def test_a_second_one_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    async with DevHost(tmp_path) as dev:
        with pytest.raises(OrchError, match=f"runs in .* already .process {os.getpid()}"):
            await DevHost(tmp_path).__aenter__()
        assert await said(dev, "echo still here") == "still here\n"


async def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        with pytest.raises(OrchError, match=f"can't listen on 127.0.0.1 port {port}"):
            await DevHost(tmp_path, port=port).__aenter__()
    async with DevHost(tmp_path, port=port) as dev:
        assert dev.port == port


async def test_commands_know_their_user_and_nothing_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCH_SECRET", "hidden")
    async with DevHost(tmp_path) as dev:
        words = (await said(dev, "echo $HOME; pwd; env")).splitlines()
    assert words[0] == words[1] == str(Path.home())
    assert not [w for w in words if "hidden" in w]


async def test_what_was_detached_outlives_it_and_is_there_for_the_next_one(tmp_path: Path) -> None:
    launch = "setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $!"
    async with DevHost(tmp_path) as dev:
        detached = 'until [ "$(cut -d" " -f6 /proc/$!/stat)" = $! ]; do sleep 0.05; done'
        pid = int(await said(dev, f"{launch}; {detached}"))
    try:
        async with DevHost(tmp_path) as dev:
            assert await said(dev, f"kill -0 {pid} && echo alive") == "alive\n"
            await said(dev, f"kill {pid}")
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def test_its_end_ends_commands_that_run(tmp_path: Path) -> None:
    async with DevHost(tmp_path) as dev:
        connector = connector_of(dev)
        transport = await connector.connect("dev")
        mark = tmp_path / "started"
        script = f"echo $$ >{mark}; exec sleep 300"
        running = asyncio.create_task(transport.run(("sh", "-c", script)))
        await until(mark.exists)
    with pytest.raises(HostError, match="connection lost"):
        await running
    await connector.close()


async def test_a_child_that_keeps_stdout_open_holds_the_command_and_ends_with_it(
    tmp_path: Path,
) -> None:
    mark = tmp_path / "pids"
    async with DevHost(tmp_path) as dev:
        script = f'sleep 300 & echo "$$ $!" >{mark}.new; mv {mark}.new {mark}'
        running = asyncio.create_task(said(dev, script, deadline=120))
        await until(mark.exists)
        shell, child = map(int, mark.read_text().split())
        await until(lambda: not is_alive(shell))
        assert await said(dev, "echo meanwhile") == "meanwhile\n"
        assert not running.done()
        assert is_alive(child)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        # it is sent SIGKILL, and goes when the kernel comes to it
        await until(lambda: not is_alive(child))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def test_hundreds_of_commands_come_and_go(tmp_path: Path) -> None:
    async with DevHost(tmp_path) as dev:
        connector = connector_of(dev)
        transport = await connector.connect("dev")
        done = await asyncio.gather(*(transport.run(("echo", str(n))) for n in range(200)))
        await connector.close()
    assert [int(d.stdout) for d in done] == list(range(200))
