"""What people decide about nodes: whether they take anything new, and that they are drained."""

from __future__ import annotations

from dataclasses import replace

from gitops.orders import Orders
from gitops.planning import Desired
from planner.drain import Drained, next_to_leave, staying
from planner.errors import OrchError
from planner.job import SECOND, Job
from planner.node_record import DrainStrategy, NodeRecord
from planner.observed import NodeStatus
from planner.orders import NODE_DRAIN
from planner.recorded import JobState, Recorded
from planner.status import statuses
from tests.simulate.chance import Chance
from tests.simulate.command import Command

# Looks that a drain takes before its person gives up.
_ROUNDS = 10
_PAUSE = 3.0


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
        await _drained(command, record, chance)


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


async def _drained(command: Command, record: NodeRecord, chance: Chance) -> None:
    strategy = DrainStrategy(
        deadline=int(chance.one_of((-1, 0, 10 * SECOND))),
        ignore_system=chance.happens(0.3),
        started=command.process.now(),
    )
    await _record(command, replace(record, eligible=False, drain=strategy), "drained")
    began = command.process.monotonic()
    base = command.manner
    for _ in range(_ROUNDS):
        read, _ = await command.planned(Desired(jobs=()))
        node = read.observed.nodes.get(record.name)
        if node is None or node.status is not NodeStatus.READY:
            raise OrchError(f"{record.name} does not answer: what runs there stays as it is")
        drained = Drained(
            node=record.name,
            strategy=strategy,
            found={
                k: v
                for s in read.recorded.jobs.values()
                for k, v in statuses(s, read.observed).items()
            },
            watched=command.process.monotonic() - began,
        )
        if not staying(read.recorded, drained):
            await _record(command, replace(record, eligible=False, drain=None), "empty")
            return
        if chosen := next_to_leave(read.recorded, drained):
            orders = Orders(trigger=NODE_DRAIN, migrates=chosen)
            command.manner = replace(base, orders=orders)
            await command.apply(_as_recorded(read.recorded, chosen))
            command.manner = base
        await command.process.sleep(_PAUSE)


def _as_recorded(recorded: Recorded, chosen: frozenset[str]) -> Desired:
    """The jobs of those allocations, as they are."""
    states = (s for _, s in sorted(recorded.jobs.items()))
    mine = [s for s in states if any(a.id in chosen for a in s.allocs)]
    return Desired(jobs=tuple(_job(s) for s in mine if s.current is not None))


def _job(state: JobState) -> tuple[str, Job]:
    assert state.current is not None
    return state.current.path, state.current.job
