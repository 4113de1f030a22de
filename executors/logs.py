"""A task's rotated output, read from its host in order, and followed. Never changes it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from executors import scripts
from executors.printable import printable
from executors.taskfiles import task_dir_name
from executors.transport import Bounds, HostError, HostFault, Transport
from planner.errors import OrchError

# What one read may return, in bytes: the default of ten files of 10 MB does not fit on purpose.
READ_LIMIT = 8 * 1024 * 1024
_NO_LOGS = 3
_TIME = re.compile(rb"[0-9T:.Z+-]{10,40}")
_HEADER = re.compile(rb"orch-log (\d{1,9}) (\d{1,18}) (\d{1,18})")
_HEADER_LIMIT = 200
_TIMES = b"orch-log times"
_OVER, _AGAIN = b"orch-log over", b"orch-log again"
_PAUSE = 1.0


class LogStream(StrEnum):
    """Which output of a task."""

    STDOUT = "stdout"
    STDERR = "stderr"


class NoLogsError(OrchError):
    """The host keeps no logs of the allocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """One output of one task of an allocation."""

    alloc_id: str
    task: str
    stream: LogStream = LogStream.STDOUT
    data_dir: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """How much of the end is wanted; neither means everything that `READ_LIMIT` allows.

    `since`, in seconds since the epoch, leaves out what was rotated away before: lines carry no
    times.
    """

    lines: int | None = None
    size: int | None = None
    since: int = 0

    def word(self) -> str:
        """The script's argument."""
        if self.lines is not None:
            return f"lines:{max(self.lines, 0)}"
        return f"bytes:{READ_LIMIT if self.size is None else max(self.size, 0)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLine:
    """A line with its end, and when it was printed as text that sorts; empty where not known."""

    time: bytes
    line: bytes


async def read_lines(
    transport: Transport, source: LogSource, tail: Tail | None = None
) -> list[TimedLine]:
    """Return the lines of the end of a task's output, with times where its driver keeps them.

    An end that is measured in bytes has none: they would count.
    """
    times = tail is None or tail.size is None
    said = await _read(transport, source, tail, times=times)
    head, _, rest = said.partition(b"\n")
    if head != _TIMES:
        return [TimedLine(time=b"", line=line) for line in said.splitlines(keepends=True)]
    parts = (line.partition(b" ") for line in rest.splitlines(keepends=True))
    # The first line may be cut.
    return [TimedLine(time=t, line=text) for t, _, text in parts if _TIME.fullmatch(t)]


async def read(transport: Transport, source: LogSource, tail: Tail | None = None) -> bytes:
    """Return the end of a task's output; `NoLogsError` where its directory is gone."""
    return await _read(transport, source, tail, times=False)


async def _read(
    transport: Transport, source: LogSource, tail: Tail | None, *, times: bool
) -> bytes:
    bounds = Bounds(deadline=60.0, output=READ_LIMIT)
    tail = tail or Tail()
    argv = (*_argv(source, tail, tail.word(), follows=False), "1" if times else "0")
    done = await transport.run(argv, bounds=bounds)
    if done.exit_status == _NO_LOGS:
        raise NoLogsError(
            f"{transport.host}: there are no logs of allocation {source.alloc_id[:8]}",
            "its directory was removed",
        )
    if done.exit_status != 0 and not done.truncated:
        raise HostError(transport.host, HostFault.COMMAND, printable(done.stderr))
    return done.stdout


def follow(
    transport: Transport, source: LogSource, tail: Tail | None = None
) -> AsyncIterator[bytes]:
    """Yield the end of a task's output and then what comes, until the allocation is over."""
    return Follower(source=source, tail=tail or Tail(lines=10)).chunks(transport)


@dataclass(slots=True, kw_only=True)
class Follower:
    """Follows one output, and knows how far it has come: another connection goes on there."""

    source: LogSource
    tail: Tail = field(default_factory=lambda: Tail(lines=10))
    # the file and the offset in it that were come to; None before anything was heard
    _place: tuple[int, int] | None = field(init=False, default=None)
    # of a container's log, whose lines carry times: the last one's, empty before there was any
    _last: bytes | None = field(init=False, default=None)
    _ends: bool = field(init=False, default=False)

    @property
    def has_begun(self) -> bool:
        """Whether anything was heard of the host yet."""
        return self._place is not None or self._last is not None

    async def chunks(self, transport: Transport) -> AsyncIterator[bytes]:
        """Yield what has not been yielded yet, until the allocation is over.

        Raises a `HostError` where the connection is lost; call again with a new one then.
        """
        while not self._ends:
            stream = transport.follow(_argv(self.source, self.tail, self._amount(), follows=True))
            head: bytes | None = b""
            rest = b""
            async with aclosing(cast("AsyncGenerator[bytes]", stream)) as coming:
                async for chunk in coming:
                    data = chunk
                    if head is not None:
                        head, data = self._begun(head + chunk)
                    if self._last is not None:
                        data, rest = self._timed(rest + data)
                    elif data:
                        self._come(len(data))
                    if data:
                        yield data
            self._ends = self._ends or self._last is None
            if not self._ends:
                await asyncio.sleep(_PAUSE)

    def _amount(self) -> str:
        if self._last:
            return f"since:{self._last.decode()}"
        return "from:{}:{}".format(*self._place) if self._place else self.tail.word()

    def _timed(self, said: bytes) -> tuple[bytes, bytes]:
        """Take the times off whole lines, and leave out those that were heard already."""
        *lines, rest = said.split(b"\n")
        fresh: list[bytes] = []
        for line in lines:
            time, _, text = line.partition(b" ")
            if line in (_OVER, _AGAIN):
                self._ends = line == _OVER
            elif _TIME.fullmatch(time) and time > (self._last or b""):
                self._last = time
                fresh.append(text + b"\n")
        return b"".join(fresh), rest

    def _begun(self, said: bytes) -> tuple[bytes | None, bytes]:
        """Take the header off; return what there is of it as long as it is not whole."""
        line, found, rest = said.partition(b"\n")
        if not found:
            return said[:_HEADER_LIMIT], b""
        if line.endswith(_TIMES):
            self._last = self._last or b""
            return None, rest
        header = _HEADER.search(line)
        if header is None:
            raise OrchError("the host does not say where in the log it is", "Try again.")
        file, end, size = (int(n) for n in header.groups())
        self._place = (file, end - size)
        return None, rest

    def _come(self, size: int) -> None:
        file, offset = self._place or (0, 0)
        self._place = (file, offset + size)


def _argv(source: LogSource, tail: Tail, amount: str, *, follows: bool) -> tuple[str, ...]:
    words = (source.data_dir or "", source.alloc_id, task_dir_name(source.task))
    rest = (source.stream.value, "1" if follows else "0", amount, str(tail.since))
    return scripts.command("lib", "containers", "logs", arguments=(*words, *rest))
