"""Talking with a command on a host: the near end that a transport is handed. Runs nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TerminalSize:
    """Columns and rows."""

    columns: int = 80
    rows: int = 24


class Console(Protocol):
    """Whoever talks with a command. Without a `terminal` (its TERM) there is no pty."""

    @property
    def terminal(self) -> str:
        """The kind of terminal, as TERM names it; empty where there is none."""
        ...

    def size(self) -> TerminalSize:
        """How big the terminal is."""
        ...

    async def resized(self) -> TerminalSize:
        """Wait until the terminal has another size, and return it."""
        ...

    async def read(self) -> bytes:
        """Return the next input, or nothing at its end."""
        ...

    async def write(self, data: bytes, *, stderr: bool = False) -> None:
        """Take output; on a terminal there is no stderr of its own."""
        ...


@dataclass(slots=True, kw_only=True)
class ScriptedConsole:
    """A console that says what it was given, and remembers what it is told.

    It says nothing before it has read the `cue`. With `holds` its input does not end after the
    last word.
    """

    said: list[bytes] = field(default_factory=list[bytes])
    terminal: str = ""
    cue: bytes = b""
    holds: bool = False
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    sizes: asyncio.Queue[TerminalSize] = field(default_factory=asyncio.Queue[TerminalSize])

    def size(self) -> TerminalSize:
        """How big the terminal is."""
        return TerminalSize()

    async def resized(self) -> TerminalSize:
        """Return the next of the sizes that are put in."""
        return await self.sizes.get()

    async def read(self) -> bytes:
        """Return the next word, or nothing at the end."""
        await self.until(self.cue)
        if self.said:
            return self.said.pop(0)
        if self.holds:
            await asyncio.Event().wait()
        return b""

    async def write(self, data: bytes, *, stderr: bool = False) -> None:
        """Keep output."""
        (self.err if stderr else self.out).extend(data)
        self.news.set()

    async def until(self, text: bytes) -> None:
        """Wait until the output has this in it."""
        while text not in self.out:
            self.news.clear()
            await self.news.wait()
