"""A command somebody talks with, over one SSH channel: input, both outputs, terminal, its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Protocol, cast

import asyncssh

from executors.interaction import Console
from executors.ssh_channel import patiently, signal_status

_CHUNK = 64 * 1024


class _Reader(Protocol):
    async def read(self, n: int) -> bytes: ...


class _Writer(Protocol):
    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...

    def write_eof(self) -> None: ...


class _Process(Protocol):
    """What is used of the library's processes, whose own types come out unknown."""

    stdin: _Writer
    stdout: _Reader
    stderr: _Reader

    @property
    def exit_status(self) -> int | None: ...

    @property
    def exit_signal(self) -> tuple[str, bool, str, str] | None: ...

    def change_terminal_size(self, width: int, height: int) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...

    async def wait_closed(self) -> None: ...


async def talk(connection: Any, command: str, console: Console) -> int | None:  # noqa: ANN401
    """Run a command with the console at its near end; return its exit status.

    Returns None where the connection broke first. Raises what the library raises where the
    command could not be started.
    """
    terminal: dict[str, object] = {}
    if console.terminal:
        size = console.size()
        terminal = {"term_type": console.terminal, "term_size": (size.columns, size.rows)}
    made = await patiently(lambda: connection.create_process(command, encoding=None, **terminal))
    process = cast("_Process", made)
    inputs = [_spawned(_feed(process, console))]
    if console.terminal:
        inputs.append(_spawned(_follow_size(process, console)))
    try:
        await asyncio.gather(
            _pump(process.stdout, console, stderr=False),
            _pump(process.stderr, console, stderr=True),
        )
        await process.wait_closed()
        return _status(process)
    finally:
        for task in inputs:
            task.cancel()
        await asyncio.gather(*inputs, return_exceptions=True)
        _end(process)


def _spawned(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work)


async def _pump(reader: _Reader, console: Console, *, stderr: bool) -> None:
    with contextlib.suppress(asyncssh.Error, ConnectionError):
        while data := await reader.read(_CHUNK):
            await console.write(data, stderr=stderr)


async def _feed(process: _Process, console: Console) -> None:
    """Hand input on until it ends; a command that reads no more is not an error."""
    with contextlib.suppress(asyncssh.Error, OSError):
        while data := await console.read():
            process.stdin.write(data)
            await process.stdin.drain()
        process.stdin.write_eof()


async def _follow_size(process: _Process, console: Console) -> None:
    while True:
        size = await console.resized()
        process.change_terminal_size(size.columns, size.rows)


def _status(process: _Process) -> int | None:
    if process.exit_signal is not None:
        return signal_status(process.exit_signal[0])
    return process.exit_status


def _end(process: _Process) -> None:
    if process.exit_status is None:
        with contextlib.suppress(OSError):
            process.kill()
    process.close()
