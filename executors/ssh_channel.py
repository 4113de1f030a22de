"""SSH channels of commands and streams: bounded in memory, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import asyncssh
from asyncssh.constants import OPEN_CONNECT_FAILED

from executors.transport import Completed

T = TypeVar("T")

_KILLED = 128 + signal.SIGKILL
# Seconds between attempts to open a session, about 15 in all.
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, *(1.0,) * 14)


class ClientChannel(Protocol):
    """What is used of the library's channels, whose own types come out unknown."""

    def write(self, data: bytes) -> None:
        """Send bytes to the command's stdin."""
        ...

    def write_eof(self) -> None:
        """End the command's stdin."""
        ...

    def kill(self) -> None:
        """Send SIGKILL to the command."""
        ...

    def abort(self) -> None:
        """Close the channel at once."""
        ...


class ExecSession(asyncssh.SSHClientSession[bytes]):
    """Collects what one command prints, up to a limit, and how it ends."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._out: dict[bool, list[bytes]] = {False: [], True: []}
        self._status: int | None = None
        self._truncated = False
        self.ended = asyncio.Event()
        self.closed = False

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Keep what fits; beyond the limit the command is over."""
        self._out[datatype is not None].append(data[: self._left])
        self._left -= len(data)
        if self._left < 0:
            self._left = 0
            self._truncated = True
            self.ended.set()

    def exit_status_received(self, status: int) -> None:
        """Note the exit status."""
        self._status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """Note the signal as shells do: 128 and its number."""
        self._status = signal_status(signal)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, whatever the reason."""
        self.closed = True
        self.ended.set()

    def completed(self) -> Completed | None:
        """Return the command's end, or None where the connection broke before it."""
        status = _KILLED if self._truncated else self._status
        if status is None:
            return None
        out, err = b"".join(self._out[False]), b"".join(self._out[True])
        return Completed(exit_status=status, stdout=out, stderr=err, truncated=self._truncated)


class SshStream:
    """A connection that the host opened for us; `closed` is told once, when it ends here."""

    def __init__(
        self,
        reader: asyncssh.SSHReader[bytes],
        writer: asyncssh.SSHWriter[bytes],
        closed: Callable[[], None] | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._closed = closed

    async def write(self, data: bytes) -> None:
        """Send bytes; `ConnectionError` where the other side is gone."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except asyncssh.Error as e:
            raise ConnectionResetError(str(e)) from e

    async def read(self, limit: int) -> bytes:
        """Return up to `limit` bytes, nothing at the end; `ConnectionError` where it broke."""
        try:
            return await self._reader.read(limit)
        except asyncssh.Error as e:
            raise ConnectionResetError(str(e)) from e

    async def close(self) -> None:
        """End the connection."""
        self._writer.close()
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()


def signal_status(name: str) -> int:
    """Return the exit status that shells give a command ended by a signal (``TERM`` → 143)."""
    try:
        return 128 + signal.Signals[f"SIG{name}"]
    except KeyError:
        return 128


def kill(chan: ClientChannel) -> None:
    """End the remote command and the channel; nothing is waited for."""
    with contextlib.suppress(OSError):
        chan.kill()
    chan.abort()


async def patiently(opening: Callable[[], Awaitable[T]]) -> T:
    """Open a session; again where sshd has too many, for those just closed still count there."""
    for pause in _PAUSES:
        try:
            return await opening()
        except asyncssh.ChannelOpenError as e:
            if e.code != OPEN_CONNECT_FAILED:
                raise
        await asyncio.sleep(pause)
    return await opening()
