"""Talking with a command: what every Transport promises, and terminals where there are any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import asyncssh
import pytest
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED, OPEN_CONNECT_FAILED

from executors.dev import DevHost
from executors.interaction import ScriptedConsole, TerminalSize
from executors.local import LocalTransport
from executors.ssh_channel import patiently
from executors.transport import HostError, Transport
from tests.executors.test_transport_contract import BIG, COMMANDS, Way, connector_of, sh, way
from tests.lab.fleet import Lab

__all__ = ["way"]


@pytest.fixture(params=["dev", pytest.param("lab", marks=pytest.mark.lab)])
async def ssh(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Transport]:
    if request.param == "dev":
        async with DevHost(tmp_path) as dev:
            connector = connector_of(dev.inventory.read_text())
            yield await connector.connect("dev")
            await connector.close()
        return
    lab = cast("Lab", request.getfixturevalue("lab"))
    connector = connector_of(lab.inventory_text())
    yield await connector.connect("h1")
    await connector.close()


async def test_streams_are_not_mixed(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    console = ScriptedConsole()
    assert await transport.interact(COMMANDS["streams"], console) == 3
    assert (bytes(console.out), bytes(console.err)) == (b"out\n", b"err\n")


async def test_input_goes_through_to_its_end(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    console = ScriptedConsole(said=[BIG, b"\x00end"])
    assert await transport.interact(("cat",), console) == 0
    assert bytes(console.out) == BIG + b"\x00end"


async def test_a_signal_is_128_and_its_number(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    assert await transport.interact(COMMANDS["suicide"], ScriptedConsole()) == 143


async def test_many_at_once_find_room_after_each_other(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    ends = [transport.interact(("true",), ScriptedConsole()) for _ in range(30)]
    assert await asyncio.gather(*ends) == [0] * 30


class Crowded:
    """An sshd in which sessions just closed still count: it refuses a few before it has room."""

    def __init__(self, refusals: int, code: int = OPEN_CONNECT_FAILED) -> None:
        self.refusals = refusals
        self.code = code

    async def opened(self) -> str:
        if self.refusals:
            self.refusals -= 1
            raise asyncssh.ChannelOpenError(self.code, "open failed")
        return "open"


async def test_a_session_is_asked_for_again_where_there_is_no_room_yet() -> None:
    assert await patiently(Crowded(3).opened) == "open"
    prohibited = Crowded(1, OPEN_ADMINISTRATIVELY_PROHIBITED)
    with pytest.raises(asyncssh.ChannelOpenError):
        await patiently(prohibited.opened)


async def test_a_conversation(ssh: Transport) -> None:
    console = ScriptedConsole(said=[b"one\n"], holds=True)
    command = sh('read a; echo "got $a"; exit 4')
    assert await ssh.interact(command, console) == 4
    assert bytes(console.out) == b"got one\n"


async def test_one_who_leaves_ends_the_command_s_input(ssh: Transport) -> None:
    console = ScriptedConsole(holds=True)
    talking = asyncio.create_task(ssh.interact(sh("echo $$; exec cat"), console))
    await console.until(b"\n")
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)
    pid = int(console.out)
    lives = sh(f"kill -0 {pid} && ! grep -q 'State:.*Z' /proc/{pid}/status")
    async with asyncio.timeout(60):
        while (await ssh.run(lives)).exit_status == 0:  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.02)


async def test_a_terminal_has_a_size_and_one_stream(ssh: Transport) -> None:
    console = ScriptedConsole(terminal="vt100", holds=True)
    command = sh('[ -t 0 ] && [ -t 1 ] && echo "$TERM"; stty size; echo err >&2; exit 5')
    assert await ssh.interact(command, console) == 5
    # What sshd itself has to say to a terminal comes first.
    assert bytes(console.out).endswith(b"vt100\r\n24 80\r\nerr\r\n")
    assert bytes(console.err) == b""


async def test_a_terminal_is_typed_into_and_changes_its_size(ssh: Transport) -> None:
    console = ScriptedConsole(terminal="vt100", holds=True)
    command = sh('trap "stty size; exit 6" WINCH; echo ready; while :; do sleep 0.1; done')
    talking = asyncio.create_task(ssh.interact(command, console))
    await console.until(b"ready")
    await console.sizes.put(TerminalSize(100, 40))
    assert await asyncio.wait_for(talking, 60) == 6
    assert bytes(console.out).endswith(b"40 100\r\n")


@pytest.mark.parametrize(("keys", "status"), [(b"\x03", 130), (b"hello\n\x04", 0)])
async def test_keys_have_their_meaning_on_a_terminal(
    ssh: Transport, keys: bytes, status: int
) -> None:
    console = ScriptedConsole(said=[keys], terminal="vt100", cue=b"ready", holds=True)
    command = sh("echo ready; exec cat")
    assert await asyncio.wait_for(ssh.interact(command, console), 60) == status
    assert (b"hello\r\n" in console.out) == (b"hello" in keys)


async def test_a_command_may_leave_its_terminal_before_it_ends(ssh: Transport) -> None:
    console = ScriptedConsole(terminal="vt100", holds=True)
    command = sh("echo first; exec <&- >&- 2>&-; sleep 0.5; exit 7")
    assert await ssh.interact(command, console) == 7
    assert bytes(console.out).endswith(b"first\r\n")


async def test_on_the_embedded_host_it_may_come_back_to_it(tmp_path: Path) -> None:
    async with DevHost(tmp_path) as dev:
        connector = connector_of(dev.inventory.read_text())
        transport = await connector.connect("dev")
        console = ScriptedConsole(terminal="vt100", holds=True)
        command = sh("exec <&- >&- 2>&-; sleep 0.5; echo again >/dev/tty; exit 7")
        assert await transport.interact(command, console) == 7
        assert bytes(console.out) == b"again\r\n"
        await connector.close()


async def test_here_is_no_terminal() -> None:
    with pytest.raises(HostError, match="no terminal"):
        await LocalTransport().interact(("true",), ScriptedConsole(terminal="vt100"))
    console = ScriptedConsole(said=[b"x"])
    assert await LocalTransport().interact(("cat",), console) == 0
    assert bytes(console.out) == b"x"
