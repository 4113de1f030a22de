"""Connecting over SSH: every fault has its own word, its place and its remedy."""

from __future__ import annotations

import asyncio
import gc
import getpass
import os
import socket
import subprocess
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copy, which

import pytest

from executors.dev import DevHost
from executors.known_hosts import fingerprint
from executors.ssh import SshConnector
from executors.ssh_connection import SshTransport, command_line
from executors.ssh_settings import SshSettings
from executors.transport import Bounds, HostError, HostFault
from inventory.load import load
from inventory.model import SshTarget
from tests.lab.fleet import Lab

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmpzXcwpZLQ1c+2Rw3XH8cR5tm1kz+3kyjSgkHeRk0N"
RSA_KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ=="
NOTHING = SshSettings(known_hosts=(), agent="", connect_timeout=60)


@dataclass(frozen=True)
class Dev:
    """A running embedded host, and how its inventory says it is reached."""

    host: DevHost
    target: SshTarget


@pytest.fixture
async def dev(tmp_path: Path) -> AsyncIterator[Dev]:
    async with DevHost(tmp_path / "dev") as host:
        yield Dev(host, load(host.inventory.read_text(), path="i.yml").targets["dev"])


@asynccontextmanager
async def connecting(
    target: SshTarget, settings: SshSettings = NOTHING
) -> AsyncGenerator[SshConnector]:
    connector = SshConnector({target.host: target}, settings)
    try:
        yield connector
    finally:
        await connector.close()


async def refusal(target: SshTarget, settings: SshSettings = NOTHING) -> HostError:
    async with connecting(target, settings) as connector:
        with pytest.raises(HostError) as caught:
            await connector.connect(target.host)
    assert str(caught.value).startswith(f"{target.host}: {caught.value.fault}: ")
    return caught.value


async def is_let_in(target: SshTarget, settings: SshSettings = NOTHING) -> bool:
    async with connecting(target, settings) as connector:
        transport = await connector.connect(target.host)
        return (await transport.run(("true",))).exit_status == 0


# -- host keys ------------------------------------------------------------------------------------


async def test_an_unknown_host_key_is_named_with_the_ways_to_trust_it(
    dev: Dev, tmp_path: Path
) -> None:
    stranger = replace(dev.target, host_keys=())
    error = await refusal(stranger)
    assert error.fault is HostFault.HOST_KEY_UNKNOWN
    assert fingerprint(dev.target.host_keys[0]) in error.detail
    lines = [line.strip() for line in error.hint.splitlines()]
    assert f"orch_host_key: {dev.target.host_keys[0]}" in lines
    known = tmp_path / "known_hosts"
    known.write_text(f"{lines[-1]}\n")
    assert await is_let_in(stranger, replace(NOTHING, known_hosts=(str(known),)))


async def test_a_changed_host_key_is_named_beside_the_known_one(dev: Dev, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"# mine\n[127.0.0.1]:{dev.host.port} {OTHER_KEY} me\n")
    settings = replace(NOTHING, known_hosts=(str(known),))
    for error, source in (
        (await refusal(replace(dev.target, host_keys=()), settings), f"{known}:2"),
        (await refusal(replace(dev.target, host_keys=(OTHER_KEY,))), "orch_host_key of dev"),
    ):
        assert error.fault is HostFault.HOST_KEY_CHANGED
        assert fingerprint(OTHER_KEY) in error.detail
        assert fingerprint(dev.target.host_keys[0]) in error.detail
        assert source in error.detail
        assert "ssh-keygen -R" not in error.hint


async def test_a_key_of_another_kind_than_the_known_one_is_a_changed_one(dev: Dev) -> None:
    error = await refusal(replace(dev.target, host_keys=(RSA_KEY,)))
    assert error.fault is HostFault.HOST_KEY_CHANGED


async def test_a_revoked_host_key_is_refused(dev: Dev, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"@revoked * {dev.target.host_keys[0]}\n")
    settings = replace(NOTHING, known_hosts=(str(known),))
    error = await refusal(replace(dev.target, host_keys=()), settings)
    assert error.fault is HostFault.HOST_KEY_CHANGED
    assert "revoked" in error.detail


