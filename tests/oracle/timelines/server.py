"""orch's own loop on virtual time: each job planned anew every second, and when it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gitops.applying import apply
from gitops.begin import Beginning
from gitops.effects import Effects
from gitops.ledger.journal import RunInfo
from gitops.ledger.protocol import Guard
from gitops.planning import Desired, Look, looked, plan_of, told_to_stop
from gitops.silence import Silence
from planner.job import Job
from planner.nodes import to_enrol
from planner.observed import Observed
from planner.recorded import JobChange, JobState
from planner.source import Source
from tests.oracle.timelines.world import World

T = TypeVar("T")

# Seconds that a call to the ledger takes: a Git host that is not next door.
CALL = 0.3
# Hosts stop answering here when a server would miss their heartbeats: then all is lost, in ns.
_AT_ONCE = 1
# Seconds between two looks at a job of which nobody has asked anything.
TICK = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a command asks of one job: the spec it has from now on, allocations to replace."""

    spec: Callable[[JobState], Job]
    purge: bool = False
    migrates: frozenset[str] = frozenset()
    reschedules: frozenset[str] = frozenset()
    trigger: str = ""
    # what a person has decided about the deployment, before anything else
    intervention: Callable[[JobState, int], JobChange] | None = None


def as_recorded(state: JobState) -> Job:
    """The spec that is recorded."""
    assert state.current is not None
    return state.current.job


async def slowly(call: Callable[[], T], /) -> T:
    """Make a call to the ledger."""
    await asyncio.sleep(CALL)
    return call()


@dataclass(slots=True)
class Worker:
    """Sees to one job, from its first order on."""

    world: World
    key: str
    orders: deque[Order] = field(default_factory=deque[Order])
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    silence: Silence = field(init=False)

    def __post_init__(self) -> None:
        self.silence = Silence(grace=_AT_ONCE, monotonic=self.world.clock.now)

    def ask(self, order: Order) -> None:
        """Give an order; a run that is under way ends first."""
        self.orders.append(order)
        self.woken.set()

    async def serve(self) -> None:
        """Turn after turn, for ever."""
        while True:
            self.woken.clear()
            await self.turn(self.orders.popleft() if self.orders else None)
            if self.orders:
                continue
            try:
                await asyncio.wait_for(self.woken.wait(), TICK)
            except TimeoutError:
                continue

    async def turn(self, order: Order | None) -> None:
        """Plan, and apply what there is to do."""
        now = self.world.clock.now()
        observed = self.silence.seen(await self.world.fleet.observe(), now)
        snapshot = self.world.ledger.read()
        if order is not None and order.intervention is not None:
            change = order.intervention(snapshot.recorded.job(self.key), now)
            snapshot = self.world.ledger.commit(
                snapshot, [change], message="Intervention", guards=list[Guard]()
            )
        look = looked(snapshot, observed, now)
        state = look.recorded.job(self.key)
        if order is None and state.current is None:
            return
        if order is not None:
            look = _told(look, state, order)
        job = (order.spec if order else as_recorded)(state)
        desired = Desired(jobs=(("", job),), source=Source(repository="oracle", commit="c"))
        made = plan_of(desired, look, "oracle")
        purge = order is not None and order.purge
        if made.empty and not purge:
            return
        beginning = Beginning(
            snapshot=look.snapshot,
            plans=tuple(replace(p, trigger=order.trigger if order else "") for p in made.jobs),
            enrol=to_enrol(look.observed, look.recorded),
            purges=frozenset({self.key}) if purge else frozenset(),
        )
        await self._apply(beginning, observed)

    async def _apply(self, beginning: Beginning, observed: Observed) -> None:
        world = self.world
        info = RunInfo(id=world.fresh_id(), holder="oracle@here", repository="oracle", ttl=3600)
        effects = Effects(
            ledger=world.ledger,
            fleet=world.fleet,
            clock=world.clock,
            ids=world.fresh_id,
            tell=lambda _: None,
            stopping=lambda: bool(self.orders),
            blocking=slowly,
        )
        await apply(effects, info, beginning, observed)


def _told(look: Look, state: JobState, order: Order) -> Look:
    look = told_to_stop(look, order.migrates)
    if not order.reschedules:
        return look
    allocs = tuple(
        replace(a, force_reschedule=True) if a.id in order.reschedules else a for a in state.allocs
    )
    jobs = {**look.recorded.jobs, state.key: replace(state, allocs=allocs)}
    return replace(look, recorded=replace(look.recorded, jobs=jobs))


@dataclass(slots=True)
class Server:
    """All jobs of a scenario, each with its worker."""

    world: World
    workers: dict[str, Worker] = field(default_factory=dict[str, Worker])
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def ask(self, key: str, order: Order) -> None:
        """Give an order about a job."""
        if key not in self.workers:
            self.workers[key] = Worker(self.world, key)
            self.tasks.append(asyncio.create_task(self.workers[key].serve()))
        self.workers[key].ask(order)

    def check(self) -> None:
        """Raise what a worker has ended with."""
        for task in self.tasks:
            if task.done():
                task.result()

    async def close(self) -> None:
        """End all work."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
