"""One apply in progress: what it knows, what it may write, and whom it tells."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from executors.blocking import Blocking, in_thread
from executors.boundary import Boundary, Passing, pass_by
from executors.clock import Clock
from executors.fleet import Fleet, JobFence
from executors.refusals import FencedError, GuardError, LeaseInDoubtError
from executors.transport import HostError
from planner.decide import Stamp, Wave, wave, went_back
from planner.errors import ConflictError, OrchError
from planner.evaluate import Situation, plan_job
from planner.events import Event
from planner.job import Job
from planner.observed import Node, NodeStatus, Observed, ObservedAlloc
from planner.occupancy import Occupancy
from planner.plan import JobPlan
from planner.recorded import JobChange, JobState, JobVersion, Recorded
from planner.request import Request
from planner.update_order import UpdateOrder
from planner.verdict import synced

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
    blocking: Blocking = in_thread
    commit: str = ""
    # whether the sensitive values of a spec are at hand
    can_open: Callable[[Job], bool] = lambda _: True
    order: UpdateOrder = UpdateOrder.STOP_FIRST
    # the newest records, those of other runs with them; None: those of the begin are all there is
    records: Callable[[], Recorded] | None = None
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
    # when the last sign of life was sent that arrived, by the monotonic clock; for as many seconds
    # after it nobody can have taken the run over
    proved: float = 0.0
    lease: float = math.inf
    # ids of requests that this run has heard of, those included that are answered by now
    heard: set[str] = field(default_factory=set[str])
    # hosts that this run has lost, with the reason and the remedy
    losses: dict[str, str] = field(default_factory=dict[str, str])

    def situation(self) -> Situation:
        """What the planner reads, as of now."""
        return Situation(
            recorded=self.recorded,
            observed=self.observed,
            now=self.clock.now(),
            order=self.order,
        )

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
        """Plan the job anew and journal the intents of what comes next, as one decision.

        What is decided of an allocation stands beside what had become of it by then.
        """
        async with self.lock:
            plan = plan_job(job, self.situation(), occupancy=self.occupancy)
            known = synced(self.state(key), self.observed, self.clock.now())
            decided = wave(
                plan, self.state(key).changed(known, self.state(key).modify_index), self.stamp()
            )
            if decided.chains or decided.change.allocs:
                changes = (known, decided.change) if known.allocs else (decided.change,)
                await self._append("intend", changes)
        if decided.chains:
            self.at(Boundary.INTENDED)
        return plan, decided

    async def went_back(self, key: str, end: JobChange, version: JobVersion) -> None:
        """Journal the end of a deployment and the begin of its job's way back, as one decision."""
        async with self.lock:
            ended = self.recorded.changed((end,), self.recorded.index)
            situation = replace(self.situation(), recorded=ended)
            plan = plan_job(version.job, situation, path=version.path)
            begin = went_back(plan, ended.job(key), version, self.stamp())
            await self._append("revert", (end, begin))

    async def journalled(self, kind: str, changes: Sequence[JobChange]) -> None:
        """Journal changes and take them in."""
        async with self.lock:
            await self._append(kind, changes)

    async def _append(self, kind: str, changes: Sequence[JobChange]) -> None:
        now, before = self.clock.now(), self.clock.monotonic()
        await self.blocking(lambda: self.journal.append(kind, changes, now))
        self.proved = max(self.proved, before)
        self.recorded = self.recorded.changed(changes, self.recorded.index)

    async def hold(self) -> None:
        """See that this run still has its jobs, before anything is done on a host.

        Costs nothing while its lease can't have run out. A machine that slept finds out here, and
        not by the fence alone: a host that went back to a snapshot has an older one. Raises a
        `ConflictError` where the run was taken over; `LeaseInDoubtError` where the ledger can't be
        asked.
        """
        if not self._may_be_taken():
            return
        async with self.lock:
            if not self._may_be_taken():
                return
            try:
                await self._append("awake", ())
            except ConflictError:
                raise
            except OrchError as e:
                what = f"the lease of this run may be over, and nobody can tell: {e.message}"
                raise LeaseInDoubtError(what, "Apply again when the ledger can be reached.") from e

    def _may_be_taken(self) -> bool:
        return self.clock.monotonic() - self.proved >= self.lease

    def fence(self, key: str) -> JobFence:
        """The fence under which this run acts for the job."""
        index = self.state(key).modify_index
        return JobFence(key=key, epoch=self.recorded.epoch, index=index, commit=self.commit)

    def hear(self, key: str, requests: Iterable[Request]) -> None:
        """Take in what is asked of a job's deployments, once: its rollout answers."""
        news = tuple(r for r in requests if r.id not in self.heard)
        self.heard.update(r.id for r in news)
        if news:
            change = JobChange(key=key, requests=news)
            self.recorded = self.recorded.changed((change,), self.recorded.index)

    async def prepare(self, key: str, hosts: Iterable[str]) -> None:
        """Raise the job's fence on those hosts, unless it stands there already.

        A host that fails here is taken as unknown; one that has seen a newer decision raises a
        `FencedError`.
        """
        await self.hold()
        wanted = sorted(h for h in set(hosts) if (key, h) not in self.fenced)
        await asyncio.gather(*(self._fence(key, h) for h in wanted))

    async def _fence(self, key: str, host: str) -> None:
        node = self.node(host)
        if node.status is not NodeStatus.READY:
            return
        try:
            await self.fleet.fence(node, (self.fence(key),))
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

    async def inspect(self, host: str, allocs: Sequence[str]) -> None:
        """Look at allocations of a host; one that fails is taken as unknown."""
        try:
            self.saw(await self.fleet.inspect(host, allocs))
        except HostError as e:
            self.lost(host, e.message, e.hint)

    def just_seen(self, alloc: str) -> ObservedAlloc | None:
        """What the last look at an allocation showed, if that was a moment ago."""
        age = self.clock.monotonic() - self.seen.get(alloc, -_MOMENT)
        return self.observed.allocs.get(alloc) if age < _MOMENT else None

    def _given_time(self, alloc: ObservedAlloc) -> ObservedAlloc:
        # What was started a moment ago may not have its supervisor yet.
        age = self.clock.monotonic() - self.started.get(alloc.id, -_SETTLING)
        return replace(alloc, unattended=False) if age < _SETTLING else alloc

    def saw_node(self, node: Node) -> None:
        """Take in what a new probe showed of a host.

        No fence there is taken for granted any more: it may have started anew since the last one,
        with a disk on which older fences stand.
        """
        self.fenced = {(key, name) for key, name in self.fenced if name != node.name}
        self.observed = replace(self.observed, nodes={**self.observed.nodes, node.name: node})

    async def reread(self) -> None:
        """Take in what other runs have decided since; what can't be read stays as it was."""
        if self.records is None:
            return
        try:
            fresh = await self.blocking(self.records)
        except OrchError:
            return
        mine = {key: state for key, state in self.recorded.jobs.items() if state.run == self.id}
        index = self.recorded.index
        self.recorded = replace(fresh, jobs={**fresh.jobs, **mine}, index=index)

    def saw_others(self, node: Node, allocs: Iterable[ObservedAlloc]) -> None:
        """Take in what a new probe showed of a host, but for the allocations of this run's jobs.

        Those are looked at by who starts and stops them, and may be newer than the probe.
        """
        mine = {a.id for s in self.recorded.jobs.values() if s.run == self.id for a in s.allocs}
        kept = {i: a for i, a in self.observed.allocs.items() if a.node != node.name or i in mine}
        found = {a.id: a for a in allocs if a.id not in mine}
        self.observed = replace(self.observed, allocs={**kept, **found})
        self.saw_node(node)

    def lost(self, host: str, reason: str, remedy: str = "") -> None:
        """Take a host as unknown from now on, and remember why, and what to do about it."""
        self.losses[host] = f"{reason}\n{remedy}".rstrip()
        node = replace(self.node(host), status=NodeStatus.UNKNOWN, reason=reason)
        self.observed = replace(self.observed, nodes={**self.observed.nodes, host: node})
