"""Runs that hold the jobs of a plan: a live one is respected, a dead one may be taken over."""

from __future__ import annotations

import asyncio

from gitops.cli.say import note
from gitops.ledger.lease import Holder, LeaseWatch
from gitops.planning import Look
from gitops.session import Session
from planner.errors import ConflictError
from planner.plan import Plan


async def adoptable(ties: Session, made: Plan, read: Look) -> frozenset[str]:
    """Return the runs that hold jobs of the plan and are known to be dead.

    Waits, for a run's `ttl` at the most, until that is known. Raises a `ConflictError` for a run
    that lives, or that has come to its end meanwhile: it has changed what was planned.
    """
    held = {p.held: p.key for p in made.jobs if p.held}
    for run_id, key in held.items():
        run = read.snapshot.runs.get(run_id)
        who = run.info.holder if run else "somebody"
        note(f"Run {run_id[:8]} of {who} holds job {key!r}: looking whether it is alive…")
        holder, _ = await asyncio.to_thread(LeaseWatch().wait, ties.ledger, run_id)
        if holder is Holder.ALIVE or (run and holder is Holder.ENDED):
            raise _taken(run_id, key, who)
        note(f"Run {run_id[:8]} was interrupted; an apply goes on with its work.")
    return frozenset(held)


def refuse_others(made: Plan, dead: frozenset[str]) -> None:
    """Raise a `ConflictError` if a run other than the dead ones holds a job by now."""
    for plan in made.jobs:
        if plan.held and plan.held not in dead:
            raise _taken(plan.held, plan.key, "somebody")


def _taken(run_id: str, key: str, who: str) -> ConflictError:
    return ConflictError(
        f"job {key!r} is being applied by run {run_id[:8]} of {who}",
        "Wait until it is done, then plan again.",
    )
