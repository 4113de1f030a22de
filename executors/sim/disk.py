"""What a simulated host keeps on its disk, and the guarded steps that read and write it.

The rules are those of the scripts in `executors/host`: node id, fence, tombstone, ports, room. A
step is one moment here, as it is under the host's lock there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors.fleet import JobFence
from executors.refusals import refusal
from executors.sim.life import Life
from executors.taskfiles import Record
from planner.job import TaskGroup
from planner.observed import NodeResources, ObservedAlloc, TaskPhase, TaskState

_DATA = "/var/lib/orch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks for a guarded step, and of which node they believe that it is this one."""

    cluster: str
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An allocation that is to run under `fence`; `limits` is what the node has in all."""

    fence: JobFence
    record: Record
    group: TaskGroup
    job_type: str
    limits: NodeResources


@dataclass(slots=True, kw_only=True)
class Kept:
    """One allocation's record. `life` is what runs of it; None after the host went down."""

    record: Record
    group: TaskGroup
    job_type: str
    stop: bool = False
    released: bool = False
    life: Life | None = None
    # as they were last written down, where nothing runs
    tasks: Mapping[str, TaskState] = field(default_factory=dict[str, TaskState])
    # what was made of its tasks' containers behind its back: gone, and perhaps under another's name
    missing: str = ""

    def seen(self, host: str, now: int) -> ObservedAlloc:
        """Return what a probe shows of it at `now` (ns)."""
        shown = observed(self.record, host)
        if self.life is not None:
            tasks = self.life.at(now).tasks
            self._released_if_dead()
        else:
            tasks = {n: _gone(t) for n, t in self.tasks.items()}
        wants = not (self.stop or self.released)
        return replace(
            shown,
            desired="stop" if self.stop else "run",
            tasks=tasks,
            unattended=wants and self.life is None,
            unreleased=self.stop and not self.released,
            missing=self.missing if wants else "",
        )

    def runs(self, now: int) -> bool:
        """Whether a process of it lives at `now` (ns)."""
        if self.life is None or self.missing:
            return False
        return any(t.state is TaskPhase.RUNNING for t in self.life.at(now).tasks.values())

    def freed(self, now: int) -> bool:
        """Whether what was reserved for it is free again."""
        if self.life is not None:
            self.life.at(now)
            self._released_if_dead()
        return self.released

    def power_off(self, now: int) -> None:
        """Its processes die, and what was written down stays."""
        if self.life is not None:
            self.tasks = self.life.at(now).tasks
            self._released_if_dead()
            self.life = None

    def _released_if_dead(self) -> None:
        if self.life is not None and self.life.dead_at is not None:
            self.released = True


def observed(record: Record, host: str) -> ObservedAlloc:
    """Return the allocation of a record, without what becomes of it."""
    return ObservedAlloc(
        id=record.alloc_id,
        node=host,
        name=record.name,
        namespace=record.namespace,
        job_id=record.job_id,
        group=record.group,
        index=record.index,
        version=record.version,
        ports=dict(record.ports),
        cpu=record.cpu,
        memory_mb=record.memory_mb,
        disk_mb=record.disk_mb,
        spec=record.spec,
        created=record.created,
    )


def _gone(task: TaskState) -> TaskState:
    return replace(task, state=TaskPhase.DEAD) if task.state is TaskPhase.RUNNING else task


