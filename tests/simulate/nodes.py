"""What people decide about nodes: whether they take anything new, and that they are drained."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from executors.clock import Clock
from executors.run import Run
from gitops.draining import DrainWatches, begin_drain, end_drain, go_on
from gitops.exit_codes import INTERRUPTED
from gitops.looking import looking_run
from gitops.orders import Orders
from gitops.planning import Desired, Look
from planner.job import SECOND
from planner.node_record import DrainStrategy, NodeRecord
from planner.recorded import JobState
from tests.simulate.chance import Chance
from tests.simulate.command import Command


async def decided(command: Command, chance: Chance) -> None:
    """Close, open or drain some node. Raises `OrchError`."""
    known = await _nodes(command)
    if not known:
        return
    record = chance.one_of(known)
    if record.drain is not None or (not record.eligible and chance.happens(0.7)):
        await _record(command, replace(record, eligible=True, drain=None), "opened")
    elif chance.happens(0.4):
        await _record(command, replace(record, eligible=False), "closed")
    else:
        strategy = DrainStrategy(
            deadline=int(chance.one_of((-1, 0, 10 * SECOND))),
            ignore_system=chance.happens(0.3),
            started=command.process.now(),
        )
        await _drained(command, record, strategy)


async def emptied(command: Command, name: str) -> None:
    """Drain a node at the pace of its groups, and let it take new allocations again."""
    for record in await _nodes(command):
        if record.name == name:
            strategy = DrainStrategy(deadline=-1, started=command.process.now())
            await _drained(command, record, strategy)
            await _record(command, replace(record, eligible=True, drain=None), "opened")


async def opened(command: Command) -> None:
    """Let all nodes take new allocations again."""
    for record in await _nodes(command):
        if not record.eligible or record.drain is not None:
            await _record(command, replace(record, eligible=True, drain=None), "opened")


async def _nodes(command: Command) -> list[NodeRecord]:
    snapshot = await command.process.blocking(command.place.ledger.read)
    return [r for _, r in sorted(snapshot.recorded.nodes.items())]


async def _record(command: Command, record: NodeRecord, word: str) -> None:
    """Decide something about a node, as its commands do."""
    process, ledger = command.process, command.place.ledger
    snapshot = await process.blocking(ledger.read)
    standing = snapshot.recorded.nodes[record.name]
    new = replace(standing, eligible=record.eligible, drain=record.drain)
    message = f"{record.name}: {word}"
    await process.blocking(lambda: ledger.commit(snapshot, [], [new], message=message, guards=[]))
    command.tell(f"{record.name} is {word}")


async def _drained(command: Command, record: NodeRecord, strategy: DrainStrategy) -> None:
    process, ledger = command.process, command.place.ledger
    begun = await process.blocking(lambda: begin_drain(ledger, record.name, strategy))
    command.tell(f"{record.name} is drained")
    course = command.draining(ways=_Ways(command), record=begun)
    if await course.run() != INTERRUPTED:
        await process.blocking(lambda: end_drain(ledger, course.record))
        command.tell(f"{record.name} is empty")


async def gone_on(command: Command, watches: DrainWatches) -> None:
    """Go on with the drains that are under way, as each turn of `orch reconcile` does."""
    snapshot = await command.process.blocking(command.place.ledger.read)

    async def end(record: NodeRecord) -> None:
        await command.process.blocking(lambda: end_drain(command.place.ledger, record))

    await go_on(_Ways(command), snapshot.recorded, watches, end)


@dataclass(frozen=True, slots=True)
class _Ways:
    """What a drain looks at, and how its moves are carried out: by this command."""

    command: Command

    @property
    def clock(self) -> Clock:
        return self.command.process

    async def look(self) -> Look:
        read, _ = await self.command.planned(Desired(jobs=()))
        return read

    async def drive(self, jobs: Sequence[JobState], orders: Orders) -> int:
        known = [(s, s.current) for s in jobs if s.current is not None]
        orders = replace(
            orders,
            commits={s.key: v.commit for s, v in known},
            expects={s.key: s.job_modify_index for s, _ in known},
        )
        base = self.command.manner
        self.command.manner = replace(base, orders=orders)
        try:
            result = await self.command.apply(
                Desired(jobs=tuple((v.path, v.job) for _, v in known))
            )
        finally:
            self.command.manner = base
        return result.exit_code if result is not None else 0

    def watching(self, look: Look, jobs: Set[str]) -> Run:
        del jobs
        return looking_run(look, self.command.place.fleet, self.command.process)

    def tell(self, text: str) -> None:
        self.command.tell(text)

    def waits(self, text: str) -> None:
        self.command.tell(text)
