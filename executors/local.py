"""The Transport of this machine: commands as child processes, without SSH."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from executors.interaction import Console
from executors.transport import Bounds, Completed, HostError, HostFault, Stream

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class LocalStream:
    """A TCP connection from this machine."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def read(self, limit: int) -> bytes:
        """Return up to `limit` bytes, or nothing at the end."""
        return await self.reader.read(limit)

    async def close(self) -> None:
        """End the connection."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@dataclass(frozen=True, slots=True)
class ProcessStream:
    """The two ends of a child process; its stderr is thrown away."""

    process: asyncio.subprocess.Process

    async def write(self, data: bytes) -> None:
        """Send bytes; `ConnectionError` where the command has ended."""
        if self.process.stdin is not None:
            self.process.stdin.write(data)
            await self.process.stdin.drain()

    async def read(self, limit: int) -> bytes:
        """Return up to `limit` bytes, or nothing at the end."""
        return await _reader(self.process.stdout).read(limit)

    async def close(self) -> None:
        """End the command."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        await _end(self.process)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTransport:
    """Runs commands here; `interpreter` stands in for a leading word ``sh``."""

    name: str = "localhost"
    interpreter: tuple[str, ...] = ("sh",)
    env: Mapping[str, str] | None = None

    @property
    def host(self) -> str:
        """The inventory name of the host."""
        return self.name

    async def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", bounds: Bounds | None = None
    ) -> Completed:
        """Run a command and return its end; `HostError` if it takes too long."""
        limits = bounds or Bounds()
        process = await self._spawn(argv)
        try:
            async with asyncio.timeout(limits.deadline):
                return await _completed(process, stdin, limits.output)
        except TimeoutError as e:
            detail = f"no end within {limits.deadline:g} s"
            raise HostError(self.name, HostFault.TIMEOUT, detail) from e
        finally:
            await _end(process)

    async def interact(self, argv: Sequence[str], console: Console) -> int:
        """Run a command with a console at its near end; there is no pty here."""
        if console.terminal:
            raise HostError(self.name, HostFault.COMMAND, "commands here have no terminal")
        process = await self._spawn(argv)
        feeding = asyncio.create_task(_talk(process, console))
        try:
            await asyncio.gather(
                _pass_on(_reader(process.stdout), console, stderr=False),
                _pass_on(_reader(process.stderr), console, stderr=True),
            )
            status = await process.wait()
            return status if status >= 0 else 128 - status
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await _end(process)

    async def dial(self, address: str, port: int, *, deadline: float) -> Stream:
        """Open a TCP connection."""
        async with asyncio.timeout(deadline):
            return LocalStream(*await asyncio.open_connection(address, port))

    async def dial_unix(self, path: str, *, deadline: float) -> Stream:
        """Connect to a unix socket."""
        async with asyncio.timeout(deadline):
            return LocalStream(*await asyncio.open_unix_connection(path))

    async def pipe(self, argv: Sequence[str], *, deadline: float) -> Stream:
        """Start a command and return its stdin and stdout."""
        async with asyncio.timeout(deadline):
            return ProcessStream(await self._spawn(argv))

    async def close(self) -> None:
        """Nothing is held."""

    async def _spawn(self, argv: Sequence[str]) -> asyncio.subprocess.Process:
        words = [*self.interpreter, *argv[1:]] if argv[0] == "sh" else list(argv)
        try:
            return await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(self.env) if self.env is not None else None,
                start_new_session=True,
            )
        except OSError as e:
            raise HostError(self.name, HostFault.COMMAND, str(e)) from e


async def _talk(process: asyncio.subprocess.Process, console: Console) -> None:
    if process.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):
        while data := await console.read():
            process.stdin.write(data)
            await process.stdin.drain()
        process.stdin.close()


async def _pass_on(reader: asyncio.StreamReader, console: Console, *, stderr: bool) -> None:
    while data := await reader.read(_CHUNK):
        await console.write(data, stderr=stderr)


def _reader(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if stream is None:  # pragma: no cover - both are always pipes
        raise HostError("localhost", HostFault.COMMAND, "no pipe")
    return stream


async def _completed(process: asyncio.subprocess.Process, stdin: bytes, limit: int) -> Completed:
    (out, cut), (err, _), _ = await asyncio.gather(
        _bounded(_reader(process.stdout), limit, process),
        _bounded(_reader(process.stderr), limit, process),
        _feed(process, stdin),
    )
    status = await process.wait()
    return Completed(
        exit_status=status if status >= 0 else 128 - status, stdout=out, stderr=err, truncated=cut
    )


async def _bounded(
    reader: asyncio.StreamReader, limit: int, process: asyncio.subprocess.Process
) -> tuple[bytes, bool]:
    found = bytearray()
    while chunk := await reader.read(_CHUNK):
        found += chunk
        if len(found) > limit:
            _kill(process)
            return bytes(found[:limit]), True
    return bytes(found), False


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    if process.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()
    with suppress(BrokenPipeError, ConnectionResetError):
        await process.stdin.wait_closed()


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process) -> None:
    is_over = process.returncode is not None
    if not is_over:
        _kill(process)
    # Its pipes first: a wait is for their ends as well, which nobody sees who has stopped reading.
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
    if not is_over:
        await process.wait()
