"""What `orch apply` does, on a simulated machine: look, plan, wait for others, begin, carry out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from executors.clock import Clock
from executors.sim.distant import DistantFleet
from gitops.applying import Result, apply
from gitops.begin import Beginning, tidy
from gitops.behind import ahead
from gitops.cli.unreachable import decide, with_lost
from gitops.draining import Draining
from gitops.effects import Effects
from gitops.ledger.journal import RunInfo
from gitops.ledger.lease import Holder, LeaseWatch
from gitops.ledger.protocol import Ledger
from gitops.orders import Orders
from gitops.planning import Desired, Look, looked, plan_of
from gitops.silence import Silence
from planner.errors import ConflictError
from planner.events import Event
from planner.nodes import to_enrol
from planner.observed import NodeStatus, Observed
from planner.orders import NODE_DRAIN
from planner.plan import Plan
from planner.update_order import UpdateOrder
from tests.simulate.machine import Process
from tests.simulate.promises import Promises, RunTruth

TTL = 15


@dataclass(slots=True, kw_only=True)
class Place:
    """What a command works on: the ledger and the fleet as its process reaches them."""

    ledger: Ledger
    fleet: DistantFleet
    promises: Promises
    # hosts that have failed the command
    blind: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a command goes about it, as its flags and orch.toml say."""

    order: UpdateOrder = UpdateOrder.AUTO
    # what somebody has told beside the specs
    orders: Orders = field(default_factory=Orders)
    # hosts that somebody declares lost
    lost: tuple[str, ...] = ()
    # how long hosts have not answered, where somebody watches
    silence: Silence | None = None


