"""A task's rotated output, read from its host in order, and followed. Never changes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from executors import scripts
from executors.printable import printable
from executors.taskfiles import task_dir_name
from executors.transport import Bounds, HostError, HostFault, Transport
from planner.errors import OrchError

# What one read may return, in bytes: the default of ten files of 10 MB does not fit on purpose.
READ_LIMIT = 8 * 1024 * 1024
_NO_LOGS = 3


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
    """How much of the end is wanted; neither means everything that `READ_LIMIT` allows."""

    lines: int | None = None
    size: int | None = None

    def word(self) -> str:
        """The script's argument."""
        if self.lines is not None:
            return f"lines:{max(self.lines, 0)}"
        return f"bytes:{READ_LIMIT if self.size is None else max(self.size, 0)}"


async def read(transport: Transport, source: LogSource, tail: Tail | None = None) -> bytes:
    """Return the end of a task's output; `NoLogsError` where its directory is gone."""
    bounds = Bounds(deadline=60.0, output=READ_LIMIT)
    done = await transport.run(_argv(source, tail or Tail(), follows=False), bounds=bounds)
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
    return transport.follow(_argv(source, tail or Tail(lines=10), follows=True))


def _argv(source: LogSource, tail: Tail, *, follows: bool) -> tuple[str, ...]:
    words = (source.data_dir or "", source.alloc_id, task_dir_name(source.task))
    rest = (source.stream.value, "1" if follows else "0", tail.word())
    return scripts.command("lib", "logs", arguments=(*words, *rest))