async def test_the_inventory_wins_over_known_hosts(dev: Dev, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{dev.host.port} {OTHER_KEY}\n")
    assert await is_let_in(dev.target, replace(NOTHING, known_hosts=(str(known), "/none")))


# -- keys and users -------------------------------------------------------------------------------


def ssh_keygen(path: Path, passphrase: str = "") -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def exposed(path: Path) -> Path:
    ssh_keygen(path).chmod(0o644)
    return path


def garbage(path: Path) -> Path:
    path.write_text("no key\x1b[31m\n")
    path.chmod(0o600)
    return path


def public(path: Path) -> Path:
    file = ssh_keygen(path).with_suffix(".pub")
    file.chmod(0o600)
    return file


def absent(path: Path) -> Path:
    return path


def encrypted(path: Path) -> Path:
    return ssh_keygen(path, "secret words")


def folder(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


@pytest.mark.parametrize(
    ("make", "detail", "hint"),
    [
        (absent, "No such file", "ansible_ssh_private_key_file"),
        (exposed, "others can read it (mode 0644)", "chmod 600"),
        (garbage, "is not a private key", "-----BEGIN"),
        (public, "is a public key, and no agent runs", "Name the private key"),
        (folder, "Is a directory", "ansible_ssh_private_key_file"),
        (encrypted, "is encrypted, and no agent runs", "ssh-add"),
    ],
    ids=["missing", "exposed", "garbage", "public", "folder", "encrypted"],
)
async def test_a_key_file_of_no_use_is_named(
    dev: Dev, tmp_path: Path, make: Callable[[Path], Path], detail: str, hint: str
) -> None:
    path = make(tmp_path / "key")
    error = await refusal(replace(dev.target, key_path=str(path)))
    assert error.fault is HostFault.KEY_FILE
    assert str(path) in error.detail
    assert detail in error.detail
    assert "\x1b" not in error.detail
    assert hint in error.hint


async def test_a_key_that_the_host_does_not_know_is_named(dev: Dev, tmp_path: Path) -> None:
    path = ssh_keygen(tmp_path / "stranger")
    error = await refusal(replace(dev.target, key_path=str(path)))
    assert error.fault is HostFault.AUTH
    assert error.detail == f"user {getpass.getuser()!r} with key {path}"
    assert "authorized_keys" in error.hint


async def test_a_user_that_the_host_does_not_know_is_named(dev: Dev) -> None:
    error = await refusal(replace(dev.target, user="nobody-here"))
    assert error.fault is HostFault.AUTH
    assert "user 'nobody-here'" in error.detail


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home with an empty ~/.ssh."""
    path = tmp_path / "home"
    (path / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(path))
    return path


async def test_default_keys_are_offered_where_none_is_given(dev: Dev, home: Path) -> None:
    bare = replace(dev.target, key_path="")
    error = await refusal(bare)
    assert error.fault is HostFault.AUTH
    assert "no key: none was found" in error.detail
    default = home / ".ssh" / "id_ed25519"
    copy(dev.target.key_path, default)
    assert await is_let_in(bare)
    garbage(home / ".ssh" / "id_rsa")
    assert await is_let_in(bare)


async def test_default_keys_of_no_use_are_named(dev: Dev, home: Path) -> None:
    encrypted(home / ".ssh" / "id_ed25519")
    exposed(home / ".ssh" / "id_rsa")
    error = await refusal(replace(dev.target, key_path=""))
    assert error.detail.endswith(
        "with no key: ~/.ssh/id_ed25519 is encrypted; ~/.ssh/id_rsa: others can read it (mode 0644)"
    )


@pytest.fixture
def agent(tmp_path: Path) -> Generator[str]:
    """The socket of an ssh-agent without keys."""
    if which("ssh-agent") is None:
        pytest.skip("needs ssh-agent")
    path = tmp_path / "agent"
    command = ["ssh-agent", "-D", "-a", str(path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not listens(path):
            time.sleep(0.01)
        yield str(path)
        process.terminate()


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


def taught(agent: str, key: str) -> SshSettings:
    environment = {"SSH_AUTH_SOCK": agent, "PATH": os.environ["PATH"]}
    subprocess.run(["ssh-add", "-q", key], env=environment, check=True)
    return replace(NOTHING, agent=agent)


async def test_an_agent_is_asked(dev: Dev, home: Path, agent: str) -> None:
    settings = taught(agent, dev.target.key_path)
    assert await is_let_in(replace(dev.target, key_path=""), settings)
    locked = encrypted(home / "locked")
    assert await is_let_in(replace(dev.target, key_path=str(locked)), settings)


# -- the network ----------------------------------------------------------------------------------

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncGenerator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def at(port: int, address: str = "127.0.0.1") -> SshTarget:
    return SshTarget(host="h1", address=address, port=port, host_keys=(OTHER_KEY,))


async def test_a_closed_port_is_refused() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = int(bound.getsockname()[1])
        error = await refusal(at(port))
    assert error.fault is HostFault.REFUSED
    assert f"127.0.0.1 port {port}" in error.detail


async def test_a_host_that_accepts_and_says_nothing_times_out() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(silent) as port:
        error = await refusal(at(port), replace(NOTHING, connect_timeout=3))
    assert error.fault is HostFault.TIMEOUT
    assert "accepts connections, but no login within 3 s" in error.detail


async def test_a_host_that_hangs_up_is_tried_again(dev: Dev) -> None:
    left = 2

    async def moody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        if left:
            left -= 1
            writer.close()
            return
        inner = await asyncio.open_connection("127.0.0.1", dev.host.port)
        await asyncio.gather(splice(reader, inner[1]), splice(inner[0], writer))

    async with listening(moody) as port:
        assert await is_let_in(replace(dev.target, port=port))
    assert left == 0


async def splice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def test_a_host_that_always_hangs_up_is_given_up() -> None:
    async with listening(lambda _r, w: w.close()) as port:
        error = await refusal(at(port), replace(NOTHING, attempts=2))
    assert error.fault is HostFault.LOST
    assert "hung up during 2 logins" in error.detail
    assert "MaxStartups" in error.hint


async def test_what_is_no_ssh_server_is_said_to_be_none() -> None:
    async def web(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-1.5-\x1b[31mold\r\n" + b"x" * 100)
        await writer.drain()
        writer.close()

    async with listening(web) as port:
        error = await refusal(at(port), replace(NOTHING, attempts=1))
    assert error.fault in (HostFault.UNREACHABLE, HostFault.LOST)
    assert "\x1b" not in str(error)


@pytest.mark.parametrize("address", ["no-such-host.invalid", "a..b"])
async def test_a_name_that_is_none_is_named(address: str) -> None:
    error = await refusal(at(22, address))
    assert error.fault is HostFault.UNREACHABLE
    assert address in error.detail


# -- the life of a connection ---------------------------------------------------------------------


async def test_a_connection_lost_in_mid_command_is_told_and_can_be_opened_anew(
    dev: Dev, tmp_path: Path
) -> None:
    mark = tmp_path / "started"
    async with connecting(dev.target) as connector:
        transport = await connector.connect("dev")
        command = ("sh", "-c", f": >{mark}; exec sleep 300")
        running = asyncio.create_task(transport.run(command))
        await until(mark.exists)
        await dev.host.hang_up()
        with pytest.raises(HostError, match="dev: connection lost: while sh ran"):
            await running
        with pytest.raises(HostError, match="connection lost"):
            await transport.run(("true",))
        with pytest.raises(HostError, match="connection lost"):
            await transport.dial("127.0.0.1", dev.host.port, deadline=5)
        again = await connector.connect("dev")
        assert again is not transport
        assert (await again.run(("true",))).exit_status == 0


async def test_nothing_is_kept_of_a_connection_that_was_ended(dev: Dev) -> None:
    async with connecting(dev.target) as connector:
        transport = await connector.connect("dev")
        assert isinstance(transport, SshTransport)
        assert (await transport.run(("true",))).exit_status == 0
        left = weakref.ref(transport.connection)
        del transport
        gc.collect()
        gc.disable()
        try:
            await connector.hang_up("dev")
            assert left() is None
        finally:
            gc.enable()


async def test_a_stream_that_is_lost_in_the_middle_ends(dev: Dev) -> None:
    async with connecting(dev.target) as connector:
        transport = await connector.connect("dev")
        stream = await transport.pipe(("sh", "-c", "echo first; sleep 300"), deadline=10)
        assert await stream.read(100) == b"first\n"
        await dev.host.hang_up()
        with suppress(ConnectionError):  # or it just ends
            assert await stream.read(100) == b""
        await stream.close()


async def test_a_cancelled_command_ends_on_the_host(dev: Dev, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    async with connecting(dev.target) as connector:
        transport = await connector.connect("dev")
        command = ("sh", "-c", f"echo $$ >{mark}.new; mv {mark}.new {mark}; exec sleep 300")
        running = asyncio.create_task(transport.run(command))
        await until(mark.exists)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        pid = int(mark.read_text())
        await until(lambda: not is_alive(pid))


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what happens in another process sets no event
            await asyncio.sleep(0.01)


async def test_closing_gives_up_connections_being_opened() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(silent) as port:
        connector = SshConnector({"h1": at(port)}, NOTHING)
        opening = asyncio.create_task(connector.connect("h1"))
        await asyncio.sleep(0.1)
        await connector.close()
        with pytest.raises(asyncio.CancelledError):
            await opening


async def test_one_waiter_that_leaves_does_not_take_the_connection_away(dev: Dev) -> None:
    async with connecting(dev.target) as connector:
        leaver = asyncio.create_task(connector.connect("dev"))
        stayer = asyncio.create_task(connector.connect("dev"))
        await asyncio.sleep(0)
        leaver.cancel()
        transport = await stayer
        assert (await transport.run(("true",))).exit_status == 0
        with pytest.raises(asyncio.CancelledError):
            await leaver


async def test_a_fast_command_does_not_drown_a_slow_reader(dev: Dev) -> None:
    size, seen = 6_000_000, 0
    async with connecting(dev.target) as connector:
        transport = await connector.connect("dev")
        stream = await transport.pipe(("head", "-c", str(size), "/dev/zero"), deadline=10)
        while chunk := await stream.read(65536):
            await asyncio.sleep(0 if seen else 0.3)
            seen += len(chunk)
    assert seen == size


async def test_hosts_are_reached_through_a_jump_host(dev: Dev, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{dev.host.port} {dev.target.host_keys[0]}\n")
    settings = replace(
        NOTHING,
        jump=f"{getpass.getuser()}@127.0.0.1:{dev.host.port}",
        known_hosts=(str(known),),
        key_path=dev.target.key_path,
    )
    assert await is_let_in(dev.target, settings)


@pytest.mark.parametrize(
    ("become", "line"),
    [
        (False, "exec printf %s 'a b'"),
        (True, "exec sudo -n -u app -- printf %s 'a b'"),
    ],
)
def test_commands_are_quoted_once(become: bool, line: str) -> None:
    target = SshTarget(host="h1", address="h1", become=become, become_user="app")
    assert command_line(target, ("printf", "%s", "a b")) == line


def test_the_host_ends_a_command_a_little_after_the_client_gave_up() -> None:
    line = command_line(SshTarget(host="h1", address="h1"), ("true",), 2.5)
    assert line.endswith(" 8 true")
    assert "timeout -s KILL" in line


# -- real hosts -----------------------------------------------------------------------------------


@pytest.mark.lab
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("stop_sshd", HostFault.REFUSED),
        ("partition", HostFault.TIMEOUT),
        ("freeze", HostFault.TIMEOUT),
        ("crash", HostFault.TIMEOUT),
    ],
)
async def test_faults_of_real_hosts(fresh_lab: Lab, fault: str, expected: HostFault) -> None:
    targets = load(fresh_lab.inventory_text(), path="i.yml").targets
    host = fresh_lab.host("h1")
    getattr(host, fault)()
    patience = 2 if expected is HostFault.TIMEOUT else 60
    try:
        error = await refusal(targets["h1"], replace(NOTHING, connect_timeout=patience))
        assert await is_let_in(targets["h2"])
    finally:
        host.heal()
    # a host that vanished from its network may also be reported by the neighbours
    assert error.fault in (expected, HostFault.UNREACHABLE)
    assert await is_let_in(targets["h1"])


@pytest.mark.lab
async def test_a_stall_in_mid_command_is_noticed(fresh_lab: Lab) -> None:
    target = load(fresh_lab.inventory_text(), path="i.yml").targets["h1"]
    host = fresh_lab.host("h1")
    async with connecting(target, replace(NOTHING, keepalive=2)) as connector:
        transport = await connector.connect("h1")
        command = ("sh", "-c", ": >/tmp/started; exec sleep 120")
        running = asyncio.create_task(transport.run(command, bounds=Bounds(deadline=120)))
        await until((host.root / "tmp/started").exists)
        host.partition()
        with pytest.raises(HostError, match="h1: connection lost: while sh ran"):
            await running


@pytest.mark.lab
async def test_forwarding_that_sshd_forbids_is_said(fresh_lab: Lab) -> None:
    host = fresh_lab.host("h1")
    host.configure_sshd("AllowTcpForwarding no")
    target = load(fresh_lab.inventory_text(), path="i.yml").targets["h1"]
    async with connecting(target) as connector:
        transport = await connector.connect("h1")
        with pytest.raises(HostError, match="forwarding forbidden") as caught:
            await transport.dial("127.0.0.1", 22, deadline=5)
    assert "AllowTcpForwarding" in caught.value.hint


@pytest.mark.lab
async def test_too_many_sessions_wait_for_each_other(lab: Lab) -> None:
    target = load(lab.inventory_text(), path="i.yml").targets["h1"]
    async with connecting(target) as connector:
        transport = await connector.connect("h1")
        done = await asyncio.gather(*(transport.run(("true",)) for _ in range(40)))
    assert {d.exit_status for d in done} == {0}
