"""A simulated fleet with a virtual clock: steps do what `planner.steps.simulate` says they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors.checks import BoundCheck
from executors.fleet import JobFence
from executors.handled import Handled
from executors.refusals import BusyError, DiskFullError, FencedError, PortTakenError
from executors.sim.clock import VirtualClock
from executors.transport import HostError, HostFault
from planner.check_status import PASSES, CheckAnswer, fails
from planner.observed import Node, Observed, ObservedAlloc, TaskEvent, TaskPhase
from planner.recorded import AllocRecord
from planner.steps import Start, Step, Stop, Update, simulate


def _never(_: str) -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class SimulatedFleet:
    """Hosts as values.

    `crashes` says which allocation names end at once when started, `sick` which checks fail;
    `down` names hosts that do not answer.
    """

    observed: Observed
    clock: VirtualClock = field(default_factory=VirtualClock)
    crashes: Callable[[str], bool] = _never
    sick: Callable[[str], bool] = _never
    down: set[str] = field(default_factory=set[str])
    # hosts on which nothing can be written
    full: set[str] = field(default_factory=set[str])
    # (host, port) pairs that something took after the plan was made
    taken: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    # digests, by reference
    digests: Mapping[str, str] = field(default_factory=dict[str, str])
    # numbers of guarded steps, counted from 0, that the host is too busy to do, or is lost at
    busy: set[int] = field(default_factory=set[int])
    lost: set[int] = field(default_factory=set[int])
    count: int = 0
    fences: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    steps: list[Step] = field(default_factory=list[Step])

    async def enrol(self, node: Node, node_id: str) -> str:
        """Give the host its id unless it has one."""
        self._reach(node.name)
        standing = self.observed.nodes[node.name].id or node_id
        nodes = {**self.observed.nodes, node.name: replace(node, id=standing)}
        self.observed = replace(self.observed, nodes=nodes)
        return standing

    async def fence(self, node: Node, fences: Sequence[JobFence]) -> None:
        """Raise fences; a lower one is refused."""
        self._reach(node.name)
        if node.name in self.full:
            raise DiskFullError(f"{node.name}: could not write the fence")
        for fence in fences:
            standing = self.fences.get((node.name, fence.key), 0)
            if standing > fence.index:
                raise FencedError(f"{node.name}: a newer decision stands, {standing}")
            self.fences[node.name, fence.key] = fence.index

    async def start(self, step: Start, node: Node) -> None:
        """Start an allocation once; never one that was stopped."""
        self._guarded(step, node)
        standing = self.observed.allocs.get(step.alloc.id)
        if standing is not None and not standing.unattended:
            return
        for port in step.alloc.ports:
            if (node.name, port.value) in self.taken:
                raise PortTakenError(f"{node.name}: port {port.value} is taken")
        self._do(step)
        if self.crashes(step.alloc.name):
            self._crash(step.alloc.id)

    def pulled(self) -> Mapping[str, str]:
        """What the simulation was told that pulls find out."""
        return self.digests

    async def stop(self, step: Stop, node: Node) -> None:
        """Stop an allocation."""
        self._guarded(step, node)
        self._do(step)

    async def update(self, step: Update, node: Node) -> None:
        """Update an allocation in place."""
        self._guarded(step, node)
        self._do(step)

    async def restart(self, node: Node, fence: JobFence, handled: Handled) -> None:
        """Tasks begin anew at once, and tell why."""
        self._reach(node.name)
        if self.fences.get((node.name, fence.key)) != fence.index:
            raise FencedError(f"{node.name}: the fence of {fence.key} is not {fence.index}")
        if node.name in self.full:
            raise DiskFullError(f"{node.name}: could not write")
        seen, now = self.observed.allocs[handled.alloc_id], self.clock.now()
        event = TaskEvent(time=now, type="Restart Signaled", message=handled.blame)
        tasks = {
            name: replace(
                task, restarts=task.restarts + 1, started_at=now, events=(*task.events, event)
            )
            for name, task in seen.tasks.items()
            if name in handled.tasks
        }
        anew = replace(seen, tasks={**seen.tasks, **tasks})
        self.observed = replace(self.observed, allocs={**self.observed.allocs, anew.id: anew})

    async def remove(self, node: Node, fence: JobFence, alloc: str) -> None:
        """Forget an ended allocation."""
        self._reach(node.name)
        if self.fences.get((node.name, fence.key)) != fence.index:
            raise FencedError(f"{node.name}: the fence of {fence.key} is not {fence.index}")
        allocs = {i: a for i, a in self.observed.allocs.items() if i != alloc}
        self.observed = replace(self.observed, allocs=allocs)

    async def look(self, host: str) -> tuple[Node, tuple[ObservedAlloc, ...]]:
        """Probe one host anew."""
        self._reach(host)
        allocs = tuple(a for a in self.observed.allocs.values() if a.node == host)
        used = {port for name, port in self.taken if name == host}
        node = self.observed.nodes[host]
        return replace(node, used_ports=node.used_ports | used), allocs

    async def inspect(self, host: str, allocs: Sequence[str]) -> tuple[ObservedAlloc, ...]:
        """Return those of the allocations that the host has."""
        self._reach(host)
        wanted = set(allocs)
        return tuple(a for a in self.observed.allocs.values() if a.id in wanted and a.node == host)

    async def check(self, host: str, bound: BoundCheck) -> CheckAnswer:
        """A check fails where the host is down, or its check is named as sick."""
        self._reach(host)
        return fails("connection refused") if self.sick(bound.name) else PASSES

    async def tail(self, alloc: AllocRecord, task: str, lines: int) -> str:
        """Simulated tasks print one line."""
        self._reach(alloc.node)
        return f"{task} of {alloc.name}"[: lines * 80]

    def _reach(self, host: str) -> None:
        if host in self.down:
            raise HostError(host, HostFault.TIMEOUT, "simulated")

    def _guarded(self, step: Step, node: Node) -> None:
        self.count += 1
        if self.count - 1 in self.lost:
            self.down.add(node.name)
        self._reach(node.name)
        if self.count - 1 in self.busy:
            raise BusyError(f"{node.name}: another step held the lock")
        if self.fences.get((node.name, step.key)) != step.index:
            raise FencedError(f"{node.name}: the fence of {step.key} is not {step.index}")

    def _do(self, step: Step) -> None:
        self.steps.append(step)
        self.observed = simulate(step, self.observed, self.clock.now())

    def _crash(self, alloc: str) -> None:
        seen = self.observed.allocs[alloc]
        now = self.clock.now()
        tasks = {
            name: replace(t, state=TaskPhase.DEAD, failed=True, exit_code=1, finished_at=now)
            for name, t in seen.tasks.items()
        }
        allocs = {**self.observed.allocs, alloc: replace(seen, tasks=tasks)}
        self.observed = replace(self.observed, allocs=allocs)
