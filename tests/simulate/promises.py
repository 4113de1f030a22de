"""The promises of docs/guarantees.md, checked at every step against what is truly so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from executors.sim.distant import Deed
from executors.sim.host import SimulatedHost
from planner.action import Action
from planner.job import SECOND, Disconnect, Job, TaskGroup
from planner.recorded import AllocRecord, Deployment, DeploymentStatus, Desired, JobState
from planner.standing import LOST, MISSING, UPDATED
from planner.steps import Start, Stop
from planner.system import TYPES
from planner.verdict import NO_PROGRESS
from tests.simulate.audit import Audit, BrokenPromiseError
from tests.simulate.migrations import Migrations, is_well

# Seconds that a process may stand still, and believe that it has watched.
_BLINK = 11.0


@dataclass(slots=True, kw_only=True)
class RunTruth:
    """What is known of one run: since when it has watched, and which hosts it can't use."""

    began: float
    # for how many seconds since some moment its process stood still
    frozen: Callable[[float], float]
    # hosts that did not answer it, at its look or later
    blind: set[str] = field(default_factory=set[str])
    # hosts that took nothing new, at its look
    closed: frozenset[str] = frozenset()
    # since when hosts had not answered whoever keeps watching, and after how many ns they are lost
    silent: Mapping[str, float] = field(default_factory=dict[str, float])
    grace: int = 0
    # ids of what it moves away from a node that is drained
    drains: frozenset[str] = frozenset()
    touched: bool = False


