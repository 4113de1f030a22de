"""A whole simulated world: an in-memory ledger, a simulated fleet, virtual time, counted ids."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from executors.boundary import Boundary, pass_by
from executors.sim.clock import VirtualClock
from executors.sim.fleet import SimulatedFleet
from gitops.applying import Result, apply
from gitops.begin import Beginning, tidy
from gitops.effects import Effects
from gitops.ledger.journal import RunInfo
from gitops.ledger.memory import MemoryStore, Shelf
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.seen import MemorySeen
from gitops.ledger.surroundings import Surroundings
from gitops.orders import Orders
from gitops.planning import Desired, Look, looked, plan_of
from planner.events import Event
from planner.job import Job
from planner.nodes import to_enrol
from planner.observed import Node, NodeResources, Observed, TaskPhase
from planner.plan import Plan
from planner.source import Source
from planner.update_order import UpdateOrder


def node(name: str, **changes: object) -> Node:
    """A ready node with room for a few dozen small tasks."""
    made = Node(
        name=name,
        address="127.0.0.1",
        drivers=frozenset({"raw_exec"}),
        attributes={"kernel.name": "linux", "nomad.version": "1.8.0"},
        resources=NodeResources(cpu=4000, memory_mb=4096, disk_mb=20_000, cores=2),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class CrashError(BaseException):
    """The process died here."""


@dataclass(slots=True)
class World:
    """What persists between commands: the ledger, the hosts and the clock."""

    hosts: Sequence[Node]
    clock: VirtualClock = field(default_factory=VirtualClock)
    shelf: Shelf = field(default_factory=Shelf)
    fleet: SimulatedFleet = field(init=False)
    events: list[Event] = field(default_factory=list[Event])
    tell: Callable[[Event], None] = lambda _: None
    can_open: Callable[[Job], bool] = lambda _: True
    stopping: Callable[[], bool] = lambda: False
    numbers: count[int] = field(default_factory=count)
    order: UpdateOrder = UpdateOrder.STOP_FIRST

    def __post_init__(self) -> None:
        observed = Observed(nodes={n.name: n for n in self.hosts})
        self.fleet = SimulatedFleet(observed=observed, clock=self.clock)

    def fresh_id(self) -> str:
        return f"{next(self.numbers):08x}-0000-4000-8000-000000000000"

    def ledger(self) -> RefLedger:
        around = Surroundings(
            user="test",
            host="here",
            clock=lambda: self.clock.now() / 1e9,
            sleep=lambda _: None,
            nonce=self.fresh_id,
            jitter=lambda: 0.5,
        )
        return RefLedger(MemoryStore(self.shelf), "sim", MemorySeen(), around)

    def look(self) -> Look:
        found = looked(self.ledger().read(), self.fleet.observed, self.clock.now())
        return replace(found, order=self.order)

    def desired(self, *jobs: Job, whole: bool = True) -> Desired:
        paths = tuple((f"jobs/{j.id}.nomad.hcl", j) for j in jobs)
        return Desired(jobs=paths, source=Source(repository="r", commit="c"), whole=whole)

    def plan(self, *jobs: Job) -> Plan:
        return plan_of(self.desired(*jobs), self.look(), "sim")

    def apply(
        self,
        *jobs: Job,
        at: Callable[[Boundary], None] = pass_by,
        purge: bool = False,
        orders: Orders | None = None,
    ) -> Result:
        """Plan and apply; runs that hold the jobs are taken for dead and taken over."""
        orders = orders or Orders()
        look = orders.upon(self.look())
        plan = orders.noted(plan_of(self.desired(*jobs), look, "sim"))
        plans = tuple(p for p in plan.jobs if not p.empty or purge or orders.anyway)
        tidy(self.ledger(), look.snapshot, look.snapshot.runs, self.clock.now())
        beginning = Beginning(
            snapshot=look.snapshot,
            plans=plans,
            enrol=to_enrol(look.observed, look.recorded),
            abandoned=tuple({p.held for p in plans if p.held}),
            purges=frozenset(p.key for p in plans) if purge else frozenset(),
        )
        info = RunInfo(id=self.fresh_id(), holder="test@here", repository="r", ttl=3600)
        effects = Effects(
            ledger=self.ledger(),
            fleet=self.fleet,
            clock=self.clock,
            ids=self.fresh_id,
            tell=self._tell,
            at=at,
            can_open=self.can_open,
            order=self.order,
            stopping=self._stops,
        )
        return asyncio.run(apply(effects, info, beginning, look.observed))

    def restart_host(self, host: str) -> None:
        """Tasks die with their host, and nothing on it brings them back."""
        allocs = {
            i: replace(
                a,
                unattended=a.desired == "run",
                tasks={n: replace(t, state=TaskPhase.DEAD) for n, t in a.tasks.items()},
            )
            if a.node == host
            else a
            for i, a in self.fleet.observed.allocs.items()
        }
        self.fleet.observed = replace(self.fleet.observed, allocs=allocs)

    def end_all(self) -> None:
        """All tasks end well."""
        allocs = {
            i: replace(
                a,
                tasks={
                    n: replace(t, state=TaskPhase.DEAD, exit_code=0, finished_at=self.clock.now())
                    for n, t in a.tasks.items()
                },
            )
            for i, a in self.fleet.observed.allocs.items()
        }
        self.fleet.observed = replace(self.fleet.observed, allocs=allocs)

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.tell(event)

    def _stops(self) -> bool:
        return self.stopping()

    def running(self) -> dict[str, list[str]]:
        """Names of live allocations on all hosts, with their ids."""
        live: dict[str, list[str]] = {}
        for alloc in self.fleet.observed.allocs.values():
            if any(t.state is TaskPhase.RUNNING for t in alloc.tasks.values()):
                live.setdefault(alloc.name, []).append(alloc.id)
        return live
