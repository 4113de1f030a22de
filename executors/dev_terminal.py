"""A command with a terminal of its own, for the embedded host: one pty, one process group."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
import termios
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import Signals
from typing import Protocol

_CHUNK = 64 * 1024
# More than a terminal holds back.
_LEFT_LIMIT = 256 * 1024
_VEOF = b"\x04"


class TerminalChannel(Protocol):
    """What is used of the library's channels."""

    def write(self, data: bytes, datatype: int | None = None) -> None:
        """Send output."""
        ...

    def exit(self, status: int) -> None:
        """Tell the exit status."""
        ...

    def exit_with_signal(self, signal: str) -> None:
        """Tell the signal that ended it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalCommand:
    """A shell command, and the terminal it wants: its TERM, columns and rows."""

    command: str
    term: str
    columns: int
    rows: int
    cwd: Path
    environment: Mapping[str, str]


class TerminalProcess:
    """Pumps between a pty and a channel; ends when the process has ended and all was read.

    Both ends of the pty stay open until then: a process may close the terminal long before it
    ends, and open it again, and closing the master would send it SIGHUP.
    """

    def __init__(self, chan: TerminalChannel, ended: Callable[[], None]) -> None:
        self._chan = chan
        self._ended = ended
        self._master = self._slave = -1
        self._pending = bytearray()
        self.reaped = asyncio.Event()

    async def start(self, wanted: TerminalCommand) -> None:
        """Start the command; raises `OSError` where that fails."""
        self._master, self._slave = os.openpty()
        try:
            os.set_blocking(self._master, False)
            self.resize(wanted.columns, wanted.rows)
            self._process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                wanted.command,
                cwd=wanted.cwd,
                env={**wanted.environment, "TERM": wanted.term},
                preexec_fn=partial(os.login_tty, self._slave),
                pass_fds=(self._slave,),
            )
        except BaseException:
            self._close()
            raise
        asyncio.get_running_loop().add_reader(self._master, self._readable)
        self._waiting = asyncio.create_task(self._wait())

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the kernel tells the process."""
        if self._master >= 0:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def feed(self, data: bytes) -> None:
        """Type input; nothing is the end of it, which a terminal is told by a key."""
        if self._master >= 0:
            self._pending += data or _VEOF
            self._writable()

    def signal(self, name: str) -> None:
        """Send a signal to the process group."""
        if not self.reaped.is_set():
            with contextlib.suppress(KeyError, ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, Signals[f"SIG{name}"])

    def pause_output(self) -> None:
        """Let the process wait."""
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)

    def resume_output(self) -> None:
        """Read again."""
        if self._master >= 0:
            asyncio.get_running_loop().add_reader(self._master, self._readable)

    def end(self) -> None:
        """End the process group."""
        self.signal("KILL")

    def _readable(self) -> None:
        try:
            data = os.read(self._master, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # it was hung up; that is no end of the process
            data = b""
        if data:
            self._say(data)
        else:
            self.pause_output()

    def _say(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._chan.write(data)

    def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            sent = os.write(self._master, self._pending) if self._pending else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(self._pending)
        del self._pending[:sent]
        if self._pending:
            loop.add_writer(self._master, self._writable)
        else:
            loop.remove_writer(self._master)

    async def _wait(self) -> None:
        status = await self._process.wait()
        self._drain()
        self._close()
        with contextlib.suppress(OSError):
            if status < 0:
                self._chan.exit_with_signal(Signals(-status).name.removeprefix("SIG"))
            else:
                self._chan.exit(status)
        self.reaped.set()
        self._ended()

    def _drain(self) -> None:
        """Read what is left; what others on the terminal say from now on is not waited for."""
        left = _LEFT_LIMIT
        with contextlib.suppress(OSError):
            while left > 0 and (data := os.read(self._master, _CHUNK)):
                left -= len(data)
                self._say(data)

    def _close(self) -> None:
        if self._master < 0:
            return
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
