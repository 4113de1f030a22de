"""`orch logs`: the output of one task or of several, read once or followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from executors import logs
from gitops.cli.look import session, workspace
from gitops.cli.say import note
from gitops.resolve import Found, allocs_named, job_named
from gitops.session import Session
from planner.errors import OrchError
from planner.recorded import AllocRecord, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose output, and how much of it."""

    name: str
    task: str = ""
    follow: bool = False
    lines: int | None = None
    stderr: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    alloc: AllocRecord
    task: str

    @property
    def prefix(self) -> bytes:
        return f"{self.alloc.name} {self.alloc.id[:8]} {self.task} | ".encode()


async def show(wanted: Wanted, out: BinaryIO) -> None:
    """Write the output to `out` as the bytes it is; several tasks get a prefix per line."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = (await asyncio.to_thread(ties.ledger.read)).folded()
        sources = _sources(wanted, recorded)
        alone = len(sources) == 1
        # Followed ones are written as they come; else in order, when all of them are read.
        parts = [_Writer(out=out) if wanted.follow else _Writer(out=BytesIO()) for _ in sources]
        jobs = [
            _copy(ties, s, wanted, part, b"" if alone else s.prefix)
            for s, part in zip(sources, parts, strict=True)
        ]
        ends = await asyncio.gather(*jobs, return_exceptions=True)
        _join(parts, out)
    problems = [e for e in ends if isinstance(e, BaseException)]
    for problem in problems:
        if len(problems) == len(sources) or not isinstance(problem, OrchError):
            raise problem
        note(problem.message)


def _join(parts: Sequence[_Writer], out: BinaryIO) -> None:
    for part in parts:
        if isinstance(part.out, BytesIO):
            out.write(part.out.getvalue())
    out.flush()


def _sources(wanted: Wanted, recorded: Recorded) -> list[_Source]:
    found = _allocs(wanted.name, recorded)
    sources = [
        _Source(alloc=f.alloc, task=task)
        for f in found
        for task in _tasks(f)
        if wanted.task in ("", task)
    ]
    if sources:
        return sources
    if not found:
        raise OrchError(f"job {wanted.name!r} has no allocations", "Apply it first.")
    names = sorted({t for f in found for t in _tasks(f)})
    raise OrchError(f"no task named {wanted.task!r}", f"Its tasks are: {', '.join(names)}.")


def _allocs(name: str, recorded: Recorded) -> list[Found]:
    """The allocation that is meant, or a job's live ones, else the newest of each name."""
    if not any(k.startswith(name) for k in recorded.jobs) and (
        found := allocs_named(name, recorded)
    ):
        if len(found) > 1:
            raise OrchError(f'Prefix "{name}" matched multiple allocations', "Type more of it.")
        return found
    state = recorded.job(job_named(name, recorded))
    live = [a for a in state.allocs if not a.terminal]
    newest = {a.name: a for a in sorted(state.allocs, key=lambda a: a.created)}
    chosen = sorted(live or newest.values(), key=lambda a: a.name)
    return [Found(state=state, alloc=a) for a in chosen]


def _tasks(found: Found) -> list[str]:
    version = found.state.version(found.alloc.job_version) or found.state.current
    group = version.job.group(found.alloc.group) if version else None
    return [t.name for t in group.tasks] if group else sorted(found.alloc.tasks)


@dataclass(frozen=True, slots=True)
class _Writer:
    out: BinaryIO

    def write(self, data: bytes) -> None:
        self.out.write(data)
        self.out.flush()


async def _copy(
    ties: Session, source: _Source, wanted: Wanted, writer: _Writer, prefix: bytes
) -> None:
    transport = await ties.connector.connect(source.alloc.node)
    where = logs.LogSource(
        alloc_id=source.alloc.id,
        task=source.task,
        stream=logs.LogStream.STDERR if wanted.stderr else logs.LogStream.STDOUT,
        data_dir=ties.inventory.hosts[source.alloc.node].data_dir or None,
    )
    tail = logs.Tail(lines=wanted.lines) if wanted.lines is not None else None
    if not wanted.follow:
        data = await logs.read(transport, where, tail)
        writer.write(b"".join(prefix + line for line in data.splitlines(keepends=True)))
        return
    async for line in _lines(logs.follow(transport, where, tail)):
        writer.write(prefix + line)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield whole lines, so that those of several tasks do not mix; the last may lack its end."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest
