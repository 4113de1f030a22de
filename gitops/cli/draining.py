"""What `orch node drain` and `node eligibility` do: decisions about a node, attached to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace

from executors.clock import Clock, SystemClock
from executors.run import Run
from gitops import draining
from gitops.cli.answer import Answer
from gitops.cli.asking import approve
from gitops.cli.driving import Manner, as_recorded, drive
from gitops.cli.look import Look, advise, session, workspace
from gitops.cli.say import note, note_once, say, say_json
from gitops.cli.watching import watching
from gitops.draining import Draining, DrainWatches, begin_drain, end_drain, under_way
from gitops.exit_codes import INTERRUPTED
from gitops.ledger_home import ledger_of
from gitops.orders import Orders
from gitops.planning import Look as Read
from gitops.resolve import node_record_named
from gitops.session import Session
from gitops.view.decision_json import node_decision, node_drain
from gitops.view.moment import timestamp
from planner.errors import OrchError
from planner.node_record import DrainStrategy, NodeRecord
from planner.recorded import JobState, Recorded


def set_eligibility(name: str, *, eligible: bool) -> Answer:
    """Decide whether anything new is placed on a node; return what to say."""
    ledger = ledger_of(workspace())
    snapshot = ledger.read()
    record = node_record_named(name, snapshot.recorded)
    if eligible and record.drain is not None:
        raise OrchError(
            f"node {record.name} is being drained",
            f"End that first: orch node drain -disable {record.name}",
        )
    word = "eligible" if eligible else "ineligible"
    new = replace(record, eligible=eligible)
    ledger.commit(snapshot, [], [new], message=f"Node {record.name}: {word}", guards=[])
    told = f'Node "{record.id}" scheduling eligibility set: {word} for scheduling'
    return Answer(text=told, data=node_decision(new))


def disable(name: str, *, keep_ineligible: bool) -> Answer:
    """End a drain; the node takes new allocations again unless told otherwise."""
    ledger = ledger_of(workspace())
    snapshot = ledger.read()
    record = node_record_named(name, snapshot.recorded)
    new = replace(record, drain=None, eligible=not keep_ineligible)
    ledger.commit(snapshot, [], [new], message=f"End drain: {record.name}", guards=[])
    return Answer(text=f'Node "{record.id}" drain strategy unset', data=node_decision(new))


async def drain(name: str, strategy: DrainStrategy, look: Look, *, ask: bool) -> int:
    """Move away what runs on a node, and return the exit code; it stays ineligible."""
    ws = workspace()
    tell = _note if look.json else _tell
    async with session(ws) as ties:
        known = node_record_named(name, (await asyncio.to_thread(ties.ledger.read)).recorded)
        if ask:
            await approve(f"Drain node {known.name}?")
        record = await asyncio.to_thread(begin_drain, ties.ledger, name, strategy)
        tell(f'Node "{record.id}" drain strategy set')
        shown = look.silent() if look.json else look
        course = Draining(ways=_Ways(ties=ties, shown=shown, tell=tell), record=record)
        try:
            code = await course.run()
            if code != INTERRUPTED:
                record = await asyncio.to_thread(end_drain, ties.ledger, course.record)
                tell(f"Drain complete for node {record.id}")
                tell(f'All allocations on node "{record.id}" have stopped')
        except OrchError:
            if look.json:
                with suppress(OrchError):  # it is told why it ended, whatever becomes of this
                    await _say_drained(ties, course)
            raise
        if look.json:
            await _say_drained(ties, course)
        return code


async def _say_drained(ties: Session, course: Draining) -> None:
    """Print what has become of a drain, as the ledger has it."""
    recorded = (await asyncio.to_thread(ties.ledger.read)).folded()
    record = recorded.nodes.get(course.record.name, course.record)
    say_json(node_drain(record, recorded, course.moved))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """The real ledger and hosts; `shown` is how applies on the way are, `tell` takes lines."""

    ties: Session
    shown: Look
    tell: Callable[[str], None]
    clock: Clock = field(default_factory=SystemClock)

    async def look(self) -> Read:
        """Read the ledger, and observe all hosts; say what to do about those that fail."""
        read = await self.ties.look()
        advise(self.ties)
        return read

    async def drive(self, jobs: Sequence[JobState], orders: Orders) -> int:
        """Apply jobs as they are recorded."""
        manner = Manner(orders=orders)
        return await drive(self.ties, self.shown, [as_recorded(s) for s in jobs], manner)

    def watching(self, look: Read, jobs: Set[str]) -> Run:
        """Return a run that looks through the session's connections."""
        return watching(self.ties, look, jobs)

    def waits(self, text: str) -> None:
        """Say it on stderr, once."""
        note_once(text)


def _tell(text: str) -> None:
    say(f"{timestamp(time.time_ns())}: {text}")


def _note(text: str) -> None:
    note(f"{timestamp(time.time_ns())}: {text}")


def drain_advice(recorded: Recorded) -> list[str]:
    """Return a sentence for each of them: what becomes of it, and how it ends."""
    return [
        f"Node {name} is being drained: an apply of the whole repository goes on with it. "
        f"'orch node drain -disable {name}' ends that."
        for name in under_way(recorded)
    ]


async def go_on(ties: Session, look: Look, watches: DrainWatches) -> int:
    """Go on with the drains that were under way at the last look, as far as anything may leave.

    Returns the exit code: 4 where something has yet to leave.
    """
    ways = _Ways(ties=ties, shown=look.silent(), tell=_note)

    async def end(record: NodeRecord) -> None:
        await asyncio.to_thread(end_drain, ties.ledger, record)

    return await draining.go_on(ways, ties.known, watches, end)
