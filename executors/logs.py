"""A task's rotated output, read from its host in order. Never changes it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from enum import StrEnum

from executors import scripts
from executors.printable import printable
from executors.taskfiles import task_dir_name
from executors.transport import Bounds, HostError, HostFault, Transport
from planner.errors import OrchError

# What one read may return, in bytes: the default of ten files of 10 MB does not fit on purpose.
READ_LIMIT = 8 * 1024 * 1024
_NO_LOGS = 3
_TIME = re.compile(rb"[0-9T:.Z+-]{10,40}")
_TIMES = b"orch-log times"


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
    """How much of the end is wanted, everything where neither is said.

    `since`, in seconds since the epoch, leaves out what was rotated away before: lines carry no
    times.
    """

    lines: int | None = None
    size: int | None = None
    since: int = 0

    def amount(self) -> str:
        """The scripts' word for it."""
        if self.lines is not None:
            return f"lines:{max(self.lines, 0)}"
        return "all" if self.size is None else f"bytes:{max(self.size, 0)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLine:
    """A line with its end, and when it was printed as text that sorts; empty where not known."""

    time: bytes
    line: bytes


async def read_lines(
    transport: Transport, source: LogSource, tail: Tail | None = None
) -> list[TimedLine]:
    """Return the lines of a task's output, with times where its driver keeps them.

    No more than the last `READ_LIMIT` bytes.

    An end that is measured in bytes has none: they would count.
    """
    times = tail is None or tail.size is None
    said = await _read(transport, source, tail, times=times)
    head, _, rest = said.partition(b"\n")
    if head != _TIMES:
        return [TimedLine(time=b"", line=line) for line in io.BytesIO(said)]
    # A line may have carriage returns in it, and the first one may be cut.
    parts = (line.partition(b" ") for line in io.BytesIO(rest))
    return [TimedLine(time=t, line=text) for t, _, text in parts if _TIME.fullmatch(t)]


async def read(transport: Transport, source: LogSource, tail: Tail | None = None) -> bytes:
    """Return the end of a task's output; `NoLogsError` where its directory is gone."""
    return await _read(transport, source, tail, times=False)


async def _read(
    transport: Transport, source: LogSource, tail: Tail | None, *, times: bool
) -> bytes:
    bounds = Bounds(deadline=60.0, output=READ_LIMIT)
    tail = tail or Tail()
    done = await transport.run(_argv(source, tail, times=times), bounds=bounds)
    if done.exit_status == _NO_LOGS:
        raise NoLogsError(
            f"{transport.host}: there are no logs of allocation {source.alloc_id[:8]}",
            "its directory was removed",
        )
    if done.exit_status != 0 and not done.truncated:
        raise HostError(transport.host, HostFault.COMMAND, printable(done.stderr))
    return done.stdout


def _argv(source: LogSource, tail: Tail, *, times: bool) -> tuple[str, ...]:
    if tail.lines is None and tail.size is None:
        tail = replace(tail, size=READ_LIMIT)
    words = (source.data_dir or "", source.alloc_id, task_dir_name(source.task))
    rest = (source.stream.value, tail.amount(), str(tail.since), "1" if times else "0")
    return scripts.command("lib", "containers", "logs", arguments=(*words, *rest))
