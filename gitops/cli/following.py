"""`orch logs -f`: outputs as they come, over one channel a host, until all of them have ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from executors.log_follower import Appeared, Ended, FollowedJob, HostFollower, News, Printed, Ready
from executors.logs import LogSource, NoLogsError, Tail
from executors.transport import HostError, HostFault
from gitops.cli.say import note
from gitops.cli.sources import Outs, Source, Wanted, data_dir, of_alloc, whole_job
from gitops.resolve import Found
from gitops.session import Session
from gitops.view.safe import clean
from planner.errors import OrchError
from planner.recorded import JobState, Recorded

# Faults that pass by themselves, and the seconds between two attempts to get through.
_PASSING = (HostFault.UNREACHABLE, HostFault.REFUSED, HostFault.TIMEOUT, HostFault.LOST)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# Seconds between two looks at the ledger: while an allocation is due, with a reason, without one.
_DUE, _SOON, _EVERY = 2.0, 0.5, 30.0
# A line without an end is written when it has come to so many bytes.
_LINE_LIMIT = 256 * 1024


@dataclass(slots=True, kw_only=True)
class Lines:
    """Writes whole lines, each with its prefix, so that those of several tasks do not mix.

    Without a prefix bytes are written as they come.
    """

    out: BinaryIO
    prefix: bytes = b""
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Write what can be written by now."""
        if not self.prefix:
            self._write(self._rest + data)
            self._rest = b""
            return
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_LIMIT:
            whole, self._rest = [*whole, self._rest], b""
        self._write(b"".join(self.prefix + line + b"\n" for line in whole))

    def end(self) -> None:
        """Write what is left: the last line may lack its end."""
        if self._rest:
            self._write(self.prefix + self._rest + b"\n")
            self._rest = b""

    def _write(self, data: bytes) -> None:
        if data:
            self.out.write(data)
            self.out.flush()


@dataclass(slots=True, kw_only=True)
class _Host:
    """A host that is listened to, and whether it was heard, and whether it is lost."""

    name: str
    follower: HostFollower
    task: asyncio.Task[None] | None = None
    begun: bool = False
    lost: bool = False


