"""One apply in progress: what it knows, what it may write, and whom it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from executors.boundary import Boundary, Passing, pass_by
from executors.clock import Clock
from executors.fleet import Fleet, JobFence
from executors.refusals import FencedError, GuardError
from executors.transport import HostError
from planner.decide import Stamp, Wave, wave
from planner.evaluate import Situation, plan_job
from planner.events import Event
from planner.job import Job
from planner.observed import Node, NodeStatus, Observed, ObservedAlloc
from planner.occupancy import Occupancy
from planner.plan import JobPlan
from planner.recorded import JobChange, JobState, Recorded

# Seconds in which the supervisor of a started allocation has to come up.
_SETTLING = 5.0
# Seconds for which what a look has shown is as good as another look.
_MOMENT = 1.0


class Journal(Protocol):
    """The write-ahead journal of a run. Appending blocks until it is written for good."""

    def append(self, kind: str, changes: Sequence[JobChange], time: int) -> None:
        """Write one entry; raises a `ConflictError` where another run has sealed the journal."""
        ...


@dataclass(slots=True, kw_only=True)
class Run:
    """The moving state of one apply. Only `journalled` and `saw` change what it knows."""

    id: str
    recorded: Recorded
    observed: Observed
    journal: Journal
    fleet: Fleet
    clock: Clock
    ids: Callable[[], str]
    tell: Callable[[Event], None]
    at: Passing = pass_by
    commit: str = ""
    # whether nothing more is to be begun
    stopping: Callable[[], bool] = lambda: False
    # so many jobs at a time, and so many steps on hosts; None: all
    jobs_at_once: asyncio.Semaphore | None = None
    steps_at_once: asyncio.Semaphore | None = None
    occupancy: Occupancy = field(default_factory=Occupancy)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    # (job key, host) pairs on which this run's fence stands
    fenced: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    # when allocations were started, by the monotonic clock
    started: dict[str, float] = field(default_factory=dict[str, float])
    # when allocations were last looked at, by the monotonic clock
    seen: dict[str, float] = field(default_factory=dict[str, float])
    # hosts that this run has lost, with the reason and the remedy
    losses: dict[str, str] = field(default_factory=dict[str, str])

    def situation(self) -> Situation:
        """What the planner reads, as of now."""
        return Situation(recorded=self.recorded, observed=self.observed, now=self.clock.now())

    def stamp(self) -> Stamp:
        """Time, ids and names for a decision made now."""
        nodes = {name: record.id for name, record in self.recorded.nodes.items()}
        return Stamp(
            now=self.clock.now(), ids=self.ids, run=self.id, commit=self.commit, nodes=nodes
        )

    def state(self, key: str) -> JobState:
        """The job's records, this run's own decisions included."""
        return self.recorded.job(key)

    def node(self, host: str) -> Node:
        """The node of that host; unknown where the inventory has lost it."""
        lost = Node(name=host, status=NodeStatus.UNKNOWN, reason="not in the inventory")
        return self.observed.nodes.get(host, lost)

    async def next_wave(self, key: str, job: Job) -> tuple[JobPlan, Wave]:
        """Plan the job anew and journal the intents of what comes next, as one decision."""
        async with self.lock:
            plan = plan_job(job, self.situation(), occupancy=self.occupancy)
            decided = wave(plan, self.state(key), self.stamp())
            if decided.chains:
                await self._append("intend", (decided.change,))
        if decided.chains:
            self.at(Boundary.INTENDED)
        return plan, decided

    async def journalled(self, kind: str, changes: Sequence[JobChange]) -> None:
        """Journal changes and take them in."""
        async with self.lock:
            await self._append(kind, changes)

    async def _append(self, kind: str, changes: Sequence[JobChange]) -> None:
        await asyncio.to_thread(self.journal.append, kind, changes, self.clock.now())
        self.recorded = self.recorded.changed(changes, self.recorded.index)

    async def prepare(self, key: str, hosts: Iterable[str]) -> None:
        """Raise the job's fence on those hosts, unless it stands there already.

        A host that fails here is taken as unknown; one that has seen a newer decision raises a
        `FencedError`.
        """
        wanted = sorted(h for h in set(hosts) if (key, h) not in self.fenced)
        await asyncio.gather(*(self._fence(key, h) for h in wanted))

    async def _fence(self, key: str, host: str) -> None:
        node = self.node(host)
        if node.status is not NodeStatus.READY:
            return
        index = self.state(key).modify_index
        fence = JobFence(key=key, epoch=self.recorded.epoch, index=index, commit=self.commit)
        try:
            await self.fleet.fence(node, (fence,))
        except FencedError:
            raise
        except (HostError, GuardError) as e:
            self.lost(host, e.message, e.hint)
            return
        self.fenced.add((key, host))

    def saw(self, allocs: Iterable[ObservedAlloc]) -> None:
        """Take in what hosts showed."""
        found = {a.id: self._given_time(a) for a in allocs}
        self.seen |= dict.fromkeys(found, self.clock.monotonic())
        self.observed = replace(self.observed, allocs={**self.observed.allocs, **found})

    def just_seen(self, alloc: str) -> ObservedAlloc | None:
        """What the last look at an allocation showed, if that was a moment ago."""
        age = self.clock.monotonic() - self.seen.get(alloc, -_MOMENT)
        return self.observed.allocs.get(alloc) if age < _MOMENT else None

    def _given_time(self, alloc: ObservedAlloc) -> ObservedAlloc:
        # What was started a moment ago may not have its supervisor yet.
        age = self.clock.monotonic() - self.started.get(alloc.id, -_SETTLING)
        return replace(alloc, unattended=False) if age < _SETTLING else alloc

    def saw_node(self, node: Node) -> None:
        """Take in what a new probe showed of a host."""
        self.observed = replace(self.observed, nodes={**self.observed.nodes, node.name: node})

    def lost(self, host: str, reason: str, remedy: str = "") -> None:
        """Take a host as unknown from now on, and remember why, and what to do about it."""
        self.losses[host] = f"{reason}\n{remedy}".rstrip()
        node = replace(self.node(host), status=NodeStatus.UNKNOWN, reason=reason)
        self.observed = replace(self.observed, nodes={**self.observed.nodes, host: node})