@dataclass(slots=True, kw_only=True)
class Promises:
    """Told of every deed on a host and every change in the ledger; raises what must never be."""

    hosts: Mapping[str, SimulatedHost]
    clock: Callable[[], float]
    audit: Audit = field(init=False)
    runs: dict[str, RunTruth] = field(default_factory=dict[str, RunTruth])
    # by job: the newest index under which something was done, and whose run did it
    acted: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    # (job, index, host) where a fence was raised
    fenced: set[tuple[str, int, str]] = field(default_factory=set[tuple[str, int, str]])
    # healthy allocations that an update has stopped: their successors, by (job, group, version)
    taken: dict[tuple[str, str, int], set[str]] = field(
        default_factory=dict[tuple[str, str, int], set[str]]
    )
    migrations: Migrations = field(init=False)
    # when a group of a deployment began or got on last
    progress: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    # (run, job) where a deployment failed
    failures: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def __post_init__(self) -> None:
        self.migrations = Migrations(self.hosts, self.clock)

    # ── hosts ────────────────────────────────────────────────────────────────────────────────

    def witness(self, deed: Deed) -> None:
        """A host has done something for a run."""
        if deed.run not in self.audit.takers:
            raise BrokenPromiseError(f"{deed.host}: {deed.kind} by a run that has taken no job")
        self.runs[deed.run].touched = True
        if deed.kind == "fence":
            self.fenced.add((deed.key, deed.index, deed.host))
        if deed.step is None:
            return
        self._no_stale_step(deed)
        newest = max(self.acted.get(deed.key, (0, "")), (deed.index, deed.run))
        self.acted[deed.key] = newest
        if isinstance(deed.step, Start):
            self._decided_before_done(deed, deed.step.alloc)
            self._room_and_ports(deed.host)
        if isinstance(deed.step, Stop):
            self._not_too_many_at_once(deed.step)
            self._not_before_its_successor(deed.step)
            self._not_while_paused(deed.step)
            truth = self.runs[deed.run]
            if deed.step.alloc.id in truth.drains:
                self.migrations.moves(deed.step, self.audit, truth.began, truth.blind)

    def _no_stale_step(self, deed: Deed) -> None:
        """After a newer run's first effect an older one can do nothing where that one could be."""
        index, run = self.acted.get(deed.key, (0, ""))
        if deed.index < index and deed.host not in self.runs[run].blind:
            raise BrokenPromiseError(
                f"{deed.host}: {deed.kind} of {deed.key} under index {deed.index}, "
                f"though a run had acted under {index}"
            )

    def _decided_before_done(self, deed: Deed, alloc: AllocRecord) -> None:
        if alloc.id not in self.audit.decided:
            raise BrokenPromiseError(
                f"{deed.host}: {alloc.name} ({alloc.id[:8]}) was started, and nobody had decided it"
            )

    def _room_and_ports(self, name: str) -> None:
        host = self.hosts[name]
        live = [k.record for k in host.disk.records.values() if not k.freed(host.now())]
        ports = [p for r in live for p in r.ports.values()]
        if len(ports) != len(set(ports)):
            raise BrokenPromiseError(f"{name}: a port was given twice: {sorted(ports)}")
        total = host.node.resources
        used = (sum(r.cpu for r in live), sum(r.memory_mb for r in live))
        if used[0] > total.cpu or used[1] > total.memory_mb:
            raise BrokenPromiseError(f"{name}: more is reserved than there is: {used}")

    def _not_too_many_at_once(self, stop: Stop) -> None:
        """A rolling update stops healthy ones only as far as its block allows."""
        state, old = self.audit.job(stop.key), stop.alloc
        current = state.current
        group = current.job.group(old.group) if current else None
        if (
            stop.change.action is not Action.DESTRUCTIVE
            or current is None
            or group is None
            or group.update is None
            or not group.update.max_parallel
            or not self.is_well(old)
        ):
            return
        taken = self.taken.setdefault((stop.key, old.group, current.version), set())
        taken.add(old.next)
        pending = {i for i in taken if not self._has_been_well(state, i)}
        if len(pending) > group.update.max_parallel:
            raise BrokenPromiseError(
                f"{stop.key}: {len(pending)} healthy ones of {old.group} were stopped at once, "
                f"max_parallel is {group.update.max_parallel}"
            )

    def _not_before_its_successor(self, stop: Stop) -> None:
        """What has a successor beside it runs until that one was found healthy."""
        old, state = stop.alloc, self.audit.job(stop.key)
        new = state.alloc(old.next)
        change = stop.change
        # What is replaced by rule, or for want of room, before another one starts is no pair.
        beside = change.start_first or change.action is Action.DESTROY
        if (
            beside
            and old.desired_description == UPDATED
            and new is not None
            and new.starts_first
            and new.desired is Desired.RUN
            and new.healthy is not True
            and self.is_well(old)
        ):
            raise BrokenPromiseError(
                f"{old.name} ({old.id[:8]}) was stopped before its successor was healthy"
            )

    def _not_while_paused(self, stop: Stop) -> None:
        """Nothing is updated while its deployment rests."""
        deployment, action = self.audit.job(stop.key).deployment, stop.change.action
        paused = deployment is not None and deployment.status is DeploymentStatus.PAUSED
        if paused and action is Action.DESTRUCTIVE and self.is_well(stop.alloc):
            raise BrokenPromiseError(f"{stop.alloc.name} is updated, and its deployment is paused")

    def _has_been_well(self, state: JobState, alloc: str) -> bool:
        record = state.alloc(alloc)
        return record is None or record.healthy is not None or record.desired is Desired.STOP

    def is_well(self, alloc: AllocRecord) -> bool:
        """Whether the allocation truly runs and its checks pass."""
        return is_well(self.hosts, alloc)

    # ── the ledger ───────────────────────────────────────────────────────────────────────────

    def heard(self, before: JobState, after: JobState, run: str) -> None:
        """The records of a job have changed."""
        known = {a.id for a in before.allocs}
        if any(a.id not in known for a in after.allocs):
            self._bounded(before, after, run)
            self._only_on_open(before, after, run)
        if run:
            self._unknown_is_not_dead(before, after, run)
        self._deadline_was_watched(before, after)

    def _bounded(self, before: JobState, after: JobState, run: str) -> None:
        job = after.current.job if after.current else None
        if job is None:
            return
        if job.type in TYPES:
            self._one_on_each(before, after)
            return
        for name in {a.group for a in after.allocs}:
            old, new = self._live(before, name), self._live(after, name)
            bound = _bound(job, job.group(name)) + _beside(after, job.group(name), new)
            bound += _stand_ins(after, new)
            # What is too many on a host that does not answer stays until it does.
            blind = self.runs[run].blind if run in self.runs else set[str]()
            stuck = sum(a.node in blind for a in old)
            stuck = min(stuck, max(len(old) - _count(job, name), 0))
            if len(new) > max(bound + stuck, len(old)):
                raise BrokenPromiseError(
                    f"{after.key}: {len(new)} of {name} are decided to run, {bound} at most may: "
                    f"{sorted(a.name for a in new)}"
                )

    def _only_on_open(self, before: JobState, after: JobState, run: str) -> None:
        """Nothing new is placed on a node that was closed when its run looked, and still is."""
        known = {a.id for a in before.allocs}
        nodes = self.audit.recorded.nodes
        seen = self.runs[run].closed if run in self.runs else frozenset[str]()
        closed = {name for name in seen if not nodes[name].eligible}
        for alloc in after.allocs:
            if alloc.id not in known and alloc.node in closed:
                raise BrokenPromiseError(f"{alloc.name} is placed on {alloc.node}, which is closed")

    def _one_on_each(self, before: JobState, after: JobState) -> None:
        """A group of a system job is decided to run once on a node, and no more."""
        for name in {a.group for a in after.allocs}:
            old = Counter(a.node for a in self._live(before, name))
            new = Counter(a.node for a in self._live(after, name))
            for node, count in new.items():
                if count > max(1, old[node]):
                    raise BrokenPromiseError(
                        f"{after.key}: {count} of {name} are decided to run on {node}"
                    )

    def _live(self, state: JobState, group: str) -> list[AllocRecord]:
        """The allocations of a group that are decided to run, but for those that have ended."""
        return [a for a in state.allocs if a.group == group and not a.terminal and self._lasts(a)]

    def _lasts(self, alloc: AllocRecord) -> bool:
        host = self.hosts[alloc.node]
        kept = host.disk.records.get(alloc.id)
        return kept is None or not kept.freed(host.now())

    def _unknown_is_not_dead(self, before: JobState, after: JobState, run: str) -> None:
        truth = self.runs.get(run)
        if truth is None:
            return
        for old in before.allocs:
            new = after.alloc(old.id)
            if new is None or old.terminal or not new.next or new.next == old.next:
                continue
            if new.desired_description == LOST and self._is_given_up(before, old, truth):
                continue
            if new.desired_description in (MISSING, LOST) and old.node in truth.blind:
                raise BrokenPromiseError(
                    f"{old.name} on {old.node}, of which nothing was known, was replaced: "
                    f"{new.desired_description}"
                )

    def _is_given_up(self, state: JobState, alloc: AllocRecord, truth: RunTruth) -> bool:
        """Whether somebody has declared the host lost, or it was silent for as long as it may."""
        record = self.audit.recorded.nodes.get(alloc.node)
        if record is not None and record.lost:
            return True
        policy = _disconnect(state, alloc)
        limit = policy.lost_after if policy is not None and policy.lost_after else truth.grace
        since = truth.silent.get(alloc.node)
        return bool(limit) and since is not None and self.clock() - since >= limit / SECOND - 0.1

    def _deadline_was_watched(self, before: JobState, after: JobState) -> None:
        deployment, earlier = after.deployment, before.deployment
        if deployment is None:
            return
        same = earlier if earlier is not None and earlier.id == deployment.id else None
        for name, group in deployment.groups.items():
            old = same.groups.get(name) if same is not None else None
            if old is None or (old.healthy, old.promoted) != (group.healthy, group.promoted):
                self.progress[deployment.id, name] = self.clock()
        active = earlier is None or earlier.status.active
        if not active or deployment.status is not DeploymentStatus.FAILED:
            return
        self.failures.add((after.run, after.key))
        truth = self.runs.get(after.run)
        if truth is not None and NO_PROGRESS in deployment.description:
            self._some_deadline_is_over(deployment, truth)

    def _some_deadline_is_over(self, deployment: Deployment, truth: RunTruth) -> None:
        told: list[str] = []
        for name, group in deployment.groups.items():
            limit = group.progress_deadline / SECOND
            since = max(self.progress[deployment.id, name], truth.began)
            watched = self.clock() - since - truth.frozen(since)
            if limit and watched >= limit - _BLINK:
                return
            told.append(f"{name} {limit:g} s, after {watched:.1f} s")
        raise BrokenPromiseError(
            f"a deadline for progress ended a deployment before it was over: {'; '.join(told)}"
        )