@dataclass(slots=True, kw_only=True)
class Disk:
    """The data directory of one host. Every refusal is the error that its script would lead to."""

    host: str
    node_id: str = ""
    fences: dict[tuple[str, str], JobFence] = field(default_factory=dict[tuple[str, str], JobFence])
    floors: dict[str, JobFence] = field(default_factory=dict[str, JobFence])
    records: dict[str, Kept] = field(default_factory=dict[str, Kept])
    # nothing can be written
    full: bool = False

    def enrol(self, caller: Caller) -> str:
        """Give the host its id, unless it has one; return the one that stands."""
        if not self.node_id:
            self._write("node/id")
            self.node_id = caller.node_id
        return self.node_id

    def raise_fence(self, caller: Caller, fence: JobFence) -> None:
        """Raise the fence of a job; a newer one is not lowered."""
        self._check_node(caller, fence.key)
        standing = self.standing(caller.cluster, fence.key)
        if _words(standing) == _words(fence):
            return
        if (standing.epoch, standing.index) >= (fence.epoch, fence.index):
            raise self._refused(fence.key, "fenced", *_words(standing))
        self._write("fences")
        self.fences[caller.cluster, fence.key] = fence

    def standing(self, cluster: str, key: str) -> JobFence:
        """Return the fence of a job: the floor where it has none."""
        nothing = JobFence(key=key, epoch=0, index=0)
        return self.fences.get((cluster, key)) or self.floors.get(cluster, nothing)

    def admit(self, caller: Caller, asked: Asked, listening: Iterable[int]) -> Kept:
        """Reserve, and return the record, new or known; what runs of it is the host's matter."""
        record = asked.record
        self._check(caller, asked.fence, record.name)
        known = self.records.get(record.alloc_id)
        if known is not None:
            self._check_same(known, record)
            return known
        self._check_room(asked, set(listening))
        self._write("records")
        kept = Kept(record=record, group=asked.group, job_type=asked.job_type)
        self.records[record.alloc_id] = kept
        return kept

    def tombstone(self, caller: Caller, asked: Asked) -> Kept:
        """Write that it never runs again, also of one that was never here."""
        self._check(caller, asked.fence, asked.record.name)
        kept = self.records.get(asked.record.alloc_id)
        if kept is None:
            self._write("records")
            kept = Kept(
                record=asked.record, group=asked.group, job_type=asked.job_type, released=True
            )
            self.records[asked.record.alloc_id] = kept
        # An empty file needs no room.
        kept.stop = True
        return kept

    def renew(self, caller: Caller, asked: Asked) -> Kept:
        """Replace the record of one that goes on running."""
        record = asked.record
        self._check(caller, asked.fence, record.name)
        kept = self.records.get(record.alloc_id)
        if kept is None:
            raise self._refused(record.name, "missing", record.alloc_id)
        self._check_same(kept, record)
        self._write("records")
        kept.record, kept.group = record, asked.group
        return kept

    def alive(self, caller: Caller, fence: JobFence, alloc: str) -> Kept:
        """Return the record of one that is here, and was not stopped."""
        self._check(caller, fence, alloc)
        kept = self.records.get(alloc)
        if kept is None or kept.stop:
            raise self._refused(alloc, "missing" if kept is None else "tombstone", alloc)
        return kept

    def forget(self, caller: Caller, fence: JobFence, alloc: str, now: int) -> None:
        """Remove the record of one that is over."""
        self._check(caller, fence, alloc)
        kept = self.records.get(alloc)
        if kept is not None and not kept.freed(now):
            raise self._refused(alloc, "alive", alloc)
        self.records.pop(alloc, None)

    def collect(self, caller: Caller, fences: Sequence[JobFence]) -> None:
        """Drop the fences of forgotten jobs; a floor as high as all of them takes their place."""
        self._check_node(caller)
        top = max(fences, key=_position)
        if _position(self.floors.get(caller.cluster, JobFence(key="", epoch=0, index=0))) <= (
            _position(top)
        ):
            self.floors[caller.cluster] = JobFence(key="", epoch=top.epoch, index=top.index)
        for fence in fences:
            standing = self.fences.get((caller.cluster, fence.key))
            if standing is not None and _position(standing) <= _position(top):
                del self.fences[caller.cluster, fence.key]

    # ── what every step looks at ─────────────────────────────────────────────────────────────

    def _check(self, caller: Caller, fence: JobFence, about: str) -> None:
        self._check_node(caller, about)
        standing = self.standing(caller.cluster, fence.key)
        if _words(standing) != _words(fence):
            raise self._refused(about, "fenced", *_words(standing))

    def _check_node(self, caller: Caller, about: str = "") -> None:
        if not self.node_id:
            raise self._refused(about, "not-enrolled", _DATA)
        if self.node_id != caller.node_id:
            raise self._refused(about, "other-node", self.node_id)

    def _check_same(self, kept: Kept, record: Record) -> None:
        if kept.stop:
            raise self._refused(record.name, "tombstone", record.alloc_id)
        if kept.record.token != record.token:
            raise self._refused(record.name, "taken", record.alloc_id)

    def _check_room(self, asked: Asked, listening: set[int]) -> None:
        record = asked.record
        for port in sorted(set(record.ports.values())):
            if port in listening:
                raise self._refused(record.name, "port", str(port), "a process that listens on it")
        live = [k.record for k in self.records.values() if not k.released]
        for port in sorted(set(record.ports.values())):
            owner = next((r for r in live if port in r.ports.values()), None)
            if owner is not None:
                raise self._refused(record.name, "port", str(port), f"allocation {owner.name}")
        for what, amount in _ROOM.items():
            used, wants, has = sum(map(amount, live)), amount(record), amount(asked.limits)
            if used + wants > has:
                raise self._refused(record.name, "room", what, str(used), str(wants), str(has))

    def _write(self, what: str) -> None:
        if self.full:
            raise self._refused("", "write", f"{_DATA}/{what}", "0")

    def _refused(self, about: str, *words: str) -> Exception:
        return refusal(self.host, about, words, b"")


_ROOM: Mapping[str, Callable[[Record | NodeResources], int]] = {
    "cpu": lambda r: r.cpu,
    "memory": lambda r: r.memory_mb,
    "disk": lambda r: r.disk_mb,
}


def _words(fence: JobFence) -> tuple[str, str, str]:
    return (str(fence.epoch), str(fence.index), fence.commit)


def _position(fence: JobFence) -> tuple[int, int]:
    return (fence.epoch, fence.index)
