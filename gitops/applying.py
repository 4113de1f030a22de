"""From an approved plan to its end: begin in the ledger, carry out on the hosts, fold back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from executors.boundary import Boundary
from executors.outcome import Outcome, OutcomeKind
from executors.run import Run
from gitops.begin import Beginning, Begun, begin
from gitops.course import Course, fold
from gitops.effects import Effects
from gitops.exit_codes import CONFLICT, FAILED, INCOMPLETE, INTERRUPTED
from gitops.ledger.journal import RunInfo
from planner.decide import Stamp
from planner.observed import Observed
from planner.recorded import Recorded

# In their precedence.
_EXIT_CODES = (
    (OutcomeKind.INTERRUPTED, INTERRUPTED),
    (OutcomeKind.CONFLICT, CONFLICT),
    (OutcomeKind.FAILED, FAILED),
    (OutcomeKind.INCOMPLETE, INCOMPLETE),
)


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
    before = effects.clock.monotonic()
    begun = await _begun(effects, info, beginning, stamp)
    effects.at(Boundary.BEGUN)
    run = _run(effects, info, begun, observed)
    run.proved, run.lease = before, info.ttl
    course = Course(
        effects=effects,
        begun=begun,
        run=run,
        ttl=info.ttl,
        purges=beginning.purges,
    )
    outcomes = await course.followed()
    return Result(
        outcomes=outcomes, recorded=course.run.recorded, purged=tuple(sorted(begun.purges))
    )


async def _begun(effects: Effects, info: RunInfo, beginning: Beginning, stamp: Stamp) -> Begun:
    """Take the jobs. Whoever interrupts this waits for the answer, so that nothing stays held."""
    taking = asyncio.ensure_future(
        effects.blocking(lambda: begin(effects.ledger, info, beginning, stamp))
    )
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        begun = await taking
        await effects.blocking(lambda: fold(effects, begun))
        raise


def _at_once(number: int) -> asyncio.Semaphore | None:
    return asyncio.Semaphore(number) if number else None


def _run(effects: Effects, info: RunInfo, begun: Begun, observed: Observed) -> Run:
    return Run(
        id=info.id,
        # With what other runs have placed so far: their ports and memory are taken.
        recorded=begun.snapshot.folded(),
        records=lambda: effects.ledger.read().folded(),
        observed=observed,
        journal=begun.journal,
        fleet=effects.fleet,
        clock=effects.clock,
        ids=effects.ids,
        tell=effects.tell,
        at=effects.at,
        heard={r.id for p in begun.plans for r in begun.snapshot.recorded.job(p.key).requests},
        blocking=effects.blocking,
        commit=info.commit,
        can_open=effects.can_open,
        order=effects.order,
        stopping=effects.stopping,
        jobs_at_once=_at_once(effects.parallelism),
        steps_at_once=_at_once(effects.parallelism),
    )
