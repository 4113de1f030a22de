"""What `orch node drain` and `node eligibility` do: decisions about a node, carried out here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gitops.cli.answer import Answer
from gitops.cli.asking import approve
from gitops.cli.driving import Manner, as_recorded, drive
from gitops.cli.look import Look, advise, session, workspace
from gitops.cli.migrating import Replacements
from gitops.cli.say import note, note_once, say, say_json
from gitops.exit_codes import CONFLICT, INCOMPLETE, INTERRUPTED
from gitops.ledger_home import ledger_of
from gitops.orders import Orders
from gitops.planning import Look as Read
from gitops.resolve import node_record_named
from gitops.session import Session
from gitops.view.decision_json import node_decision, node_drain
from gitops.view.moment import timestamp
from planner.drain import Drained, next_to_leave, staying
from planner.errors import ConflictError, OrchError
from planner.job import SECOND
from planner.node_record import DrainStrategy, NodeRecord
from planner.observed import NodeStatus
from planner.orders import NODE_DRAIN
from planner.recorded import Recorded
from planner.status import Statuses, statuses

# Seconds between two looks at a node from which nothing may leave yet.
_PAUSE = 1.0


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
        record = await asyncio.to_thread(_begin, ties, name, strategy)
        tell(f'Node "{record.id}" drain strategy set')
        shown = look.silent() if look.json else look
        draining = Draining(ties=ties, look=shown, record=record, tell=tell)
        code = await draining.run()
        if code != INTERRUPTED:
            record = await asyncio.to_thread(_end, ties, record)
            tell(f"Drain complete for node {record.id}")
            tell(f'All allocations on node "{record.id}" have stopped')
        if look.json:
            recorded = (await asyncio.to_thread(ties.ledger.read)).folded()
            say_json(node_drain(record, recorded, draining.moved))
        return code


def _begin(ties: Session, name: str, strategy: DrainStrategy) -> NodeRecord:
    """Record the drain; one that is under way already goes on with the new strategy."""
    snapshot = ties.ledger.read()
    record = node_record_named(name, snapshot.recorded)
    new = replace(record, eligible=False, drain=strategy)
    ties.ledger.commit(snapshot, [], [new], message=f"Drain: {record.name}", guards=[])
    return new


def _end(ties: Session, record: NodeRecord) -> NodeRecord:
    snapshot = ties.ledger.read()
    standing = snapshot.recorded.nodes.get(record.name, record)
    new = replace(standing, drain=None)
    ties.ledger.commit(snapshot, [], [new], message=f"Drained: {record.name}", guards=[])
    return new


def _tell(text: str) -> None:
    say(f"{timestamp(time.time_ns())}: {text}")


def _note(text: str) -> None:
    note(f"{timestamp(time.time_ns())}: {text}")


def under_way(recorded: Recorded) -> tuple[str, ...]:
    """Return the nodes of which a drain is recorded that has not come to its end."""
    return tuple(sorted(n.name for n in recorded.nodes.values() if n.drain is not None))


def drain_advice(recorded: Recorded) -> list[str]:
    """Return a sentence for each of them: what becomes of it, and how it ends."""
    return [
        f"Node {name} is being drained: an apply of the whole repository goes on with it. "
        f"'orch node drain -disable {name}' ends that."
        for name in under_way(recorded)
    ]


async def go_on(ties: Session, look: Look, began: dict[str, float]) -> int:
    """Go on with the drains that were under way at the last look, as far as anything may leave.

    `began` is when (monotonic seconds) each node was first found so by this process, which
    fills it in: until when batch jobs may stay counts from there. Returns the exit code: 4 where
    something has yet to leave.
    """
    code = 0
    for name in under_way(ties.known):
        record = ties.known.nodes[name]
        since = began.setdefault(name, time.monotonic())
        note_once(f"Node {name} is being drained: going on with it")
        draining = Draining(
            ties=ties,
            look=look.silent(),
            record=record,
            tell=_note,
            patient=False,
            began=since,
        )
        try:
            end = await draining.run()
        except SilentNodeError as e:
            note_once(f"{e.message}; its drain waits for it")
            end = INCOMPLETE
        if end == INTERRUPTED:
            return end
        if not end:
            await asyncio.to_thread(_end, ties, record)
            began.pop(name)
            _note(f"Drain complete for node {record.id}")
        code = max(code, end)
    return code


class SilentNodeError(OrchError):
    """A node that is to be emptied does not answer."""


@dataclass(slots=True, kw_only=True)
class Draining:
    """One drain that is carried out: round after round, until nothing is left that may leave.

    Without patience it ends where something is left that may not leave yet. `began` is since when
    (monotonic seconds) the node is watched. Of several that see to one node each takes what the
    others leave.
    """

    ties: Session
    look: Look
    record: NodeRecord
    tell: Callable[[str], None] = _tell
    patient: bool = True
    began: float = field(default_factory=time.monotonic)
    replacements: Replacements = field(init=False)
    # ids of allocations that were told to leave
    moved: set[str] = field(init=False, default_factory=set[str])

    def __post_init__(self) -> None:
        self.replacements = Replacements(ties=self.ties)

    async def run(self) -> int:
        """Go round by round; return the worst exit code of what was carried out."""
        code = 0
        await self._take_over()
        while True:
            read = await self.ties.look()
            advise(self.ties)
            drained = self._drained(read)
            if not staying(read.recorded, drained):
                return code
            self._refuse_silence(read)
            chosen = next_to_leave(read.recorded, drained)
            if chosen:
                code = max(code, await self._moved(read.recorded, chosen))
            elif self.patient:
                await asyncio.sleep(_PAUSE)
            else:
                return max(code, INCOMPLETE)
            if code == INTERRUPTED or (code and not self.patient):
                return code
            await self._wait()

    async def _take_over(self) -> None:
        """Wait for those that moved before, if the drain was interrupted behind them."""
        read = await self.ties.look()
        node, started = self.record.name, self._strategy.started
        gone = {
            a.id
            for s in read.recorded.jobs.values()
            for a in s.allocs
            if a.node == node and a.next and a.modified >= started
        }
        if gone:
            self.replacements.add(read, gone)
            await self._wait()

    async def _wait(self) -> None:
        """Wait until it is known how the replacements fare, or until the deadline."""
        deadline = self._strategy.deadline
        while self.replacements.unproven:
            if 0 <= deadline <= self._watched * SECOND:
                return
            await self.replacements.look()
            await asyncio.sleep(_PAUSE)

    @property
    def _watched(self) -> float:
        return time.monotonic() - self.began

    @property
    def _strategy(self) -> DrainStrategy:
        return self.record.drain or DrainStrategy(deadline=0)

    def _drained(self, read: Read) -> Drained:
        found: Statuses = {
            k: v for s in read.recorded.jobs.values() for k, v in statuses(s, read.observed).items()
        }
        return Drained(
            node=self.record.name,
            strategy=self._strategy,
            found=found,
            unproven=self.replacements.unproven,
            watched=self._watched,
        )

    def _refuse_silence(self, read: Read) -> None:
        name = self.record.name
        node = read.observed.nodes.get(name)
        if node is None or node.status is not NodeStatus.READY:
            raise SilentNodeError(
                f"{name} does not answer: what runs there stays as it is",
                f"Drain it when it is back; or, if it is gone for good: orch apply -lost {name}",
            )

    async def _moved(self, recorded: Recorded, chosen: frozenset[str]) -> int:
        """Move these; where another run has just taken their jobs, look again later."""
        try:
            code = await self._move(recorded, chosen)
        except ConflictError as e:
            note_once(f"{e.message}: the drain waits for that")
            code = CONFLICT
        if code != CONFLICT:
            return code
        await asyncio.sleep(_PAUSE)
        return 0 if self.patient else INCOMPLETE

    async def _move(self, recorded: Recorded, chosen: frozenset[str]) -> int:
        """Stop allocations, and start others in their places; return the exit code."""
        jobs = [s for s in recorded.jobs.values() if any(a.id in chosen for a in s.allocs)]
        for alloc in sorted(chosen):
            self.tell(f'Alloc "{alloc}" marked for migration')
        manner = Manner(orders=Orders(trigger=NODE_DRAIN, migrates=chosen))
        code = await drive(self.ties, self.look, [as_recorded(s) for s in jobs], manner)
        after = await self.ties.look()
        for before in jobs:
            now = after.recorded.job(before.key)
            for old in (a for a in before.allocs if a.id in chosen):
                new = now.alloc(old.id) or old
                if new.client is not old.client:
                    self.tell(f'Alloc "{old.id}" status {old.client} -> {new.client}')
        self.moved |= chosen
        self.replacements.add(after, chosen)
        return code
