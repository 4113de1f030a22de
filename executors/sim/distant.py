"""Simulated hosts as one controller reaches them: slowly, now and then not at all, or twice.

What it does on hosts is what `SshFleet` does, over connections whose requests and answers get lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn, Protocol, TypeVar

from executors import launch
from executors.checks import BoundCheck
from executors.fleet import JobFence
from executors.handled import Handled
from executors.launch import Decided
from executors.probe import HostFence
from executors.refusals import DiskFullError, GuardError, RestartedError
from executors.sim.disk import Asked, Caller
from executors.sim.fate import Fate
from executors.sim.host import SimulatedHost
from executors.transport import HostError, HostFault
from planner.check_status import PASSES, CheckAnswer, fails, unmade
from planner.job import SECOND, Job, TaskGroup
from planner.observed import Node, NodeResources, NodeStatus, Observed, ObservedAlloc
from planner.recorded import AllocRecord
from planner.steps import Start, Step, Stop, Update, group_of

T = TypeVar("T")

# Seconds after which a controller gives a request up.
_PATIENCE = 30.0
_FOR_ANY_BOOT = ("enrol", "fence")


class Wires(Protocol):
    """What lies between a controller and the hosts, and the controller's own breath."""

    async def breathe(self) -> None:
        """Come back when the controller is awake; a dead one's calls end here."""
        ...

    def connects(self, host: str) -> bool:
        """Whether the host can be reached at the moment."""
        ...

    def delay(self, host: str) -> float:
        """Draw the seconds of half a round trip."""
        ...

    def fate(self, host: str) -> Fate:
        """Draw what becomes of the next request."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a host has done for a controller's run, at the moment it did it."""

    run: str
    kind: str
    host: str
    key: str = ""
    index: int = 0
    step: Step | None = None


def _unseen(_: Deed) -> None:
    pass


def _unmissed(_: str) -> None:
    pass


def _as_it_is(job: Job) -> Job:
    return job


