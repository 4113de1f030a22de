"""What every Transport promises, asked of the scripted, the embedded and the real hosts alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest

from executors.dev import DevHost
from executors.fake import Answer, FakeConnector, FakeHost, Reply
from executors.ssh import SshConnector
from executors.ssh_settings import SshSettings
from executors.transport import Bounds, Completed, Connector, HostError, HostFault
from inventory.load import load
from tests.lab.fleet import Lab

BIG = bytes(range(256)) * 8192
NASTY = ("a b", "$(touch x)", "q'q", '"', "-n", "", "*", "\\", "a\nb", "é")


def sh(text: str) -> tuple[str, ...]:
    return ("sh", "-c", text)


COMMANDS = {
    "streams": sh("echo out; echo err >&2; exit 3"),
    "quoting": ("printf", "%s|", *NASTY),
    "endless": ("cat", "/dev/zero"),
    "endless errors": sh("cat /dev/zero >&2"),
    "slow": ("sleep", "300"),
    "suicide": sh("kill -TERM $$"),
    "missing": ("no-such-program-anywhere",),
    "lines": sh("echo 1; echo 2; echo 3"),
}


def reply(status: int, out: bytes = b"", err: bytes = b"") -> Reply:
    return Reply(completed=Completed(exit_status=status, stdout=out, stderr=err))


SCRIPT: Mapping[tuple[str, ...], Answer] = {
    COMMANDS["streams"]: reply(3, b"out\n", b"err\n"),
    COMMANDS["quoting"]: reply(0, b"".join(w.encode() + b"|" for w in NASTY)),
    COMMANDS["endless"]: reply(0, bytes(100_000)),
    COMMANDS["endless errors"]: reply(0, b"", bytes(100_000)),
    COMMANDS["slow"]: Reply(delay=300),
    COMMANDS["suicide"]: reply(143),
    COMMANDS["lines"]: reply(0, b"1\n2\n3\n"),
    ("cat",): lambda argv, stdin: reply(0, stdin),
    ("true",): reply(0),
}


@dataclass(frozen=True)
class Way:
    """A connector, a host of it, and a port there on which an SSH server greets."""

    connector: Connector
    host: str
    greeter: int


@pytest.fixture(params=["fake", "dev", pytest.param("lab", marks=pytest.mark.lab)])
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    kind = cast("str", request.param)
    if kind == "fake":
        listening = {("127.0.0.1", 22): b"SSH-2.0-fake\r\n"}
        sockets = {"/run/greeter": b"hello\n"}
        host = FakeHost(answers=SCRIPT, listening=listening, sockets=sockets)
        yield Way(FakeConnector({"h1": host}), "h1", 22)
    elif kind == "dev":
        async with DevHost(tmp_path) as dev:
            connector = connector_of(dev.inventory.read_text())
            yield Way(connector, "dev", dev.port)
            await connector.close()
    else:
        lab = cast("Lab", request.getfixturevalue("lab"))
        connector = connector_of(lab.inventory_text())
        yield Way(connector, "h1", 22)
        await connector.close()


def connector_of(inventory: str) -> SshConnector:
    targets = load(inventory, path="inventory.yml").targets
    return SshConnector(targets, SshSettings(known_hosts=(), agent=""))


async def test_a_command_ends_with_both_streams_and_its_status(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    done = await transport.run(COMMANDS["streams"])
    assert done == Completed(exit_status=3, stdout=b"out\n", stderr=b"err\n")


async def test_arguments_arrive_as_they_are(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    done = await transport.run(COMMANDS["quoting"])
    assert done.stdout.decode().split("|")[:-1] == list(NASTY)


@pytest.mark.parametrize("stdin", [b"", b"x", BIG], ids=["none", "one byte", "2 MiB"])
async def test_stdin_arrives_whole(way: Way, stdin: bytes) -> None:
    transport = await way.connector.connect(way.host)
    done = await transport.run(("cat",), stdin=stdin)
    assert done.stdout == stdin


@pytest.mark.parametrize("command", ["endless", "endless errors"])
async def test_output_beyond_the_limit_ends_the_command(way: Way, command: str) -> None:
    transport = await way.connector.connect(way.host)
    done = await transport.run(COMMANDS[command], bounds=Bounds(output=5000))
    assert done.truncated
    assert len(done.stdout) + len(done.stderr) == 5000


async def test_a_command_has_a_deadline(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    with pytest.raises(HostError) as caught:
        await transport.run(COMMANDS["slow"], bounds=Bounds(deadline=0.2))
    assert caught.value.fault is HostFault.TIMEOUT
    assert str(caught.value).startswith(f"{way.host}: timed out: sleep did not end within 0.2 s")
    assert (await transport.run(("true",))).exit_status == 0


@pytest.mark.parametrize(("command", "status"), [("suicide", 143), ("missing", 127)])
async def test_the_status_is_the_one_that_shells_give(way: Way, command: str, status: int) -> None:
    transport = await way.connector.connect(way.host)
    assert (await transport.run(COMMANDS[command])).exit_status == status


async def test_many_commands_go_at_once(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    asked = [str(n).encode() for n in range(30)]
    done = await asyncio.gather(*(transport.run(("cat",), stdin=a) for a in asked))
    assert [d.stdout for d in done] == asked


async def test_one_connection_is_shared(way: Way) -> None:
    first, second = await asyncio.gather(*(way.connector.connect(way.host) for _ in range(2)))
    assert first is second
    assert first.host == way.host


async def test_dialling_reaches_what_listens_on_the_host(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    stream = await transport.dial("127.0.0.1", way.greeter, deadline=10)
    assert (await stream.read(100)).startswith(b"SSH-2.0-")
    await stream.write(b"bye\r\n")
    await stream.close()


async def test_dialling_a_closed_port_is_refused(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    with pytest.raises(ConnectionRefusedError, match=r"127\.0\.0\.1 port 1\b"):
        await transport.dial("127.0.0.1", 1, deadline=10)


@pytest.fixture
async def socket_path(way: Way) -> AsyncIterator[str]:
    """A unix socket on the host that greets."""
    if isinstance(way.connector, FakeConnector):
        yield "/run/greeter"
        return
    if way.host == "h1":
        pytest.skip("the tests with dockerd have one there")

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        await writer.drain()
        writer.close()

    with TemporaryDirectory() as folder:
        async with await asyncio.start_unix_server(greet, f"{folder}/greeter"):
            yield f"{folder}/greeter"


async def test_dialling_a_unix_socket_reaches_what_listens_there(
    way: Way, socket_path: str
) -> None:
    transport = await way.connector.connect(way.host)
    stream = await transport.dial_unix(socket_path, deadline=10)
    assert await stream.read(100) == b"hello\n"
    await stream.close()


async def test_dialling_a_missing_unix_socket_is_refused(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    with pytest.raises(ConnectionRefusedError, match="/no/such/socket"):
        await transport.dial_unix("/no/such/socket", deadline=10)


async def test_a_pipe_is_a_commands_two_ends(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    stream = await transport.pipe(COMMANDS["lines"], deadline=10)
    said = b""
    while chunk := await stream.read(100):
        said += chunk
    await stream.close()
    assert said == b"1\n2\n3\n"


async def test_a_pipe_can_be_left_in_the_middle(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    stream = await transport.pipe(COMMANDS["endless"], deadline=10)
    assert await stream.read(100)
    await stream.close()
    assert (await transport.run(("true",))).exit_status == 0


async def test_a_pipe_that_nobody_reads_can_be_left(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    stream = await transport.pipe(COMMANDS["endless"], deadline=10)
    # More waits by now than is read ahead.
    await asyncio.sleep(1)
    await asyncio.wait_for(stream.close(), 60)


async def test_pipes_that_are_closed_leave_room_for_others(way: Way) -> None:
    transport = await way.connector.connect(way.host)
    for _ in range(20):
        await (await transport.pipe(("cat",), deadline=10)).close()
    assert (await transport.run(("true",))).exit_status == 0


async def test_a_host_outside_the_inventory_is_refused(way: Way) -> None:
    with pytest.raises(HostError, match="nobody: unreachable: it is not in the inventory"):
        await way.connector.connect("nobody")


async def test_closing_the_connector_twice_is_fine(way: Way) -> None:
    await way.connector.connect(way.host)
    await way.connector.close()
    await way.connector.close()
