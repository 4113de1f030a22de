"""What `orch system gc` does: look, say what can go, ask, and remove it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gitops.cli.answer import answered
from gitops.cli.asking import can_ask, confirmed
from gitops.cli.look import advise, session, workspace
from gitops.cli.say import note, say, say_json
from gitops.collecting import Collected, collect
from gitops.exit_codes import INCOMPLETE
from gitops.garbage import Left, found, unrecorded_live
from gitops.ledger.process import is_gone
from gitops.view.garbage_text import counted, garbage_data, garbage_list
from gitops.view.names import few
from gitops.view.options import StatusView
from gitops.view.safe import clean
from planner.errors import OrchError

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How it is shown, and whether to ask; as JSON nothing is removed without `yes`."""

    yes: bool = False
    json: bool = False
    limit: str = ""
    view: StatusView


async def gc(wish: Wish) -> int:
    """Remove what nothing needs; return 4 where a host is unknown or something has stayed."""
    async with session(workspace(), wish.limit) as ties:
        look = await ties.look()
        advise(ties)
        # Only now: what began while hosts were looked at is recorded.
        left = Left(
            snapshot=await asyncio.to_thread(ties.ledger.read),
            observed=look.observed,
            probes=ties.observer.probes,
            cluster=ties.workspace.config.cluster,
        )
        dead = {i for i, run in left.snapshot.runs.items() if is_gone(run.info.process)}
        items = found(left, dead, ties.now())
        answer = answered(garbage_list(items, wish.view), None, look)
        if not wish.json:
            say(answer.text)
        if live := [clean(name) for name in unrecorded_live(left)]:
            note(f"Not recorded, and left alone since it should run: {few(live, _NAMED)}")
        done = Collected()
        if items and await _wanted(wish):
            done = await collect(ties, left, items)
    for problem in done.problems:
        note(problem)
    if wish.json:
        say_json(garbage_data(items, done.gone))
    elif done.gone:
        say(f"\nRemoved {counted(done.gone)}.")
    return INCOMPLETE if done.problems else answer.exit_code


async def _wanted(wish: Wish) -> bool:
    if wish.yes or wish.json:
        return wish.yes
    if not can_ask():
        raise OrchError("without a terminal this needs approval; nothing was touched", "Give -yes.")
    if not await confirmed("Do you want to remove this?"):
        raise OrchError("not approved; nothing was touched")
    return True
