"""What a group asks of a node, and what every node has left. Counts, and never chooses a node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from planner.client import client_status
from planner.job import Resources, Task, TaskGroup
from planner.job_key import job_key
from planner.kinds import Kinds
from planner.observed import Node, NodeStatus, Observed, ObservedAlloc, TaskPhase
from planner.recorded import AllocRecord, Desired, JobState, Recorded

_Key = TypeVar("_Key")


class Algorithm(StrEnum):
    """Which nodes score best: those that are fullest, or those that are emptiest."""

    BINPACK = "binpack"
    SPREAD = "spread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one allocation takes: MHz (without those of whole cores), MB, MB, whole cores."""

    cpu: int = 0
    memory_mb: int = 0
    disk_mb: int = 0
    cores: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one allocation holds on its node; `id` is empty for one that this plan creates."""

    job: str
    group: str
    node: str
    ask: Ask
    ports: tuple[int, ...] = ()
    id: str = ""


def asked(group: TaskGroup) -> Ask:
    """Return what an allocation of `group` asks for.

    Tasks that never run together do not add up: of the stages (prestart; main with sidecars and
    poststart; poststop) the largest counts. Whole cores always add up.
    """
    stages = tuple(_stages(group.tasks))
    return Ask(
        cpu=max(sum(_mhz(t.resources) for t in s) for s in stages),
        memory_mb=max(sum(_memory(t.resources) for t in s) for s in stages),
        disk_mb=group.ephemeral_disk.size_mb,
        cores=sum(t.resources.cores for t in group.tasks),
    )


def _stages(tasks: tuple[Task, ...]) -> Iterator[list[Task]]:
    hooks = [(t, t.lifecycle.hook if t.lifecycle else "") for t in tasks]
    sidecars = [
        t for t, hook in hooks if hook == "prestart" and t.lifecycle and t.lifecycle.sidecar
    ]
    yield [t for t, hook in hooks if hook == "prestart"]
    yield [t for t, hook in hooks if hook in ("", "poststart")] + sidecars
    yield [t for t, hook in hooks if hook == "poststop"]


def _mhz(resources: Resources) -> int:
    return 0 if resources.cores else resources.cpu


def _memory(resources: Resources) -> int:
    return resources.memory_mb + resources.secrets_mb


class Load:
    """One node with what is taken on it; the sums follow each holding that comes or goes."""

    __slots__ = (
        "blocked", "core_mhz", "cores", "cpu", "disk", "groups", "jobs", "memory", "node", "ports",
        "room_cores", "room_cpu", "room_disk", "room_memory",
    )  # fmt: skip

    def __init__(self, node: Node, blocked: frozenset[int]) -> None:
        total, reserved = node.resources, node.reserved
        self.node = node
        self.blocked = blocked
        self.room_cpu = total.cpu - reserved.cpu
        self.room_memory = total.memory_mb - reserved.memory_mb
        self.room_disk = total.disk_mb - reserved.disk_mb
        self.room_cores = total.cores - reserved.cores
        self.core_mhz = _core_mhz(node)
        self.cpu = self.memory = self.disk = self.cores = 0
        self.ports: Counter[int] = Counter()
        self.jobs: Counter[str] = Counter()
        self.groups: Counter[tuple[str, str]] = Counter()

    @property
    def state(self) -> tuple[int, ...]:
        """All that `lacks` and the score go by: equal for nodes that are equally big and full."""
        return (
            self.cpu, self.memory, self.disk, self.cores,
            self.room_cpu, self.room_memory, self.room_disk, self.room_cores, self.core_mhz,
        )  # fmt: skip

    def cpu_of(self, ask: Ask) -> int:
        """MHz that `ask` takes here: a whole core counts with its own speed."""
        return ask.cpu + ask.cores * self.core_mhz

    def add(self, holding: Holding, sign: int = 1) -> None:
        """Take what `holding` needs; a `sign` of -1 gives it back."""
        ask = holding.ask
        self.cpu += sign * self.cpu_of(ask)
        self.memory += sign * ask.memory_mb
        self.disk += sign * ask.disk_mb
        self.cores += sign * ask.cores
        _count(self.jobs, holding.job, sign)
        _count(self.groups, (holding.job, holding.group), sign)
        for port in holding.ports:
            _count(self.ports, port, sign)

    def lacks(self, ask: Ask) -> str:
        """Return the first dimension that is too small for `ask`, or an empty string."""
        if self.cores + ask.cores > self.room_cores and ask.cores:
            return "cores"
        if self.cpu + self.cpu_of(ask) > self.room_cpu:
            return "cpu"
        if self.memory + ask.memory_mb > self.room_memory:
            return "memory"
        return "disk" if self.disk + ask.disk_mb > self.room_disk else ""

    def takes(self, port: int) -> bool:
        """Whether `port` is taken by an allocation, by the node itself or by a foreign program."""
        return port in self.blocked or self.ports[port] > 0


def _count(counter: Counter[_Key], key: _Key, number: int) -> None:
    """Count, and keep nothing of what is none any more."""
    counter[key] += number
    if not counter[key]:
        del counter[key]


def _core_mhz(node: Node) -> int:
    frequency = node.attributes.get("cpu.frequency", "")
    if frequency.isdigit():
        return int(frequency)
    return node.resources.cpu // node.resources.cores if node.resources.cores else 0


@dataclass(slots=True, kw_only=True)
class Fleet:
    """All nodes with their loads, by name, and who holds what: the working state of one plan."""

    loads: dict[str, Load] = field(default_factory=dict[str, Load])
    holdings: dict[str, Holding] = field(default_factory=dict[str, Holding])
    kinds: Kinds | None = None
    algorithm: Algorithm = Algorithm.BINPACK
    _tries: list[tuple[Holding, int]] | None = None

    def kinds_of_nodes(self) -> Kinds:
        """Return which nodes are alike; it is found out once."""
        if self.kinds is None:
            self.kinds = Kinds(x.node for x in self.loads.values())
        return self.kinds

    @contextmanager
    def trial(self) -> Generator[None]:
        """Take back at the end whatever is held and released within."""
        tries = self._tries = []
        try:
            yield
        finally:
            self._tries = None
            for holding, sign in reversed(tries):
                self._undo(holding, sign)

    def _undo(self, holding: Holding, sign: int) -> None:
        if sign < 0:
            self.hold(holding)
            return
        if holding.id:
            del self.holdings[holding.id]
        self.drop(holding)

    def drop(self, holding: Holding) -> None:
        """Give back what `holding` takes of its node, whoever has its name by now."""
        if (load := self.loads.get(holding.node)) is not None:
            load.add(holding, -1)

    def hold(self, holding: Holding) -> None:
        """Take what `holding` needs on its node; on a node that is not there nothing happens."""
        if self._tries is not None:
            self._tries.append((holding, 1))
        if holding.id:
            self.holdings[holding.id] = holding
        if (load := self.loads.get(holding.node)) is not None:
            load.add(holding)

    def release(self, alloc: str) -> Holding | None:
        """Give back what the allocation holds, and return it; None where it holds nothing."""
        holding = self.holdings.pop(alloc, None)
        if holding is not None:
            if self._tries is not None:
                self._tries.append((holding, -1))
            self.drop(holding)
        return holding


def fleet(recorded: Recorded, observed: Observed) -> Fleet:
    """Return the nodes with everything on them: what is decided, and what runs besides."""
    wanted = [h for state in recorded.jobs.values() for h in decided(state, observed)]
    known = {h.id for h in wanted}
    extra = [seen_holding(a) for a in observed.allocs.values() if a.id not in known and is_live(a)]
    holdings = [*wanted, *extra]
    own = _own_ports(observed, holdings)
    out = Fleet()
    for name in sorted(observed.nodes):
        node = observed.nodes[name]
        foreign = node.used_ports - own.get(name, set())
        out.loads[name] = Load(node, node.reserved_ports | foreign)
    for holding in holdings:
        out.hold(holding)
    return out


def is_live(alloc: ObservedAlloc) -> bool:
    """Whether a host still runs or keeps something of the allocation, or may start it again."""
    if alloc.unreleased:
        return True
    if alloc.desired == "stop" or alloc.tasks:
        return any(t.state is not TaskPhase.DEAD for t in alloc.tasks.values())
    return True


def _own_ports(observed: Observed, holdings: Iterable[Holding]) -> dict[str, set[int]]:
    own: dict[str, set[int]] = {}
    for holding in holdings:
        own.setdefault(holding.node, set()).update(holding.ports)
    for alloc in observed.allocs.values():
        own.setdefault(alloc.node, set()).update(alloc.ports.values())
    return own


def decided(state: JobState, observed: Observed) -> Iterator[Holding]:
    """Yield what the job's allocations hold: those that run, and those that are to."""
    asks: dict[tuple[int, str], Ask | None] = {}
    for record in state.allocs:
        seen = observed.allocs.get(record.id)
        if not _holds(record, seen, observed):
            continue
        version = (record.job_version, record.group)
        if version not in asks:
            asks[version] = _recorded_ask(state, record)
        ask = asks[version] or (_seen_ask(seen) if seen else Ask())
        yield Holding(
            job=state.key,
            group=record.group,
            node=record.node,
            ask=ask,
            ports=tuple(p.value for p in record.ports),
            id=record.id,
        )


def _holds(record: AllocRecord, seen: ObservedAlloc | None, observed: Observed) -> bool:
    if record.desired is Desired.STOP:
        return seen is not None and is_live(seen)
    node = observed.nodes.get(record.node)
    status = client_status(record, seen, node.status if node else NodeStatus.UNKNOWN)
    return not status.terminal


def _recorded_ask(state: JobState, record: AllocRecord) -> Ask | None:
    version = state.version(record.job_version)
    group = version.job.group(record.group) if version else None
    return asked(group) if group else None


def _seen_ask(seen: ObservedAlloc) -> Ask:
    return Ask(cpu=seen.cpu, memory_mb=seen.memory_mb, disk_mb=seen.disk_mb)


def seen_holding(alloc: ObservedAlloc) -> Holding:
    """Return what an allocation holds by what its host says."""
    return Holding(
        job=job_key(alloc.job_id, alloc.namespace),
        group=alloc.group,
        node=alloc.node,
        ask=_seen_ask(alloc),
        ports=tuple(alloc.ports.values()),
        id=alloc.id,
    )
