"""Simulated hosts on which tasks live as their scripts say, a ledger in memory, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from executors.sim.behaviour import Behaviour
from executors.sim.clock import EPOCH, VirtualClock
from executors.sim.fleet import SimulatedFleet
from executors.sim.life import Life
from executors.transport import HostError
from gitops.ledger.memory import MemoryStore, Shelf
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.seen import MemorySeen
from gitops.ledger.surroundings import Surroundings
from planner.job import SECOND, Task
from planner.observed import Node, NodeResources, NodeStatus, Observed, ObservedAlloc
from planner.steps import Start, Stop, Update, group_of
from tests.oracle.timelines.scripts import behaviour_of

_SIGNALS = "SIGHUP,SIGINT,SIGKILL,SIGQUIT,SIGTERM,SIGUSR1,SIGUSR2"


def nodes(names: Sequence[str], pool: str) -> tuple[Node, ...]:
    """The nodes of a scenario: all alike, with room for a good many small tasks."""
    return tuple(
        Node(
            name=name,
            address="127.0.0.1",
            node_pool=pool,
            drivers=frozenset({"raw_exec"}),
            attributes={
                "kernel.name": "linux",
                "os.signals": _SIGNALS,
                "unique.hostname": name,
                "nomad.version": "1.8.0",
            },
            resources=NodeResources(cpu=20_000, memory_mb=16_000, disk_mb=100_000, cores=8),
        )
        for name in names
    )


class LoopClock(VirtualClock):
    """The time of the running loop."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return EPOCH + round(self.monotonic() * SECOND)

    def monotonic(self) -> float:
        """Seconds since the scenario began."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait, in virtual time."""
        await asyncio.sleep(seconds)


@dataclass(slots=True, kw_only=True)
class LivingFleet(SimulatedFleet):
    """Simulated hosts on which tasks start, end, restart and take their time to stop."""

    lives: dict[str, Life] = field(default_factory=dict[str, Life])

    async def start(self, step: Start, node: Node) -> None:
        """Start an allocation once."""
        await SimulatedFleet.start(self, step, node)
        group = group_of(step)
        if step.alloc.id not in self.lives and group is not None:
            self.lives[step.alloc.id] = Life(
                seen=self.observed.allocs[step.alloc.id],
                group=group,
                job_type=step.job.type,
                born=self.clock.now(),
                behaviours=_behaviour,
            )

    async def stop(self, step: Stop, node: Node) -> None:
        """Stop an allocation, and wait until its tasks are dead."""
        await SimulatedFleet.stop(self, step, node)
        life = self.lives.get(step.alloc.id)
        if life is None:
            return
        life.stop(self.clock.now())
        due = life.next_change(self.clock.now())
        while life.dead_at is None:
            wait = SECOND if due is None else due - self.clock.now()
            await self.clock.sleep(max(wait, 1) / SECOND)
            due = life.next_change(self.clock.now())

    async def update(self, step: Update, node: Node) -> None:
        """Update an allocation in place."""
        await SimulatedFleet.update(self, step, node)
        life, group = self.lives.get(step.alloc.id), group_of(step)
        if life is not None and group is not None:
            life.update(self.clock.now(), self.observed.allocs[step.alloc.id], group)

    async def look(self, host: str) -> tuple[Node, tuple[ObservedAlloc, ...]]:
        """Probe one host anew."""
        node, allocs = await SimulatedFleet.look(self, host)
        return node, tuple(map(self.shown, allocs))

    async def inspect(self, host: str, allocs: Sequence[str]) -> tuple[ObservedAlloc, ...]:
        """Return those of the allocations that the host has."""
        return tuple(map(self.shown, await SimulatedFleet.inspect(self, host, allocs)))

    def shown(self, alloc: ObservedAlloc) -> ObservedAlloc:
        """The allocation as it is now."""
        life = self.lives.get(alloc.id)
        return life.at(self.clock.now()) if life else alloc

    async def observe(self) -> Observed:
        """Probe all hosts; those that do not answer are unknown."""
        found: dict[str, Node] = {}
        allocs: dict[str, ObservedAlloc] = {}
        for name, node in self.observed.nodes.items():
            try:
                found[name], there = await self.look(name)
            except HostError as e:
                found[name] = replace(node, status=NodeStatus.UNKNOWN, reason=e.message)
            else:
                allocs |= {a.id: a for a in there}
        return Observed(nodes=found, allocs=allocs)


def _behaviour(task: Task, _: int) -> Behaviour:
    return behaviour_of(task)


@dataclass(slots=True, kw_only=True)
class World:
    """What a scenario runs on."""

    hosts: Sequence[Node]
    clock: LoopClock = field(default_factory=LoopClock)
    fleet: LivingFleet = field(init=False)
    ledger: RefLedger = field(init=False)
    shelf: Shelf = field(default_factory=Shelf)
    # hosts whose agent stands still, noticed or not
    stopped: set[str] = field(default_factory=set[str])
    numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        observed = Observed(nodes={n.name: n for n in self.hosts})
        self.fleet = LivingFleet(observed=observed, clock=self.clock)
        around = Surroundings(
            user="oracle",
            host="here",
            clock=lambda: self.clock.now() / SECOND,
            sleep=lambda _: None,
            nonce=self.fresh_id,
            jitter=lambda: 0.5,
        )
        self.ledger = RefLedger(MemoryStore(self.shelf), "oracle", MemorySeen(), around)

    def heads(self) -> Mapping[str, str]:
        """Where the ledger stands: what has the same heads holds the same."""
        return dict(self.shelf.refs)

    def fresh_id(self) -> str:
        """Ids that are new in this world."""
        return f"{next(self.numbers):08x}-0000-4000-8000-000000000000"
