"""Emptying a node: what leaves it in which order, round after round, and what is recorded of that.

The rule is the planner's (`planner.drain`); here it is carried out, wherever one stands: at a
terminal, in a turn of reconciling, or in a simulated world.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from executors.clock import Clock
from executors.run import Run
from gitops.exit_codes import CONFLICT, INCOMPLETE, INTERRUPTED
from gitops.ledger.protocol import Ledger
from gitops.orders import Orders
from gitops.planning import Look
from gitops.replacements import Replacements
from gitops.resolve import node_record_named
from planner.drain import Drained, ending, next_to_leave, short, staying
from planner.errors import ConflictError, OrchError
from planner.job import SECOND
from planner.node_record import DrainStrategy, NodeRecord
from planner.observed import NodeStatus
from planner.orders import NODE_DRAIN
from planner.recorded import Desired, JobState, Recorded
from planner.status import Statuses, statuses

# Seconds between two looks at what took the place of others, and at most between two at all hosts.
_PAUSE, _LONGEST = 1.0, 10.0


def begin_drain(ledger: Ledger, name: str, strategy: DrainStrategy) -> NodeRecord:
    """Record the drain; one that is under way already goes on with the new strategy."""
    snapshot = ledger.read()
    record = node_record_named(name, snapshot.recorded)
    new = replace(record, eligible=False, drain=strategy)
    ledger.commit(snapshot, [], [new], message=f"Drain: {record.name}", guards=[])
    return new


def end_drain(ledger: Ledger, record: NodeRecord) -> NodeRecord:
    """Record that this drain has come to its end, unless another one was decided; return the node.

    It stays ineligible.
    """
    snapshot = ledger.read()
    standing = snapshot.recorded.nodes.get(record.name, record)
    if standing.drain != record.drain:
        return standing
    new = replace(standing, drain=None)
    ledger.commit(snapshot, [], [new], message=f"Drained: {record.name}", guards=[])
    return new


def under_way(recorded: Recorded) -> tuple[str, ...]:
    """Return the nodes of which a drain is recorded that has not come to its end."""
    return tuple(sorted(n.name for n in recorded.nodes.values() if n.drain is not None))


class SilentNodeError(OrchError):
    """A node that is to be emptied does not answer."""


class DrainEndedError(ConflictError):
    """Somebody has ended a drain before its node was empty."""


# Records that a drain has come to its end.
EndDrain: TypeAlias = Callable[[NodeRecord], Awaitable[object]]


class Ways(Protocol):
    """How a drain looks at the world, and has things carried out there."""

    @property
    def clock(self) -> Clock:
        """What time it is there."""
        ...

    async def look(self) -> Look:
        """Read the ledger, and observe all hosts."""
        ...

    async def drive(self, jobs: Sequence[JobState], orders: Orders) -> int:
        """Carry out jobs as they are recorded, under these orders; return the exit code."""
        ...

    def watching(self, look: Look, jobs: Set[str]) -> Run:
        """Return a run that looks at allocations of these jobs (keys), and knows what was found."""
        ...

    def tell(self, text: str, /) -> None:
        """Say what has become of an allocation."""
        ...

    def waits(self, text: str, /) -> None:
        """Say what is waited for."""
        ...


@dataclass(slots=True, kw_only=True)
class DrainWatch:
    """What one process knows of a drain: since when (monotonic seconds) it watches it.

    `judged` are ids of allocations that took the place of others, and of which it is known how
    they fare.
    """

    since: float | None = None
    judged: set[str] = field(default_factory=set[str])


@dataclass(slots=True, kw_only=True)
class Draining:
    """One drain that is carried out: round after round, until nothing is left that may leave.

    It is followed as it is recorded: somebody may give it another deadline, or end it.

    Without patience it ends where something is left that may not leave yet; `watch` is what its
    process knows from earlier turns. Of several that see to one node each takes what the others
    leave, and at one pace.
    """

    ways: Ways
    record: NodeRecord
    patient: bool = True
    watch: DrainWatch = field(default_factory=DrainWatch)
    replacements: Replacements = field(init=False)
    # ids of allocations that were told to leave
    moved: set[str] = field(init=False, default_factory=set[str])
    # whether somebody wants it to stop
    _interrupted: bool = field(init=False, default=False)
    # ids of runs that held jobs of them
    _met: set[str] = field(init=False, default_factory=set[str])
    # (job key, name) of groups of which anything is on the node, or has been
    _groups: set[tuple[str, str]] = field(init=False, default_factory=set[tuple[str, str]])

    def __post_init__(self) -> None:
        if self.watch.since is None:
            self.watch.since = self.ways.clock.monotonic()
        self.replacements = Replacements(watching=self.ways.watching, judged=self.watch.judged)

    async def run(self) -> int:
        """Go round by round; return the worst exit code of what was carried out.

        Raises `SilentNodeError` where the node does not answer, `DrainEndedError` where somebody
        has ended the drain.
        """
        code, pause, tended = 0, _PAUSE, False
        while True:
            read = await self._settled()
            if self._interrupted:
                return INTERRUPTED
            drained = self._drained(read)
            if not (staying(read.recorded, drained) or ending(read.recorded, drained)):
                return code
            self._refuse_ended(read)
            self._refuse_silence(read)
            if chosen := next_to_leave(read.recorded, drained):
                code = max(code, await self._moved(read.recorded, chosen))
                pause, tended = _PAUSE, False
            else:
                end = await self._tended(read.recorded, drained)
                if end == INTERRUPTED or (tended and not self.patient):
                    return max(code, end, INCOMPLETE)
                tended, pause = True, min(pause * 2, _LONGEST)
                await self._rest(pause if self.patient else 0)
            if code == INTERRUPTED or (code and not self.patient):
                return code

    async def _rest(self, seconds: float) -> None:
        """Wait, but not beyond the deadline."""
        deadline = self._strategy.deadline
        left = deadline / SECOND - self._watched if deadline >= 0 else seconds
        await self.ways.clock.sleep(max(min(seconds, left), 0))

    async def _tended(self, recorded: Recorded, drained: Drained) -> int:
        """See to jobs for which nothing can leave: what was interrupted, or is short of places."""
        behind = ending(recorded, drained).keys() | short(recorded, drained)
        jobs = [s for s in recorded.jobs.values() if s.key in behind]
        if not jobs:
            self.ways.waits(f"{self.record.name}: nothing more may leave yet; the drain waits")
            return 0
        names = ", ".join(sorted(behind))
        self.ways.waits(f"{names}: not all runs, or has ended, as it should; the drain waits")
        return await self._driven(jobs, Orders(trigger=NODE_DRAIN))

    async def _settled(self) -> Look:
        """Look, and again once it is known how those fare that took the place of others.

        At the deadline nothing is waited for any more.
        """
        while True:
            read = await self.ways.look()
            self._follow(read)
            self._groups |= self._concerned(read)
            if await self._took_over(read.recorded) and not self._interrupted:
                continue
            self.replacements.notice(read, self._groups)
            if not self.replacements.unproven or self._is_due or self._interrupted:
                return read
            until = self.ways.clock.monotonic() + _LONGEST
            while self.replacements.unproven and not self._is_due:
                await self.replacements.look()
                await self.ways.clock.sleep(_PAUSE)
                if self.ways.clock.monotonic() >= until:
                    break  # somebody may have decided otherwise

    async def _took_over(self, recorded: Recorded) -> bool:
        """Go on with what runs have begun that hold jobs of these groups, if they are dead.

        Each is tried once: one that lives is left alone. Returns whether anything was tried.
        """
        mine = {key for key, _ in self._groups}
        held = [
            s for s in recorded.jobs.values() if s.key in mine and s.run and s.run not in self._met
        ]
        self._met |= {s.run for s in held}
        for state in held:
            code = await self._driven([state], Orders(trigger=NODE_DRAIN))
            self._interrupted |= code == INTERRUPTED
        return bool(held)

    def _concerned(self, read: Look) -> set[tuple[str, str]]:
        """The groups of what is to leave, and of what left since the drain was decided."""
        node, started = self.record.name, self._strategy.started
        drained = self._drained(read)
        left = (*staying(read.recorded, drained).items(), *ending(read.recorded, drained).items())
        return {(key, a.group) for key, allocs in left for a in allocs} | {
            (key, a.group)
            for key, state in read.recorded.jobs.items()
            for a in state.allocs
            if a.node == node and a.next and a.modified >= started
        }

    @property
    def _watched(self) -> float:
        now = self.ways.clock.monotonic()
        return now - (now if self.watch.since is None else self.watch.since)

    @property
    def _is_due(self) -> bool:
        return 0 <= self._strategy.deadline <= self._watched * SECOND

    @property
    def _strategy(self) -> DrainStrategy:
        return self.record.drain or DrainStrategy(deadline=0)

    def _drained(self, read: Look) -> Drained:
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

    def _follow(self, read: Look) -> None:
        """Go on with the drain as it is recorded by now; a new deadline counts from now on."""
        standing = read.recorded.nodes.get(self.record.name)
        if standing is not None and standing.drain not in (None, self.record.drain):
            self.record = standing
            self.watch.since = self.ways.clock.monotonic()

    def _refuse_ended(self, read: Look) -> None:
        name = self.record.name
        standing = read.recorded.nodes.get(name)
        if standing is None or standing.drain is None:
            raise DrainEndedError(
                f"somebody has ended the drain of {name}: what has not left stays",
                f"To empty it all the same: orch node drain -enable {name}",
            )

    def _refuse_silence(self, read: Look) -> None:
        name = self.record.name
        node = read.observed.nodes.get(name)
        if node is None or node.status is not NodeStatus.READY:
            raise SilentNodeError(
                f"{name} does not answer: what runs there stays as it is",
                f"Drain it when it is back; or, if it is gone for good: orch apply -lost {name}",
            )

    async def _moved(self, recorded: Recorded, chosen: frozenset[str]) -> int:
        """Stop allocations, and start others in their places; return the exit code."""
        jobs = [s for s in recorded.jobs.values() if any(a.id in chosen for a in s.allocs)]
        for alloc in sorted(chosen):
            self.ways.tell(f'Alloc "{alloc}" marked for migration')
        # Chosen by what was known then: others may have moved some of the same groups since.
        stands = {s.key: s.modify_index for s in jobs}
        orders = Orders(trigger=NODE_DRAIN, migrates=chosen, stands=stands)
        code = await self._driven(jobs, orders)
        after = await self.ways.look()
        for before in jobs:
            now = after.recorded.job(before.key)
            for old in (a for a in before.allocs if a.id in chosen):
                new = now.alloc(old.id) or old
                if new.client is not old.client:
                    self.ways.tell(f'Alloc "{old.id}" status {old.client} -> {new.client}')
                if new.desired is Desired.STOP:
                    self.moved.add(old.id)
        return code

    async def _driven(self, jobs: Sequence[JobState], orders: Orders) -> int:
        """Drive jobs; where another run has just taken one of them, the others all the same."""
        try:
            code = await self.ways.drive(jobs, orders)
        except ConflictError as e:
            self.ways.waits(f"{e.message}: the drain waits for that")
            code = CONFLICT
        if code != CONFLICT:
            return code
        if len(jobs) > 1:
            return max([await self._driven([job], orders) for job in jobs])
        await self.ways.clock.sleep(_PAUSE)
        return 0 if self.patient else INCOMPLETE


@dataclass(slots=True)
class DrainWatches:
    """What a process knows of the drains that it goes on with in several turns."""

    _known: dict[tuple[str, int], DrainWatch] = field(
        default_factory=dict[tuple[str, int], DrainWatch]
    )

    def of(self, record: NodeRecord) -> DrainWatch:
        """Return what is known of this drain of a node: nothing, where it is a new one."""
        started = record.drain.started if record.drain else 0
        return self._known.setdefault((record.name, started), DrainWatch())


async def go_on(ways: Ways, known: Recorded, watches: DrainWatches, end: EndDrain) -> int:
    """Go on with the drains that `known` has under way, as far as anything may leave.

    `watches` are kept from turn to turn: until when batch jobs may stay counts from the first one.
    `end` records that a node is empty. Returns the exit code: 4 where something has yet to leave.
    """
    code = 0
    for name in under_way(known):
        ways.waits(f"Node {name} is being drained: going on with it")
        record = known.nodes[name]
        draining = Draining(ways=ways, record=record, patient=False, watch=watches.of(record))
        try:
            came_to = await draining.run()
        except SilentNodeError as e:
            ways.waits(f"{e.message}; its drain waits for it. {e.hint}")
            came_to = INCOMPLETE
        except DrainEndedError as e:
            ways.waits(e.message)
            continue
        if came_to == INTERRUPTED:
            return came_to
        if not came_to:
            await end(draining.record)
            ways.tell(f"Drain complete for node {record.id}")
        code = max(code, came_to)
    return code
