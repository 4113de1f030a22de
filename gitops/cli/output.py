"""`orch logs`: the output of one task or of several, read once or followed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from executors import logs
from executors.logs import LogStream
from executors.transport import HostError, HostFault
from gitops.cli.executing import chosen, task_names
from gitops.cli.look import session, workspace
from gitops.cli.say import note
from gitops.resolve import Found, alloc_named, allocs_named, job_named
from gitops.session import Session
from planner.errors import OrchError
from planner.recorded import AllocRecord, Recorded

# Faults that pass by themselves, and the seconds between two attempts to get through.
_PASSING = (HostFault.UNREACHABLE, HostFault.REFUSED, HostFault.TIMEOUT, HostFault.LOST)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0

Outs = Mapping[LogStream, BinaryIO]


# Of the channels that sshd gives a connection (MaxSessions), one is kept for asking.
MOST_FOLLOWED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose output, and how much of it.

    `name` is a job or an allocation; with `one` it is an allocation or, with `by_job`, a job of
    which any allocation will do.
    """

    name: str
    task: str = ""
    follow: bool = False
    tail: logs.Tail | None = None
    streams: tuple[LogStream, ...] = (LogStream.STDOUT,)
    one: bool = False
    by_job: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One output of one task."""

    alloc: AllocRecord
    task: str
    stream: LogStream

    @property
    def prefix(self) -> bytes:
        """What stands before each of its lines among others."""
        return f"{self.alloc.name} {self.alloc.id[:8]} {self.task} | ".encode()


@dataclass(slots=True)
class _Read:
    """The lines of one source, with their prefix and, where there are any, their times."""

    prefix: bytes
    lines: list[logs.TimedLine] = field(default_factory=list[logs.TimedLine])


@dataclass(slots=True)
class _Lines:
    """Writes whole lines, each with its prefix, so that those of several tasks do not mix."""

    out: BinaryIO
    prefix: bytes
    rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Write the lines that are whole by now."""
        *whole, self.rest = (self.rest + data).split(b"\n")
        self.out.write(b"".join(self.prefix + line + b"\n" for line in whole))
        self.out.flush()

    def end(self) -> None:
        """Write what is left: the last line may lack its end."""
        if self.rest:
            self.out.write(self.prefix + self.rest)
            self.out.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Following:
    """What sources that are followed share: each loss of a host is told once."""

    ties: Session
    lost: set[str] = field(default_factory=set[str])

    async def follow(self, source: Source, follower: logs.Follower, lines: _Lines) -> None:
        """Write what comes until the allocation is over, through losses of the connection."""
        host, pause = source.alloc.node, _FIRST_PAUSE
        while True:
            try:
                transport = await self.ties.connector.connect(host)
                async for chunk in follower.chunks(transport):
                    self._is_back(host)
                    pause = _FIRST_PAUSE
                    lines.feed(chunk)
                return
            except HostError as e:
                if e.fault not in _PASSING or not follower.has_begun:
                    raise
                self._is_lost(host, e)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _is_lost(self, host: str, error: HostError) -> None:
        if host not in self.lost:
            self.lost.add(host)
            note(f"{error.message.strip().rstrip(':')}; connecting again…")

    def _is_back(self, host: str) -> None:
        if host in self.lost:
            self.lost.discard(host)
            note(f"{host}: connected again")


async def show(wanted: Wanted, outs: Outs) -> None:
    """Write the output as the bytes it is; that of several tasks gets a prefix per line."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = (await asyncio.to_thread(ties.ledger.read)).folded()
        sources = _sources(wanted, recorded)
        if wanted.follow:
            refuse_too_many(sources)
        alone = len({(s.alloc.id, s.task) for s in sources}) == 1
        parts = [_Read(b"" if alone else s.prefix) for s in sources]
        following = _Following(ties=ties)
        copies = (
            _follow(following, s, wanted, _Lines(outs[s.stream], part.prefix))
            if wanted.follow
            else _read(ties, s, wanted, part)
            for s, part in zip(sources, parts, strict=True)
        )
        ends = await asyncio.gather(*copies, return_exceptions=True)
    for stream, out in outs.items():
        _join([p for s, p in zip(sources, parts, strict=True) if s.stream is stream], out)
    problems = [e for e in ends if isinstance(e, BaseException)]
    for problem in problems:
        if len(problems) == len(sources) or not isinstance(problem, OrchError):
            raise problem
        note(problem.message)


def refuse_too_many(sources: Sequence[Source]) -> None:
    """Each output that is followed takes a channel of its host's one connection, for as long."""
    counts = Counter(s.alloc.node for s in sources)
    for host, n in counts.items():
        if n > MOST_FOLLOWED:
            raise OrchError(
                f"{host} has {n} outputs of this job, and {MOST_FOLLOWED} can be followed at once",
                "Name one allocation, or a task, or leave -f out.",
            )


def _join(parts: Sequence[_Read], out: BinaryIO) -> None:
    """Write everything by time, if all of it has times; else one source after the other."""
    pairs = [(line.time, part.prefix + line.line) for part in parts for line in part.lines]
    if all(time for time, _ in pairs):
        pairs.sort(key=lambda pair: pair[0])
    out.write(b"".join(line for _, line in pairs))
    out.flush()


def _sources(wanted: Wanted, recorded: Recorded) -> list[Source]:
    found = _allocs(wanted, recorded)
    sources = [
        Source(alloc=f.alloc, task=task, stream=stream)
        for f in found
        for task in task_names(f)
        if wanted.task in ("", task)
        for stream in wanted.streams
    ]
    if sources:
        return sources
    if not found:
        raise OrchError(f"job {wanted.name!r} has no allocations", "Apply it first.")
    names = sorted({t for f in found for t in task_names(f)})
    raise OrchError(f"no task named {wanted.task!r}", f"Its tasks are: {', '.join(names)}.")


def _allocs(wanted: Wanted, recorded: Recorded) -> list[Found]:
    """The allocation that is meant, or a job's live ones, else the newest of each name."""
    name = wanted.name
    if wanted.one:
        return [chosen(name, recorded, by_job=wanted.by_job)]
    if not any(k.startswith(name) for k in recorded.jobs) and allocs_named(name, recorded):
        return [alloc_named(name, recorded)]
    state = recorded.job(job_named(name, recorded))
    live = [a for a in state.allocs if not a.terminal]
    newest = {a.name: a for a in sorted(state.allocs, key=lambda a: a.created)}
    picked = sorted(live or newest.values(), key=lambda a: a.name)
    return [Found(state=state, alloc=a) for a in picked]


async def _follow(following: _Following, source: Source, wanted: Wanted, lines: _Lines) -> None:
    tail = wanted.tail or logs.Tail(lines=10)
    follower = logs.Follower(source=_where(following.ties, source), tail=tail)
    await following.follow(source, follower, lines)
    lines.end()


async def _read(ties: Session, source: Source, wanted: Wanted, part: _Read) -> None:
    transport = await ties.connector.connect(source.alloc.node)
    part.lines = await logs.read_lines(transport, _where(ties, source), wanted.tail)


def _where(ties: Session, source: Source) -> logs.LogSource:
    known = ties.inventory.hosts.get(source.alloc.node)
    return logs.LogSource(
        alloc_id=source.alloc.id,
        task=source.task,
        stream=source.stream,
        data_dir=(known.data_dir or None) if known else None,
    )
