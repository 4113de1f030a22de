"""The course of a run that has begun: it beats, hears what people ask, drives its jobs, and folds.

While it holds a job whatever is asked of that one is for the run to answer: it lets the job go only
in a decision on which nothing waits that it has not heard of.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors.apply import carry_out, enrol, forget, standing
from executors.boundary import Boundary
from executors.outcome import Outcome, OutcomeKind, latest
from executors.run import Run
from gitops.begin import Begun, enrolled, finish
from gitops.effects import Effects
from gitops.ledger.errors import AskedError, RewoundError, SealedError
from gitops.ledger.protocol import Snapshot
from planner.errors import OrchError
from planner.events import Message
from planner.plan import JobPlan
from planner.request import Request


@dataclass(slots=True, kw_only=True)
class Course:
    """Follows one run from its begin to its end. `ttl` in seconds is its lease."""

    effects: Effects
    begun: Begun
    run: Run
    ttl: float
    # keys of jobs to forget once they are stopped
    purges: frozenset[str] = frozenset()
    # whoever reads the ledger and takes it in: what was read first is taken in first
    ledger: asyncio.Lock = field(default_factory=asyncio.Lock)
    # the state as it was read last, by its commit
    known: str = field(init=False)
    ends: dict[str, Outcome] = field(init=False, default_factory=dict[str, Outcome])
    # ids of requests for which a job was driven once more, or from the start
    tried: set[str] = field(init=False, default_factory=set[str])

    def __post_init__(self) -> None:
        self.known = self.begun.snapshot.head

    async def followed(self) -> tuple[Outcome, ...]:
        """Drive the jobs to their ends, fold, and return those ends, in the order of the plans.

        Also where that is interrupted what was journalled is folded, and the jobs are released.
        """
        async with self._released(), self._beating():
            await self._enrol()
            await self._drive(self.begun.plans)
        while asked := await self._still_asked():
            async with self._released(), self._beating():
                await self._drive([standing(self.run, p) for p in asked])
        return tuple(self.ends[p.key] for p in self.begun.plans)

    async def _enrol(self) -> None:
        nodes = await enrol(self.run, self.begun.nodes)
        if not nodes:
            return
        async with self.ledger:
            blocking, ledger = self.effects.blocking, self.effects.ledger
            state = await blocking(lambda: enrolled(ledger, self.begun, nodes))
            # What the run decides is still of the index at which it took the jobs.
            self.run.recorded = replace(state.folded(), index=self.run.recorded.index)
            self.run.heard.update(r.id for rs in self._requests(state).values() for r in rs)

    async def _drive(self, plans: Sequence[JobPlan]) -> None:
        self.tried |= {r.id for p in plans for r in self.run.state(p.key).requests}
        outcomes = await carry_out(self.run, plans)
        self.ends |= {o.key: latest(self.ends.get(o.key), o) for o in outcomes}
        done = frozenset(o.key for o in outcomes if o.kind is OutcomeKind.DONE)
        self.begun.purges.update(done & self.purges)
        await forget(self.run, [p for p in plans if p.key in done], self.begun.purges)

    async def _still_asked(self) -> list[JobPlan]:
        """Fold and let go; or return the jobs of which somebody has asked something meanwhile.

        What a job was driven for and is not answered, because the run was told to stop or has lost
        the job, waits for whoever takes the job next.
        """
        waiting = {p.key: self.run.state(p.key).requests for p in self.begun.plans}
        if not any(r.id not in self.tried for rs in waiting.values() for r in rs):
            try:
                await self.effects.blocking(lambda: fold(self.effects, self.begun, self.run.heard))
                return []
            except AskedError as e:
                self._hear(e.requests)
        waiting = {p.key: self.run.state(p.key).requests for p in self.begun.plans}
        return [p for p in self.begun.plans if any(r.id not in self.tried for r in waiting[p.key])]

    # ── what people ask ──────────────────────────────────────────────────────────────────────

    def _requests(self, state: Snapshot) -> Mapping[str, Sequence[Request]]:
        """Return what waits for the jobs that this run still has."""
        jobs = (state.recorded.job(p.key) for p in self.begun.plans)
        return {job.key: job.requests for job in jobs if job.run == self.run.id}

    def _hear(self, requests: Mapping[str, Iterable[Request]]) -> None:
        for key, asked in requests.items():
            self.run.hear(key, asked)

    async def _look(self) -> None:
        """Read the state, and hear what is asked. Whoever interrupts this waits for its end."""
        async with self.ledger:
            blocking, ledger = self.effects.blocking, self.effects.ledger
            reading = asyncio.ensure_future(blocking(ledger.read))
            try:
                state = await asyncio.shield(reading)
            except asyncio.CancelledError:
                await asyncio.gather(reading, return_exceptions=True)
                raise
            self.known = state.head
            self._hear(self._requests(state))

    # ── life ─────────────────────────────────────────────────────────────────────────────────

    @contextlib.asynccontextmanager
    async def _beating(self) -> AsyncGenerator[None]:
        """Show the run's life in its journal while it waits; end the work if it is sealed."""
        work = asyncio.current_task()
        sealed: list[SealedError] = []

        async def beat() -> None:
            while True:
                await asyncio.sleep(self.ttl / 3)
                try:
                    await self._beat()
                except SealedError as e:
                    sealed.append(e)
                    if work is not None:
                        work.cancel()
                    return
                except OrchError:
                    # A beat that was missed is no end: the next one, or an append, will tell.
                    continue

        beating = asyncio.create_task(beat())
        try:
            yield
        except asyncio.CancelledError:
            if sealed:
                raise sealed[0] from None
            raise
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    async def _beat(self) -> None:
        """Beat; where that brings news of the state, look at it.

        A state that went back lets nothing more be begun: the fold is refused for it, and says so.
        """
        journal, known, before = self.begun.journal.run, self.known, self.run.clock.monotonic()
        news = await self.effects.blocking(lambda: journal.beat(known))
        self.run.proved = max(self.run.proved, before)
        if not news:
            return
        try:
            await self._look()
        except RewoundError:
            self.run.stopping = lambda: True

    @contextlib.asynccontextmanager
    async def _released(self) -> AsyncGenerator[None]:
        """Fold and release where the run is interrupted, whatever is asked of its jobs."""
        try:
            yield
        except SealedError:
            # Taken over: the jobs and the journal are another run's now.
            raise
        except (Exception, asyncio.CancelledError):
            with contextlib.suppress(Exception):
                await asyncio.shield(self.effects.blocking(lambda: fold(self.effects, self.begun)))
            raise


def fold(effects: Effects, begun: Begun, heard: Collection[str] | None = None) -> None:
    """Fold a run's journal into the state, release its jobs, and remove the journal.

    Raises as `finish`.
    """
    finish(effects.ledger, begun, heard)
    effects.at(Boundary.FOLDED)
    try:
        begun.journal.run.close()
    except OrchError as e:
        # All of it is recorded; the next apply tidies the journal away.
        text = f"The journal of this run could not be removed: {e.message}"
        effects.tell(Message(time=effects.clock.now(), text=text))
