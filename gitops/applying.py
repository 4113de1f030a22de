"""From an approved plan to its end: begin in the ledger, carry out on the hosts, fold back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

from executors.apply import carry_out, enrol, forget
from executors.boundary import Boundary, Passing, pass_by
from executors.clock import Clock
from executors.fleet import Fleet
from executors.rollout import Outcome, OutcomeKind
from executors.run import Run
from gitops.begin import Beginning, Begun, begin, enrolled, finish
from gitops.ledger.errors import SealedError
from gitops.ledger.journal import RunInfo
from gitops.ledger.protocol import Ledger
from planner.decide import Stamp
from planner.errors import OrchError
from planner.events import Event, Message
from planner.observed import Observed
from planner.recorded import Recorded

# In their precedence.
_EXIT_CODES = (
    (OutcomeKind.INTERRUPTED, 130),
    (OutcomeKind.CONFLICT, 3),
    (OutcomeKind.FAILED, 5),
    (OutcomeKind.INCOMPLETE, 4),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Everything an apply touches or asks: the real things, or simulated ones."""

    ledger: Ledger
    fleet: Fleet
    clock: Clock
    ids: Callable[[], str]
    tell: Callable[[Event], None]
    at: Passing = pass_by
    stopping: Callable[[], bool] = lambda: False
    # how many jobs, and how many steps on hosts, at a time; 0: all
    parallelism: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an apply came to, the records after it, and the jobs it has purged."""

    outcomes: tuple[Outcome, ...] = ()
    recorded: Recorded = field(default_factory=Recorded)
    purged: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """130: asked to stop; 3: another run took a job; 5: one failed; 4: incomplete; else 0."""
        kinds = {o.kind for o in self.outcomes}
        return next((code for kind, code in _EXIT_CODES if kind in kinds), 0)


async def apply(
    effects: Effects, info: RunInfo, beginning: Beginning, observed: Observed
) -> Result:
    """Carry out the plans of `beginning` as one run; return how each job ended.

    Whatever happens after the begin, what was journalled is folded into the state and the jobs
    are released, unless another run has taken them. Raises a `ConflictError` for that, and where
    a job has moved since it was planned.
    """
    effects.at(Boundary.PLANNED)
    stamp = Stamp(
        now=effects.clock.now(),
        ids=effects.ids,
        run=info.id,
        commit=info.commit,
        repository=info.repository,
        images={
            key: {name: digest for name, digest in each.items() if digest}
            for key, each in beginning.images.items()
        },
    )
    begun = await _begun(effects, info, beginning, stamp)
    effects.at(Boundary.BEGUN)
    run = _run(effects, info, begun, observed)
    outcomes: tuple[Outcome, ...] = ()
    async with _released(effects, begun), _beating(begun, info.ttl):
        if nodes := await enrol(run, begun.nodes):
            known = await asyncio.to_thread(enrolled, effects.ledger, begun, nodes)
            # What the run decides is still of the index at which it took the jobs.
            run.recorded = replace(known.folded(), index=run.recorded.index)
        outcomes = await carry_out(run, begun.plans)
        done = frozenset(o.key for o in outcomes if o.kind is OutcomeKind.DONE)
        begun.purges.update(done & beginning.purges)
        await forget(run, [p for p in begun.plans if p.key in done], begun.purges)
    return Result(outcomes=outcomes, recorded=run.recorded, purged=tuple(sorted(begun.purges)))


async def _begun(effects: Effects, info: RunInfo, beginning: Beginning, stamp: Stamp) -> Begun:
    """Take the jobs. Whoever interrupts this waits for the answer, so that nothing stays held."""
    taking = asyncio.ensure_future(asyncio.to_thread(begin, effects.ledger, info, beginning, stamp))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        begun = await taking
        await asyncio.to_thread(_fold, effects, begun)
        raise


def _at_once(number: int) -> asyncio.Semaphore | None:
    return asyncio.Semaphore(number) if number else None


def _run(effects: Effects, info: RunInfo, begun: Begun, observed: Observed) -> Run:
    return Run(
        id=info.id,
        # With what other runs have placed so far: their ports and memory are taken.
        recorded=begun.snapshot.folded(),
        observed=observed,
        journal=begun.journal,
        fleet=effects.fleet,
        clock=effects.clock,
        ids=effects.ids,
        tell=effects.tell,
        at=effects.at,
        commit=info.commit,
        stopping=effects.stopping,
        jobs_at_once=_at_once(effects.parallelism),
        steps_at_once=_at_once(effects.parallelism),
    )


@contextlib.asynccontextmanager
async def _released(effects: Effects, begun: Begun) -> AsyncGenerator[None]:
    """Fold and release at the end, also when the run was interrupted."""
    try:
        yield
    except SealedError:
        # Taken over: the jobs and the journal are another run's now.
        raise
    except (Exception, asyncio.CancelledError):
        with contextlib.suppress(Exception):
            await asyncio.shield(asyncio.to_thread(_fold, effects, begun))
        raise
    else:
        await asyncio.to_thread(_fold, effects, begun)


def _fold(effects: Effects, begun: Begun) -> None:
    finish(effects.ledger, begun)
    effects.at(Boundary.FOLDED)
    try:
        begun.journal.run.close()
    except OrchError as e:
        # All of it is recorded; the next apply tidies the journal away.
        text = f"The journal of this run could not be removed: {e.message}"
        effects.tell(Message(time=effects.clock.now(), text=text))


@contextlib.asynccontextmanager
async def _beating(begun: Begun, ttl: float) -> AsyncGenerator[None]:
    """Show the run's life in its journal while it waits; end the work if it is sealed."""
    work = asyncio.current_task()
    sealed: list[SealedError] = []

    async def beat() -> None:
        while True:
            await asyncio.sleep(ttl / 3)
            try:
                await asyncio.to_thread(begun.journal.run.beat)
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