@dataclass(slots=True, kw_only=True)
class Command:
    """One `orch apply`. `tell` takes lines of the story."""

    process: Process
    place: Place
    tell: Callable[[str], None]
    manner: Manner = field(default_factory=Manner)
    run: str = ""
    draining: ClassVar[type[Draining]] = Draining

    async def apply(self, desired: Desired) -> Result | None:
        """Return what it came to; None where there was nothing to do. Raises `OrchError`."""
        read, made = await self.planned(desired)
        held = {p.held: p.key for p in made.jobs if p.held}
        if held:
            for run, key in held.items():
                await self._adoptable(run, key, read)
            read, made = await self.planned(desired)
            for plan in made.jobs:
                if plan.held and plan.held not in held:
                    raise ConflictError(f"{plan.key}: run {plan.held[:8]} holds it", "")
        if made.empty and not self.manner.orders.anyway:
            await self.process.blocking(lambda: decide(self.place.ledger, read))
            await self.process.blocking(lambda: self._tidy(read))
            return None
        return await self._carry_out(desired, read, made)

    async def planned(self, desired: Desired) -> tuple[Look, Plan]:
        """Read and look, and return that with the plan."""
        ledger, fleet = self.place.ledger, self.place.fleet
        self.place.blind.clear()
        snapshot, observed = await asyncio.gather(
            self.process.blocking(ledger.read), fleet.observe()
        )
        await self.process.breathe()
        if ahead(snapshot, fleet.decisions):
            snapshot = await self.process.blocking(ledger.read)
            if error := ahead(snapshot, fleet.decisions):
                raise error
        unknown = {n for n, x in observed.nodes.items() if x.status is not NodeStatus.READY}
        self.place.blind |= unknown
        read = looked(snapshot, self.seen(observed), self.process.now())
        read = replace(read, order=self.manner.order)
        self.place.blind |= {
            n for n, x in read.observed.nodes.items() if x.status is not NodeStatus.READY
        }
        silent = {n for n, x in read.observed.nodes.items() if x.status is NodeStatus.UNKNOWN}
        self.process.machine.noticed(silent)
        if self.manner.silence is not None:
            seen = self.manner.silence.seen(read.observed, read.now)
            read = replace(read, observed=seen)
        read = self.manner.orders.upon(with_lost(read, self.manner.lost))
        return read, self.manner.orders.noted(plan_of(desired, read, "sim"))

    def seen(self, observed: Observed) -> Observed:
        return observed

    async def _adoptable(self, run: str, key: str, read: Look) -> None:
        watch = LeaseWatch(clock=self.process.monotonic, gone=self.process.machine.is_gone)
        holder, _ = await self.process.blocking(
            lambda: watch.wait(self.place.ledger, run, self.process.wait)
        )
        if holder is Holder.ALIVE or (run in read.snapshot.runs and holder is Holder.ENDED):
            raise ConflictError(f"{key}: run {run[:8]} holds it", "")
        self.tell(f"takes over run {run[:8]} ({holder})")

    async def _carry_out(self, desired: Desired, read: Look, made: Plan) -> Result:
        plans = tuple(p for p in made.jobs if self.manner.orders.anyway or not p.empty)
        process = self.process
        self.run = process.chance.id()
        self.place.fleet.run = self.run
        self.place.fleet.commit = desired.source.commit
        self.place.fleet.epoch = read.recorded.epoch
        truth = RunTruth(
            began=process.monotonic(),
            frozen=process.frozen_since,
            blind=self.place.blind,
            silent=dict(process.machine.silent) if self.manner.silence else {},
            grace=self.manner.silence.grace if self.manner.silence else 0,
            closed=frozenset(n for n, r in read.recorded.nodes.items() if not r.eligible),
            drains=self._drains,
        )
        self.place.promises.runs[self.run] = truth
        info = RunInfo(
            id=self.run,
            holder=f"{process.machine.name}@here",
            process=process.identity,
            started=process.now(),
            commit=desired.source.commit,
            repository=desired.source.repository,
            jobs=tuple(p.key for p in plans),
            base_index=made.index,
            ttl=TTL,
        )
        beginning = Beginning(
            snapshot=await process.blocking(lambda: decide(self.place.ledger, read)),
            plans=plans,
            enrol=to_enrol(read.observed, read.recorded),
            abandoned=tuple(dict.fromkeys(p.held for p in plans if p.held)),
        )
        self.tell(f"run {self.run[:8]} begins: {_summary(made)}")
        await process.blocking(lambda: self._tidy(read))
        return await apply(self._effects(read), info, beginning, read.observed)

    @property
    def _drains(self) -> frozenset[str]:
        orders = self.manner.orders
        return orders.migrates if orders.trigger == NODE_DRAIN else frozenset()

    def clock(self, read: Look) -> Clock:
        del read
        return self.process

    def _effects(self, read: Look) -> Effects:
        process = self.process
        return Effects(
            ledger=self.place.ledger,
            fleet=self.place.fleet,
            clock=self.clock(read),
            ids=process.chance.id,
            tell=self._event,
            at=process.at,
            blocking=process.blocking,
            stopping=lambda: process.stops,
            parallelism=process.parallelism,
            order=read.order,
        )

    def _tidy(self, read: Look) -> None:
        runs = read.snapshot.runs.items()
        dead = {i for i, run in runs if self.process.machine.is_gone(run.info.process)}
        tidy(self.place.ledger, read.snapshot, dead, self.process.now())

    def _event(self, event: Event) -> None:
        self.tell(f"{type(event).__name__} {_brief(event)}")


def _brief(event: Event) -> str:
    alloc = getattr(event, "alloc", None)
    if alloc is not None:
        return f"{alloc.name} {alloc.id[:8]} on {alloc.node} {getattr(event, 'reason', '')}"
    return str(getattr(event, "text", "") or getattr(event, "job_id", ""))


def _summary(plan: Plan) -> str:
    return "; ".join(
        f"{p.key} v{'+' if p.registers else '='} "
        + ",".join(
            f"{c.action}{' (starts first)' * c.start_first}:{c.name}@{c.node}"
            for c in p.changes
            if c.action.touches
        )
        for p in plan.jobs
        if not p.empty
    )
