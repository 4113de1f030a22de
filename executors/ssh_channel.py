"""SSH channels of commands and streams: bounded in memory, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from typing import Protocol, cast

import asyncssh

from executors.transport import Completed

# A stream's reader may lag by so many bytes before the host is told to wait.
_LAG_LIMIT = 1024 * 1024
_KILLED = 128 + signal.SIGKILL
_STDERR_KEPT = 4096


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

    def pause_reading(self) -> None:
        """Let the host wait."""
        ...

    def resume_reading(self) -> None:
        """Let the host go on."""
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


class FollowSession(asyncssh.SSHClientSession[bytes]):
    """Passes on what a command prints as it comes, pausing the host when the reader lags."""

    def __init__(self) -> None:
        self._chan: ClientChannel | None = None
        self._chunks: list[bytes] = []
        self._news = asyncio.Event()
        self.closed = False
        self.status: int | None = None
        self.stderr = b""

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Keep the channel, to pause it."""
        self._chan = cast("ClientChannel", chan)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Queue stdout; keep the first part of stderr."""
        if datatype is not None:
            self.stderr = (self.stderr + data)[:_STDERR_KEPT]
            return
        self._chunks.append(data)
        self._news.set()
        if self._chan and sum(map(len, self._chunks)) > _LAG_LIMIT:
            self._chan.pause_reading()

    def exit_status_received(self, status: int) -> None:
        """Note the exit status."""
        self.status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """Note the signal as shells do: 128 and its number."""
        self.status = signal_status(signal)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake the reader for the last time."""
        self.closed = True
        self._news.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what came, until the command or the connection ends."""
        while not (self.closed and not self._chunks):
            await self._news.wait()
            data, self._chunks = b"".join(self._chunks), []
            if not self.closed:
                self._news.clear()
                if self._chan:
                    self._chan.resume_reading()
            if data:
                yield data


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
        self._writer.write(data)
        await self._writer.drain()

    async def read(self, limit: int) -> bytes:
        """Return up to `limit` bytes, or nothing at the end."""
        return await self._reader.read(limit)

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
