"""One simulated host: its disk, what runs on it, and what befalls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from executors.fleet import JobFence
from executors.handled import Handled
from executors.probe import HostFence
from executors.refusals import StillAliveError, refusal
from executors.sim.behaviour import Behaviours, for_ever
from executors.sim.disk import Asked, Caller, Disk, Kept, observed
from executors.sim.life import Life
from planner.observed import Node, NodeResources, ObservedAlloc, TaskPhase

# What tells an allocation's behaviour apart from another's: their records.
Nature = Callable[[Kept], Behaviours]


def _steady(_: Kept) -> Behaviours:
    return for_ever


@dataclass(slots=True, kw_only=True)
class SimulatedHost:
    """A host. `node` is what the inventory and the machine say of it; times are in ns."""

    node: Node
    now: Callable[[], int]
    disk: Disk = field(init=False)
    nature: Nature = _steady
    up: bool = True
    # whether supervisors come back by themselves when the host does
    resumes: bool = True
    # it takes in nothing before then
    frozen_until: int = 0
    # ports of processes that are nobody's
    foreign_ports: set[int] = field(default_factory=set[int])
    snapshot: Disk | None = None
    # the disk that it had before it was wiped
    lost: Disk | None = None
    # the disk that it had before it came up as a copy of another host
    own: Disk | None = None
    # how often it went down: whoever was connected before is so no more
    downs: int = 0
    # how often it went back to another disk
    restores: int = 0

    def __post_init__(self) -> None:
        self.disk = Disk(host=self.node.name)

    # ── guarded steps ────────────────────────────────────────────────────────────────────────

    def start(self, caller: Caller, asked: Asked) -> None:
        """Reserve and start, once; bring back what should run of one that is known."""
        for each in self.disk.records.values():
            each.freed(self.now())
        kept = self.disk.admit(caller, asked, self.listening())
        if kept.life is None and not kept.released:
            self._launch(kept)

    def begin_stop(self, caller: Caller, asked: Asked) -> None:
        """Write the tombstone, and begin to end the tasks."""
        kept = self.disk.tombstone(caller, asked)
        if kept.life is not None:
            kept.life.stop(self.now())
        else:
            kept.tasks = {n: replace(t, state=TaskPhase.DEAD) for n, t in kept.tasks.items()}
            kept.released = True

    def stop_wait(self, alloc: str) -> int:
        """Return how long (ns) until something of it changes; 0 when all of it is dead."""
        kept = self.disk.records.get(alloc)
        if kept is None or kept.freed(self.now()):
            return 0
        if kept.life is None:
            raise StillAliveError(f"{self.node.name}: {alloc}: its tasks are not dead yet")
        due = kept.life.next_change(self.now())
        return max(due - self.now(), 1) if due is not None else 1

    def update(self, caller: Caller, asked: Asked) -> None:
        """Go on under the new record."""
        kept = self.disk.renew(caller, asked)
        if kept.life is not None:
            seen = observed(kept.record, self.node.name)
            kept.life.update(self.now(), seen, asked.group)

    def restart(self, caller: Caller, fence: JobFence, handled: Handled) -> None:
        """Restart tasks that run; where one does not, nothing of it is restarted."""
        kept = self.disk.alive(caller, fence, handled.alloc_id)
        tasks = kept.seen(self.node.name, self.now()).tasks
        for name in handled.tasks:
            if kept.life is None or tasks[name].state is not TaskPhase.RUNNING:
                raise refusal(self.node.name, handled.alloc_id, ("not-running", name), b"")
        if kept.life is not None:
            kept.life.restart(self.now(), handled.tasks, handled.blame)

    def remove(self, caller: Caller, fence: JobFence, alloc: str) -> None:
        """Forget one that is over."""
        self.disk.forget(caller, fence, alloc, self.now())

    # ── looks ────────────────────────────────────────────────────────────────────────────────

    def probe(self, cluster: str) -> tuple[Node, tuple[ObservedAlloc, ...]]:
        """Return what one look at it shows; what other clusters reserve counts as reserved."""
        kept = self.disk.records.values()
        own = tuple(k.seen(self.node.name, self.now()) for k in kept if k.record.cluster == cluster)
        foreign = [
            k.record for k in kept if k.record.cluster != cluster and not k.freed(self.now())
        ]
        reserved = self.node.reserved
        node = replace(
            self.node,
            id=self.disk.node_id,
            reserved=NodeResources(
                cpu=reserved.cpu + sum(r.cpu for r in foreign),
                memory_mb=reserved.memory_mb + sum(r.memory_mb for r in foreign),
                disk_mb=reserved.disk_mb + sum(r.disk_mb for r in foreign),
            ),
            reserved_ports=self.node.reserved_ports.union(*(r.ports.values() for r in foreign)),
            used_ports=frozenset(self.listening()),
            fences={k: f.index for (c, k), f in self.disk.fences.items() if c == cluster},
        )
        return node, own

    def decisions(self, cluster: str) -> tuple[HostFence, ...]:
        """The newest decisions of a cluster's ledger that it has seen."""
        fences = [f for (c, _), f in self.disk.fences.items() if c == cluster]
        floor = self.disk.floors.get(cluster)
        seen = (*fences, *((floor,) if floor else ()))
        return tuple(HostFence(epoch=f.epoch, index=f.index, commit=f.commit) for f in seen)

    def inspect(self, allocs: Sequence[str]) -> tuple[ObservedAlloc, ...]:
        """Return those of the allocations that are here."""
        found = (self.disk.records.get(a) for a in allocs)
        return tuple(k.seen(self.node.name, self.now()) for k in found if k is not None)

    def listening(self) -> set[int]:
        """Ports that a process listens on."""
        mine = (k for k in self.disk.records.values() if k.runs(self.now()))
        return self.foreign_ports.union(*(k.record.ports.values() for k in mine))

    def running(self) -> Mapping[str, Kept]:
        """Return the allocations of which a process lives, by id."""
        return {i: k for i, k in self.disk.records.items() if k.runs(self.now())}

    def passes(self, port: int) -> bool:
        """Whether what listens on that port is well."""
        return any(
            port in k.record.ports.values() and k.life is not None and k.life.passes
            for k in self.running().values()
        )

    # ── what befalls it ──────────────────────────────────────────────────────────────────────

    def power_off(self) -> None:
        """Every process dies at once."""
        self.up = False
        self.downs += 1
        for kept in self.disk.records.values():
            kept.power_off(self.now())

    def power_on(self) -> None:
        """Come back with what is on the disk; supervisors of units come back too."""
        self.up = True
        for kept in self.disk.records.values() if self.resumes else ():
            if kept.stop and not kept.released:
                kept.tasks = {n: replace(t, state=TaskPhase.DEAD) for n, t in kept.tasks.items()}
                kept.released = True
            elif not kept.released and kept.life is None:
                self._launch(kept)

    def kill(self, alloc: str, signal: str = "SIGKILL") -> None:
        """End the processes of an allocation from outside."""
        kept = self.disk.records.get(alloc)
        if kept is not None and kept.life is not None:
            kept.life.signal(self.now(), signal)

    def lose_supervisor(self, alloc: str) -> None:
        """Its supervisor and its tasks die together; nobody brings them back."""
        kept = self.disk.records.get(alloc)
        if kept is not None:
            kept.power_off(self.now())

    def take_container(self, alloc: str) -> None:
        """Somebody removes its containers by hand, and gives others their names."""
        kept = self.disk.records.get(alloc)
        if kept is not None and kept.life is not None:
            kept.missing = "task main: its container is gone, another has its name"

    def save(self) -> None:
        """Take a snapshot of the disk."""
        self.snapshot = _copied(self.disk, self.now())

    def restore(self) -> None:
        """Go back to the snapshot: the host comes up anew with the disk as it was."""
        if self.snapshot is not None:
            self.restores += 1
            self.power_off()
            if self.disk.node_id and not self.snapshot.node_id and self.own is None:
                self.lost = self.disk
            self.disk = _copied(self.snapshot, self.now())
            self.power_on()

    def wipe(self) -> None:
        """Come back with nothing."""
        self.power_off()
        if self.disk.node_id and self.own is None:
            self.lost = self.disk
        self.disk = type(self.disk)(host=self.node.name)
        self.up = True

    def copy_of(self, other: SimulatedHost) -> None:
        """Come up with a copy of another host's disk, its id included."""
        self.power_off()
        self.own = self.own or self.disk
        self.disk = _copied(other.disk, self.now())
        self.disk.host = self.node.name
        self.power_on()

    def recover(self) -> None:
        """Come back with the disk that was lost, unless it has become another node since."""
        if self.own is not None:
            self.restores += 1
            self.power_off()
            self.disk, self.own = self.own, None
            self.power_on()
        if self.lost is not None and not self.disk.node_id:
            self.restores += 1
            self.power_off()
            self.disk, self.lost = self.lost, None
            self.power_on()

    def _launch(self, kept: Kept) -> None:
        kept.life = Life(
            seen=observed(kept.record, self.node.name),
            group=kept.group,
            job_type=kept.job_type,
            born=self.now(),
            behaviours=self.nature(kept),
        )


def _copied(disk: Disk, now: int) -> Disk:
    """Return the disk as it is written at this moment, with nothing that runs."""
    same = copy(disk)
    same.fences, same.floors = dict(disk.fences), dict(disk.floors)
    same.records = {}
    for alloc, kept in disk.records.items():
        same.records[alloc] = written = copy(kept)
        if kept.life is not None:
            written.tasks, written.released = kept.life.at(now).tasks, kept.released
            written.life = None
    return same
