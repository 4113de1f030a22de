"""One SSH connection to one host, as a `Transport`: runs commands in it."""

from __future__ import annotations

import asyncio
import math
import shlex
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED

from executors.interaction import Console
from executors.printable import printable
from executors.ssh_channel import ClientChannel, ExecSession, SshStream, kill, patiently
from executors.transport import Bounds, Completed, HostError, HostFault
from inventory.model import SshTarget

# Below sshd's MaxSessions of 10: others may be logged in through the same connection's limits.
_CHANNELS = 8
# The host ends a command by itself, a little after the client has given up on it.
_HOST_GRACE = 5
_BOUNDED = (
    'if command -v timeout >/dev/null 2>&1; then exec timeout -s KILL "$0" "$@"; else exec "$@"; fi'
)
_TCP_HINT = "Checks go through sshd: set AllowTcpForwarding yes (or local) in sshd_config."
_UNIX_HINT = "Set AllowStreamLocalForwarding yes (or local) in sshd_config."


def command_line(target: SshTarget, argv: Sequence[str], deadline: float | None = None) -> str:
    """Return the one string that sshd hands to the login shell: quoted here and nowhere else.

    The shell is replaced, so that a signal for the command reaches the command.
    """
    words = list(argv)
    if deadline is not None:
        words = ["sh", "-c", _BOUNDED, str(math.ceil(deadline) + _HOST_GRACE), *words]
    if target.become:
        words = ["sudo", "-n", "-u", target.become_user, "--", *words]
    return f"exec {_joined(tuple(words))}"


@lru_cache(maxsize=64)
def _joined(words: tuple[str, ...]) -> str:
    """Quote once what goes to many hosts."""
    return shlex.join(words)


class SshTransport:
    """An open connection; see `Transport`."""

    def __init__(self, target: SshTarget, conn: asyncssh.SSHClientConnection) -> None:
        self._target = target
        self.connection = conn
        # the library's generics come out unknown to type checkers
        self._channels: Any = conn
        self._slots = asyncio.Semaphore(_CHANNELS)

    @property
    def host(self) -> str:
        """The inventory name of the host."""
        return self._target.host

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands, as far as is known."""
        return not self.connection.is_closed()

    async def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", bounds: Bounds | None = None
    ) -> Completed:
        """Run a command and return its end; `HostError` where that was not seen in time."""
        bounds = bounds or Bounds()
        command = command_line(self._target, argv, bounds.deadline)
        try:
            async with asyncio.timeout(bounds.deadline), self._slots:
                completed = await self._exec(command, stdin, bounds.output)
        except TimeoutError as e:
            detail = f"{_name(argv)} did not end within {bounds.deadline:g} s"
            raise HostError(self.host, HostFault.TIMEOUT, detail) from e
        except (asyncssh.Error, OSError) as e:
            raise self._failed(e) from e
        if completed is None:
            raise self._lost(f"while {_name(argv)} ran")
        return completed

    async def _exec(self, command: str, stdin: bytes, limit: int) -> Completed | None:
        session = ExecSession(limit)
        chan = await self._open(session, command)
        try:
            if stdin:
                chan.write(stdin)
            chan.write_eof()
            await session.ended.wait()
            return session.completed()
        finally:
            if not session.closed:
                kill(chan)

    async def _open(self, session: ExecSession, command: str) -> ClientChannel:
        chan, _ = await patiently(
            lambda: self._channels.create_session(lambda: session, command, encoding=None)
        )
        return cast("ClientChannel", chan)

    async def interact(self, argv: Sequence[str], console: Console) -> int:
        """Run a command with a console at its near end; return its exit status."""
        from executors.ssh_interact import talk

        command = command_line(self._target, argv)
        async with self._slots:
            try:
                status = await talk(self._channels, command, console)
            except (asyncssh.Error, OSError) as e:
                raise self._failed(e) from e
        if status is None:
            raise self._lost(f"while {_name(argv)} ran")
        return status

    async def dial(self, address: str, port: int, *, deadline: float) -> SshStream:
        """Open a TCP connection from the host; `ConnectionError` or `TimeoutError` if it fails."""
        try:
            async with asyncio.timeout(deadline):
                reader, writer = await self._channels.open_connection(address, port, encoding=None)
        except asyncssh.ChannelOpenError as e:
            raise self._not_dialled(e, f"{address} port {port}", _TCP_HINT) from e
        except (asyncssh.Error, ConnectionError) as e:
            raise self._failed(e) from e
        return SshStream(reader, writer)

    async def dial_unix(self, path: str, *, deadline: float) -> SshStream:
        """Connect to a unix socket of the host, as the user that logged in."""
        try:
            async with asyncio.timeout(deadline):
                reader, writer = await self._channels.open_unix_connection(path, encoding=None)
        except asyncssh.ChannelOpenError as e:
            raise self._not_dialled(e, path, _UNIX_HINT) from e
        except (asyncssh.Error, ConnectionError) as e:
            raise self._failed(e) from e
        return SshStream(reader, writer)

    async def pipe(self, argv: Sequence[str], *, deadline: float) -> SshStream:
        """Start a command and return its stdin and stdout; it holds one of the few channels."""
        command = command_line(self._target, argv)
        async with asyncio.timeout(deadline):
            await self._slots.acquire()
        try:
            async with asyncio.timeout(deadline):
                writer, reader, _ = await patiently(
                    lambda: self._channels.open_session(command, encoding=None)
                )
        except (asyncssh.Error, OSError) as e:
            self._slots.release()
            raise self._failed(e) from e
        except BaseException:
            self._slots.release()
            raise
        return SshStream(reader, writer, self._slots.release)

    def _not_dialled(self, error: asyncssh.ChannelOpenError, where: str, hint: str) -> Exception:
        if not self.is_open:
            return self._lost(f"while connecting to {where}")
        if error.code == OPEN_ADMINISTRATIVELY_PROHIBITED:
            detail = f"sshd refuses to connect to {where} for us"
            return HostError(self.host, HostFault.FORWARDING, detail, hint)
        return ConnectionRefusedError(f"{where}: {printable(error.reason)}")

    def _failed(self, error: Exception) -> HostError:
        if not self.is_open or isinstance(error, OSError):
            return self._lost("")
        return HostError(self.host, HostFault.LOST, printable(str(error)))

    def _lost(self, when: str) -> HostError:
        hint = "What the command did is not known; the next run looks again."
        return HostError(self.host, HostFault.LOST, when, hint)

    async def close(self) -> None:
        """Keep the connection: it is shared within a run, and ends with its connector."""


def _name(argv: Sequence[str]) -> str:
    return printable(argv[0], 40) if argv else "the shell"
