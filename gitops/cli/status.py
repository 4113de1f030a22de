"""`orch status`: one answer, or with -watch one after the other over the same connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gitops.cli import reading
from gitops.cli.answer import Answer
from gitops.cli.look import session, workspace
from gitops.cli.say import note_once, say, say_json
from gitops.cli.screen import Screen, screen
from gitops.session import Session
from gitops.view.options import StatusView
from gitops.view.safe import clean
from inventory.errors import InventoryError
from planner.errors import OrchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be shown, and how; an empty name means all jobs."""

    name: str
    short: bool = False
    evals: bool = False
    verbose: bool = False
    jobs_only: bool = False

    async def answer(self, ties: Session) -> Answer:
        """Return what there is to say now."""
        view = StatusView(
            now=time.time_ns(), verbose=self.verbose, short=self.short, evals=self.evals
        )
        return await reading.found(ties, self.name, view, jobs_only=self.jobs_only)


def show_status(asked: Asked, interval: float | None, *, json: bool) -> int:
    """Print a status, or watch it, with so many seconds between looks; return the exit code."""
    if interval is None:
        answer = asyncio.run(_once(asked))
        say_json(answer.data) if json else say(answer.text)
        return answer.exit_code
    try:
        with screen(json=json) as shown:
            asyncio.run(_again(asked.answer, interval, shown))
    except KeyboardInterrupt:
        pass  # how one leaves
    return 0


async def _once(asked: Asked) -> Answer:
    async with session(workspace()) as ties:
        return await asked.answer(ties)


async def _again(
    answer: Callable[[Session], Awaitable[Answer]], interval: float, shown: Screen
) -> None:
    async with session(workspace(), stays=True) as ties:
        shown.show(await answer(ties))
        while True:
            await asyncio.sleep(interval)
            try:
                shown.show(await answer(ties))
            except (OrchError, InventoryError) as e:  # a network comes back
                note_once(clean(e.message))