@dataclass(slots=True, kw_only=True)
class Following:
    """Follows what is wanted. Of a job, the allocations that come later join."""

    ties: Session
    wanted: Wanted
    outs: Outs
    _job: JobState | None = None
    _hosts: dict[str, _Host] = field(default_factory=dict[str, _Host])
    _sources: dict[LogSource, tuple[Source, Lines]] = field(
        default_factory=dict[LogSource, tuple[Source, Lines]]
    )
    _known: set[str] = field(default_factory=set[str])
    _missing: set[LogSource] = field(default_factory=set[LogSource])
    _failed: set[LogSource] = field(default_factory=set[LogSource])
    _over: set[LogSource] = field(default_factory=set[LogSource])
    _is_blind: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, first: Sequence[Source], recorded: Recorded) -> None:
        """Write what comes until all have ended; `OrchError` where none could be followed."""
        self._job = whole_job(self.wanted, recorded)
        self._known = {a.id for a in self._job.allocs} if self._job else set()
        try:
            await self._add(first, self.wanted.tail or Tail(lines=10))
            is_due = False
            while self._tasks() or is_due:
                await self._wait(_DUE if self._missing or not self._tasks() else _EVERY)
                self._reap()
                is_due = await self._look()
        finally:
            await self._close()

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [h.task for h in self._hosts.values() if h.task]

    async def _wait(self, patience: float) -> None:
        """Wait until there is a reason to look, a host is done with, or time has passed."""
        waking = asyncio.create_task(self._news.wait())
        timeout = patience if self._job else None
        waits = (waking, *self._tasks())
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if self._news.is_set() and self._job:
            # others often have something to tell at the same time
            await asyncio.sleep(_SOON)
        waking.cancel()
        self._news.clear()

    def _reap(self) -> None:
        """Forget hosts that are done with; what could not be followed is told, or raised."""
        for host in self._hosts.values():
            task = host.task
            if task is None or not task.done():
                continue
            host.task = None
            error = task.exception()
            if error is None:
                continue
            if not isinstance(error, OrchError):
                raise error
            here = {k for k, (s, _) in self._sources.items() if s.alloc.node == host.name}
            self._fail(here - self._over, error)

    def _fail(self, sources: set[LogSource], error: OrchError) -> None:
        self._failed |= sources
        if self._failed >= self._sources.keys():
            raise error
        note(clean(error.message))

    # -- new ones -----------------------------------------------------------------------------

    async def _add(self, sources: Sequence[Source], tail: Tail) -> None:
        for source in sources:
            key = source.log(self.ties.inventory)
            self._sources[key] = (source, Lines(out=self.outs[source.stream]))
        for source, lines in self._sources.values():
            lines.prefix = source.prefix if self._is_several() else b""
        for name in sorted({s.alloc.node for s in sources}):
            host = self._hosts.get(name) or self._host(name)
            logs = [s.log(self.ties.inventory) for s in sources if s.alloc.node == name]
            await host.follower.add(logs, tail)
            if host.task is None or host.task.done():
                host.task = asyncio.create_task(self._listen(host), name=f"logs {name}")

    def _is_several(self) -> bool:
        """Whether lines need to say whose they are."""
        return len({(s.alloc.id, s.task) for s, _ in self._sources.values()}) > 1

    def _host(self, name: str) -> _Host:
        job = self._job.current.job if self._job and self._job.current else None
        followed = None
        if job is not None:
            cluster = self.ties.workspace.config.cluster
            followed = FollowedJob(cluster=cluster, namespace=job.namespace, job_id=job.id)
        where = data_dir(name, self.ties.inventory)
        host = _Host(name=name, follower=HostFollower(data_dir=where, job=followed))
        self._hosts[name] = host
        return host

    async def _look(self) -> bool:
        """Let new allocations of the job join; return whether more of them may be due."""
        if self._job is None:
            self._give_up(self._missing)
            return False
        state = self._job = await self._read(self._job)
        known = {a.id for a in state.allocs if state.run and not a.terminal}
        awaited = {k for k in self._missing if k.alloc_id in known}
        self._give_up(self._missing - awaited)
        self._missing.clear()
        joining = [
            source
            for alloc in state.allocs
            if alloc.id not in self._known
            for source in of_alloc(self.wanted, Found(state=state, alloc=alloc))
        ]
        self._known |= {a.id for a in state.allocs}
        again = [self._sources[k][0] for k in awaited]
        since = self.wanted.tail.since if self.wanted.tail else 0
        await self._add([*again, *joining], Tail(since=since))
        for source in joining:
            note(clean(f"{source.label}: followed from now on"))
        return bool(state.run)

    async def _read(self, job: JobState) -> JobState:
        """Return the job's records; the old ones while the ledger can't be read."""
        try:
            snapshot = await asyncio.to_thread(self.ties.ledger.read)
        except OrchError as e:
            if not self._tasks():
                raise
            if not self._is_blind:
                note(clean(f"{e.message}: new allocations are not seen"))
            self._is_blind = True
            return job
        self._is_blind = False
        return snapshot.folded().job(job.key)

    def _give_up(self, missing: set[LogSource]) -> None:
        for key in sorted(missing, key=lambda k: (k.alloc_id, k.task)):
            self._missing.discard(key)
            host = self._sources[key][0].alloc.node
            error = NoLogsError(
                f"{host}: there are no logs of allocation {key.alloc_id[:8]}",
                "its directory was removed",
            )
            self._fail({key}, error)

    # -- what hosts tell ----------------------------------------------------------------------

    async def _listen(self, host: _Host) -> None:
        """Write what a host tells until its outputs have ended, through losses of it."""
        pause = _FIRST_PAUSE
        while host.follower.has_outputs:
            try:
                transport = await self.ties.connector.connect(host.name)
                coming = cast("AsyncGenerator[News]", host.follower.news(transport))
                async with aclosing(coming) as news:
                    async for each in news:
                        pause = _FIRST_PAUSE
                        self._take(host, each)
            except HostError as e:
                if e.fault not in _PASSING or not host.begun:
                    raise
                self._is_lost(host, e)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _take(self, host: _Host, news: News) -> None:
        match news:
            case Ready():
                self._is_back(host)
            case Printed():
                self._sources[news.source][1].feed(news.data)
            case Ended():
                self._end(news)
            case Appeared():
                self._news.set()

    def _end(self, ended: Ended) -> None:
        source, lines = self._sources[ended.source]
        lines.end()
        self._news.set()
        if ended.missing:
            self._missing.add(ended.source)
            return
        self._over.add(ended.source)
        if self._is_several():
            which = f" ({source.stream})" if len(self.wanted.streams) > 1 else ""
            note(clean(f"{source.label}: its output{which} has ended"))

    def _is_lost(self, host: _Host, error: HostError) -> None:
        if not host.lost:
            host.lost = True
            note(f"{clean(error.message).strip().rstrip(':')}; connecting again…")

    def _is_back(self, host: _Host) -> None:
        host.begun = True
        if host.lost:
            host.lost = False
            note(f"{host.name}: connected again")

    async def _close(self) -> None:
        """End what still listens, and write what is left of last lines."""
        tasks = self._tasks()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _, lines in self._sources.values():
            lines.end()
