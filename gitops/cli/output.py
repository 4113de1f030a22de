"""`orch logs`: the output of one task or of several, read once or followed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from executors import logs
from gitops.cli.following import Following
from gitops.cli.look import session, workspace
from gitops.cli.say import note
from gitops.cli.sources import Outs, Source, Wanted, sources
from gitops.session import Session
from planner.errors import OrchError


@dataclass(slots=True)
class _Read:
    """The lines of one source, with their prefix and, where there are any, their times."""

    prefix: bytes
    lines: list[logs.TimedLine] = field(default_factory=list[logs.TimedLine])


async def show(wanted: Wanted, outs: Outs) -> None:
    """Write the output as the bytes it is; that of several tasks gets a prefix per line."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = (await asyncio.to_thread(ties.ledger.read)).folded()
        found = sources(wanted, recorded)
        if wanted.follow:
            await Following(ties=ties, wanted=wanted, outs=outs).run(found, recorded)
        else:
            await _print(ties, wanted, found, outs)


async def _print(ties: Session, wanted: Wanted, found: Sequence[Source], outs: Outs) -> None:
    """Read all of them at once; what can't be read is told, after what can."""
    alone = len({(s.alloc.id, s.task) for s in found}) == 1
    parts = [_Read(b"" if alone else s.prefix) for s in found]
    reading = (_read(ties, s, wanted, part) for s, part in zip(found, parts, strict=True))
    ends = await asyncio.gather(*reading, return_exceptions=True)
    for stream, out in outs.items():
        _join([p for s, p in zip(found, parts, strict=True) if s.stream is stream], out)
    problems = [e for e in ends if e is not None]
    for problem in problems:
        if len(problems) == len(found) or not isinstance(problem, OrchError):
            raise problem
        note(problem.message)


def _join(parts: Sequence[_Read], out: BinaryIO) -> None:
    """Write everything by time, if all of it has times; else one source after the other."""
    pairs = [(line.time, part.prefix + line.line) for part in parts for line in part.lines]
    if all(time for time, _ in pairs):
        pairs.sort(key=lambda pair: pair[0])
    out.write(b"".join(line for _, line in pairs))
    out.flush()


async def _read(ties: Session, source: Source, wanted: Wanted, part: _Read) -> None:
    transport = await ties.connector.connect(source.alloc.node)
    part.lines = await logs.read_lines(transport, source.log(ties.inventory), wanted.tail)