@dataclass(slots=True, kw_only=True)
class DistantFleet:
    """A `Fleet` of simulated hosts, and what observes them, for one run of a controller.

    `witness` is told of each deed in the moment it is done; whatever it raises ends the simulation.
    """

    hosts: Mapping[str, SimulatedHost]
    cluster: str
    wires: Wires
    run: str = ""
    epoch: int = 1
    commit: str = ""
    witness: Callable[[Deed], None] = _unseen
    # told of each host that has failed it
    missed: Callable[[str], None] = _unmissed
    # puts the values back that are not in records
    open_job: Callable[[Job], Job] = _as_it_is
    enrolled: dict[str, str] = field(default_factory=dict[str, str])
    # how often hosts had gone down by the last look at them
    boots: dict[str, int] = field(default_factory=dict[str, int])
    # what hosts had seen of the ledger, at the last look at all of them
    decisions: dict[str, tuple[HostFence, ...]] = field(
        default_factory=dict[str, tuple[HostFence, ...]]
    )

    # ── looks ────────────────────────────────────────────────────────────────────────────────

    async def observe(self) -> Observed:
        """Probe all hosts at once; those that fail are unknown, with the reason."""
        self.decisions.clear()
        looks = await asyncio.gather(*(self._observed(name) for name in sorted(self.hosts)))
        return Observed(
            nodes={node.name: node for node, _ in looks},
            allocs={a.id: a for _, allocs in looks for a in allocs},
        )

    async def look(self, host: str) -> tuple[Node, tuple[ObservedAlloc, ...]]:
        """Probe one host anew."""
        self.boots[host], self.decisions[host], seen = await self._ask(
            host, lambda h: (h.downs, h.decisions(self.cluster), h.probe(self.cluster))
        )
        return seen

    async def inspect(self, host: str, allocs: Sequence[str]) -> tuple[ObservedAlloc, ...]:
        """Return those of the allocations that the host has."""
        return await self._ask(host, lambda h: h.inspect(allocs))

    async def check(self, host: str, bound: BoundCheck) -> CheckAnswer:
        """Make a service check once; return its result."""
        try:
            well = await self._ask(host, lambda h: h.passes(bound.port))
        except HostError as e:
            return unmade(e.message)
        return PASSES if well else fails(f"nothing listens on {bound.address}:{bound.port}")

    async def tail(self, alloc: AllocRecord, task: str, lines: int) -> str:
        """Simulated tasks print one line."""
        del lines
        return await self._ask(alloc.node, lambda _: f"{task} of {alloc.name}")

    def pulled(self) -> Mapping[str, str]:
        """No images are pulled."""
        return {}

    async def _observed(self, host: str) -> tuple[Node, tuple[ObservedAlloc, ...]]:
        try:
            return await self.look(host)
        except HostError as e:
            why = f"{e.fault}: {e.detail}" if e.detail else str(e.fault)
            plain = self.hosts[host].node
            return (
                Node(name=host, status=NodeStatus.UNKNOWN, reason=why, datacenter=plain.datacenter),
                (),
            )

    # ── guarded steps ────────────────────────────────────────────────────────────────────────

    async def enrol(self, node: Node, node_id: str) -> str:
        """Give the host its id unless it has one; return the id that stands."""
        caller = Caller(cluster=self.cluster, node_id=node_id)
        deed = Deed(run=self.run, kind="enrol", host=node.name)
        standing = await self._do(deed, lambda h: h.disk.enrol(caller))
        self.enrolled[node.name] = standing
        return standing

    async def fence(self, node: Node, fences: Sequence[JobFence]) -> None:
        """Raise fences; refused where the host has seen a newer decision."""
        for fence in fences:
            deed = Deed(
                run=self.run, kind="fence", host=node.name, key=fence.key, index=fence.index
            )
            try:
                await self._do(deed, self._raised(node, fence))
            except DiskFullError:
                # Where its fence does not stand, a run takes the host for unknown.
                self.missed(node.name)
                raise

    async def start(self, step: Start, node: Node) -> None:
        """Reserve and start the allocation, guarded on the host."""
        asked = self._asked(step, node)
        await self._do(self._deed(step), lambda h: h.start(self._caller(node), asked))

    async def stop(self, step: Stop, node: Node) -> None:
        """Tombstone the allocation, end its tasks, and return when they are dead."""
        asked, host = self._asked(step, node), self.hosts[node.name]
        await self._do(self._deed(step), lambda h: h.begin_stop(self._caller(node), asked))
        downs = host.downs
        while wait := await self._on(node.name, lambda h: h.stop_wait(step.alloc.id)):
            await asyncio.sleep(min(wait / SECOND, 1.0))
            self._reach(node.name)
            if host.downs > downs:
                self.missed(node.name)
                raise HostError(node.name, HostFault.LOST, "the connection broke")
        await self.wires.breathe()

    async def update(self, step: Update, node: Node) -> None:
        """Write the new version and policies beside the running tasks."""
        asked = self._asked(step, node)
        await self._do(self._deed(step), lambda h: h.update(self._caller(node), asked))

    async def restart(self, node: Node, fence: JobFence, handled: Handled) -> None:
        """End tasks that run, so that they begin anew."""
        deed = Deed(run=self.run, kind="restart", host=node.name, key=fence.key, index=fence.index)
        await self._do(deed, lambda h: h.restart(self._caller(node), fence, handled))

    async def remove(self, node: Node, fence: JobFence, alloc: str) -> None:
        """Forget an ended allocation and its tombstone."""
        deed = Deed(run=self.run, kind="remove", host=node.name, key=fence.key, index=fence.index)
        await self._do(deed, lambda h: h.remove(self._caller(node), fence, alloc))

    def _raised(self, node: Node, fence: JobFence) -> Callable[[SimulatedHost], None]:
        return lambda h: h.disk.raise_fence(self._caller(node), fence)

    def _deed(self, step: Step) -> Deed:
        return Deed(
            run=self.run,
            kind=type(step).__name__.lower(),
            host=step.alloc.node,
            key=step.key,
            index=step.index,
            step=step,
        )

    def _caller(self, node: Node) -> Caller:
        return Caller(cluster=self.cluster, node_id=self.enrolled.get(node.name) or node.id)

    def _asked(self, step: Step, node: Node) -> Asked:
        job = self.open_job(step.job) if isinstance(step, Start) else step.job
        fence = JobFence(key=step.key, epoch=self.epoch, index=step.index, commit=self.commit)
        opened = replace(step, job=job)
        decided = Decided(
            cluster=self.cluster,
            fence=fence,
            job=step.job,
            group=group_of(step) or TaskGroup(name=step.alloc.group),
            alloc=step.alloc,
            index=step.index,
            node=node,
        )
        own = self.hosts[node.name].node
        limits = NodeResources(
            cpu=own.resources.cpu - own.reserved.cpu,
            memory_mb=own.resources.memory_mb - own.reserved.memory_mb,
            disk_mb=own.resources.disk_mb - own.reserved.disk_mb,
        )
        return Asked(
            fence=fence,
            record=launch.record(decided),
            group=group_of(opened) or TaskGroup(name=step.alloc.group),
            job_type=job.type,
            limits=limits,
        )

    # ── over the wires ───────────────────────────────────────────────────────────────────────

    async def _do(self, deed: Deed, act: Callable[[SimulatedHost], T]) -> T:
        """Do something that others can see, and say so in the same moment."""

        def witnessed(host: SimulatedHost) -> T:
            if deed.kind not in _FOR_ANY_BOOT and self.boots.get(deed.host) != host.downs:
                raise RestartedError(f"{deed.host}: the host has started anew", "plan again")
            done = act(host)
            self.witness(deed)
            return done

        return await self._ask(deed.host, witnessed)

    async def _ask(self, name: str, act: Callable[[SimulatedHost], T]) -> T:
        """Send a request and return what the host answers."""
        try:
            return await self._asked_over(name, act)
        except HostError:
            self.missed(name)
            raise

    async def _asked_over(self, name: str, act: Callable[[SimulatedHost], T]) -> T:
        """Ask, with what may befall request and answer on their ways."""
        await self.wires.breathe()
        fate = self.wires.fate(name)
        await asyncio.sleep(self.wires.delay(name))
        self._reach(name)
        if fate is Fate.FAILS:
            raise HostError(name, HostFault.LOST, "the connection broke")
        if fate is Fate.LATE:
            self._later(name, act, self.wires.delay(name) + _PATIENCE)
            await self._given_up(name)
        done = await self._on(name, act)
        if fate is Fate.TWICE:
            self._again(name, act)
        await asyncio.sleep(self.wires.delay(name))
        await self.wires.breathe()
        if fate is Fate.UNANSWERED or not self.wires.connects(name):
            raise HostError(name, HostFault.LOST, "the connection broke before it answered")
        return done

    async def _on(self, name: str, act: Callable[[SimulatedHost], T]) -> T:
        """Do it on the host, as soon as that is awake."""
        host = self.hosts[name]
        asleep = (host.frozen_until - host.now()) / SECOND
        if asleep > _PATIENCE:
            self._later(name, act, asleep)
            await self._given_up(name)
        if asleep > 0:
            await asyncio.sleep(asleep)
        self._reach(name)
        return act(host)

    def _later(self, name: str, act: Callable[[SimulatedHost], object], seconds: float) -> None:
        """A request that nobody waits for any more is done all the same."""
        asyncio.get_running_loop().call_later(seconds, self._again, name, act)

    def _again(self, name: str, act: Callable[[SimulatedHost], object]) -> None:
        host = self.hosts[name]
        if not host.up or host.frozen_until > host.now():
            return
        try:
            act(host)
        except GuardError:
            # Its refusal is told to nobody.
            return

    async def _given_up(self, name: str) -> NoReturn:
        await asyncio.sleep(_PATIENCE)
        await self.wires.breathe()
        raise HostError(name, HostFault.TIMEOUT, f"no answer in {_PATIENCE:g} s")

    def _reach(self, name: str) -> None:
        if not self.hosts[name].up:
            raise HostError(name, HostFault.UNREACHABLE, "it does not answer")
        if not self.wires.connects(name):
            raise HostError(name, HostFault.TIMEOUT, "no route to it")