def _count(job: Job, name: str) -> int:
    group = job.group(name)
    return group.count if group is not None and not job.stop else 0


def _bound(job: Job, group: TaskGroup | None) -> int:
    if group is None or job.stop:
        return 0
    return group.count + (group.update.canary if group.update else 0)


def _beside(state: JobState, group: TaskGroup | None, live: Sequence[AllocRecord]) -> int:
    """How many may run beside those that they replace, until they are healthy."""
    ids = {a.id for a in live}
    pairs = sum(_has_predecessor(state, a, ids) for a in live)
    return min(pairs, group.update.max_parallel if group and group.update else 0)


def _stand_ins(state: JobState, live: Sequence[AllocRecord]) -> int:
    """How many may run beside those whose hosts do not answer, as their jobs say."""
    ids = {a.id for a in live}
    policies = (_disconnect(state, a) for a in live if _has_successor(state, a, ids))
    return sum(bool(p is not None and p.lost_after and p.replace) for p in policies)


def _has_successor(state: JobState, alloc: AllocRecord, live: Set[str]) -> bool:
    """Whether another one was made in its place; others may have failed between the two."""
    after: AllocRecord | None = alloc
    while after is not None:
        if after.next in live:
            return True
        after = state.alloc(after.next)
    return False


def _disconnect(state: JobState, alloc: AllocRecord) -> Disconnect | None:
    version = state.version(alloc.job_version)
    group = version.job.group(alloc.group) if version else None
    return group.disconnect if group else None


def _has_predecessor(state: JobState, alloc: AllocRecord, live: Set[str]) -> bool:
    """Whether what it was started beside is still there; others may have failed between the two."""
    before: AllocRecord | None = alloc
    while before is not None and before.starts_first:
        if before.previous in live:
            return True
        before = state.alloc(before.previous)
    return False
