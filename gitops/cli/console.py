"""The streams of this process as the near end of a command on a host; a terminal if it has one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field

from executors.interaction import TerminalSize
from gitops.cli.escape_key import EscapeKey

_CHUNK = 64 * 1024


@dataclass(slots=True, kw_only=True)
class OwnConsole:
    """stdin, stdout and stderr of this process.

    Without `reads` nothing is taken from stdin. Input is read in a thread of its own that ends
    with the process: a read of stdin can't be called off. Where there is a terminal, `left` is set
    when the `escape` key says so.
    """

    terminal: str = ""
    reads: bool = True
    escape: EscapeKey = field(default_factory=EscapeKey)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    _pieces: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(maxsize=1))
    _resized: asyncio.Event = field(default_factory=asyncio.Event)
    _reader: threading.Thread | None = None

    def size(self) -> TerminalSize:
        """How big the terminal is."""
        for stream in (sys.stdout, sys.stdin):
            with contextlib.suppress(OSError, ValueError):
                found = os.get_terminal_size(stream.fileno())
                return TerminalSize(found.columns, found.lines)
        return TerminalSize()

    async def resized(self) -> TerminalSize:
        """Wait until the terminal has another size, and return it."""
        await self._resized.wait()
        self._resized.clear()
        return self.size()

    async def read(self) -> bytes:
        """Return the next input, or nothing at its end."""
        if not self.reads:
            return b""
        if self._reader is None:
            loop = asyncio.get_running_loop()
            self._reader = threading.Thread(target=self._read_all, args=(loop,), daemon=True)
            self._reader.start()
        if not self.terminal:
            return await self._pieces.get()
        return await self._typed()

    async def _typed(self) -> bytes:
        """Return what was typed, without what is meant for us."""
        while data := await self._pieces.get():
            passed, leaves = self.escape.passed(data)
            if leaves:
                self.left.set()
            if passed:
                return passed
        return self.escape.rest()

    def _read_all(self, loop: asyncio.AbstractEventLoop) -> None:
        fd, data = sys.stdin.fileno(), b"-"
        while data:
            try:
                data = os.read(fd, _CHUNK)
            except OSError:
                data = b""
            try:
                asyncio.run_coroutine_threadsafe(self._pieces.put(data), loop).result()
            except (RuntimeError, asyncio.CancelledError):
                return  # the command is over, and the loop with it

    async def write(self, data: bytes, *, stderr: bool = False) -> None:
        """Write output at once."""
        stream = sys.stderr if stderr else sys.stdout
        await asyncio.to_thread(_write_all, stream.fileno(), data)

    @contextlib.contextmanager
    def raw(self) -> Generator[None]:
        """Hand keys on as they are typed, and follow the terminal's size; undone at the end."""
        if not self.terminal or not sys.stdin.isatty():
            yield
            return
        import termios
        import tty

        fd, loop = sys.stdin.fileno(), asyncio.get_running_loop()
        before = termios.tcgetattr(fd)
        loop.add_signal_handler(signal.SIGWINCH, self._resized.set)
        try:
            tty.setraw(fd)
            yield
        finally:
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
            loop.remove_signal_handler(signal.SIGWINCH)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
