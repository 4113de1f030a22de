"""Bugs that orch could have, each as a small variant of it: the simulation has to find them.

Nothing of orch itself is changed. Each stands in for the part that would be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors.clock import Clock
from executors.fleet import JobFence
from executors.outcome import OutcomeKind
from executors.sim.disk import Caller, Disk
from executors.sim.distant import DistantFleet
from gitops.applying import Result
from gitops.draining import Draining
from gitops.git import Completed, GitTimeoutError
from gitops.ledger.journal import JournalEntry, RunInfo
from gitops.ledger.layout import StateMeta
from gitops.ledger.protocol import Run as LedgerRun
from gitops.ledger.seen import Seen
from gitops.ledger.simulated import SimulatedCopy
from gitops.ledger.store import Beside
from gitops.planning import Desired, Look
from planner.job import SECOND
from planner.observed import Node, NodeStatus, Observed, ObservedAlloc
from planner.recorded import DeploymentStatus, JobChange
from planner.steps import Start, Stop, Update
from tests.simulate.audit import AuditedLedger
from tests.simulate.command import Command
from tests.simulate.variant import Variant

# ── no write-ahead ───────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _LateJournal:
    """Writes what is intended with what came of it."""

    run: LedgerRun
    held: list[JournalEntry] = field(default_factory=list[JournalEntry])

    @property
    def info(self) -> RunInfo:
        return self.run.info

    def append(self, entry: JournalEntry) -> JournalEntry:
        if entry.kind == "intend":
            self.held.append(entry)
            return entry
        changes: tuple[JobChange, ...] = tuple(c for e in self.held for c in e.changes)
        self.held.clear()
        return self.run.append(replace(entry, changes=(*changes, *entry.changes)))

    def beat(self, state: str = "") -> bool:
        return self.run.beat(state)

    def close(self) -> None:
        self.run.close()


class _LateLedger(AuditedLedger):
    def open_run(self, info: RunInfo) -> LedgerRun:  # type: ignore[override]
        return _LateJournal(super().open_run(info))


# ── a connection lock taken for the fence ────────────────────────────────────────────────────────


@dataclass(slots=True, kw_only=True)
class _ConnectionLock(Disk):
    """Whoever has got through is let in: their connection lives, and so does its lock."""

    def raise_fence(self, caller: Caller, fence: JobFence) -> None:
        self._check_node(caller)
        self.fences[caller.cluster, fence.key] = fence

    def _check(self, caller: Caller, fence: JobFence, about: str) -> None:
        del fence, about
        self._check_node(caller)


# ── a fence raised only on hosts that are visited ────────────────────────────────────────────────


@dataclass(kw_only=True)
class _FenceOnVisit(DistantFleet):
    owed: dict[tuple[str, str], JobFence] = field(default_factory=dict[tuple[str, str], JobFence])

    async def fence(self, node: Node, fences: Sequence[JobFence]) -> None:
        self.owed.update({(node.name, f.key): f for f in fences})

    async def start(self, step: Start, node: Node) -> None:
        await self._pay(step.key, node)
        await DistantFleet.start(self, step, node)

    async def stop(self, step: Stop, node: Node) -> None:
        await self._pay(step.key, node)
        await DistantFleet.stop(self, step, node)

    async def update(self, step: Update, node: Node) -> None:
        await self._pay(step.key, node)
        await DistantFleet.update(self, step, node)

    async def _pay(self, key: str, node: Node) -> None:
        fence = self.owed.pop((node.name, key), None)
        if fence is not None:
            await DistantFleet.fence(self, node, (fence,))


# ── a lost reply taken for a lost push ───────────────────────────────────────────────────────────


@dataclass(slots=True, kw_only=True)
class _Hasty(SimulatedCopy):
    """Takes a push without an answer for one that was refused."""

    def push(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Completed:
        refused = f"!\t{new}:{self.prefix}{ref}\t[rejected] (no answer)\n".encode()
        try:
            done = SimulatedCopy.push(self, ref, old, new, beside)
        except GitTimeoutError:
            return Completed(code=1, stdout=refused, stderr="")
        return done if done.stdout else Completed(code=1, stdout=refused, stderr="")


# ── a name that is used again after its container was removed ────────────────────────────────────


@dataclass(kw_only=True)
class _ByName(DistantFleet):
    """Takes any container that has the name of one for that one."""

    async def look(self, host: str) -> tuple[Node, tuple[ObservedAlloc, ...]]:
        node, allocs = await DistantFleet.look(self, host)
        return node, tuple(replace(a, missing="") for a in allocs)

    async def inspect(self, host: str, allocs: Sequence[str]) -> tuple[ObservedAlloc, ...]:
        found = await DistantFleet.inspect(self, host, allocs)
        return tuple(replace(a, missing="") for a in found)


# ── unknown taken for empty ──────────────────────────────────────────────────────────────────────


class _UnknownIsEmpty(Command):
    def seen(self, observed: Observed) -> Observed:
        known = self.place.promises.audit.recorded.nodes
        nodes = {
            name: replace(self.place.fleet.hosts[name].node, id=known[name].id)
            if node.status is NodeStatus.UNKNOWN and name in known
            else node
            for name, node in observed.nodes.items()
        }
        return replace(observed, nodes=nodes)


# ── a deadline for progress that ran while nobody watched ────────────────────────────────────────


@dataclass(slots=True, kw_only=True)
class _CatchingUp:
    """A clock that makes up for the time before its process was there."""

    real: Clock
    debt: float
    paid: float = 0.0
    last: float = 0.0

    def now(self) -> int:
        return self.real.now()

    def monotonic(self) -> float:
        now = self.real.monotonic()
        if now > self.last:
            some = min(self.debt, 9.0)
            self.debt, self.paid, self.last = self.debt - some, self.paid + some, now
        return now + self.paid

    async def sleep(self, seconds: float) -> None:
        await self.real.sleep(seconds)


class _RanUnwatched(Command):
    def clock(self, read: Look) -> Clock:
        since = [
            d.created
            for state in read.recorded.jobs.values()
            if (d := state.deployment) is not None and d.status is DeploymentStatus.RUNNING
        ]
        now = self.process.now()
        return _CatchingUp(real=self.process, debt=max(now - min(since, default=now), 0) / SECOND)


# ── a revert called success ──────────────────────────────────────────────────────────────────────


class _RevertIsSuccess(Command):
    async def apply(self, desired: Desired) -> Result | None:
        result = await Command.apply(self, desired)
        if result is None:
            return None
        reverting = {
            job.id
            for _, job in desired.jobs
            if any(g.update is not None and g.update.auto_revert for g in job.task_groups)
        }
        return replace(
            result,
            outcomes=tuple(
                replace(o, kind=OutcomeKind.DONE)
                if o.kind is OutcomeKind.FAILED and o.key in reverting
                else o
                for o in result.outcomes
            ),
        )


# ── a ledger that went back taken for the truth ──────────────────────────────────────────────────


class _Credulous(AuditedLedger):
    def _check_rewound(self, head: str, meta: StateMeta, seen: Seen | None) -> None:
        del head, meta, seen


# ── what took another's place taken for well at once ────────────────────────────────────────────


class _HastyDrain(Draining):
    async def _settled(self) -> Look:
        return await self.ways.look()


class _Hurrying(Command):
    draining = _HastyDrain


PLANTED: Mapping[str, Variant] = {
    "no write-ahead": Variant(ledger=_LateLedger),
    "a connection lock taken for the fence": Variant(disk=_ConnectionLock),
    "a fence raised only on visited hosts": Variant(fleet=_FenceOnVisit),
    "no nonce": Variant(nonce=False),
    "a lost reply taken for a lost push": Variant(copy=_Hasty),
    "a name reused after its container was removed": Variant(fleet=_ByName),
    "unknown taken for empty": Variant(command=_UnknownIsEmpty),
    "a deadline that ran while nobody watched": Variant(command=_RanUnwatched),
    "a revert called success": Variant(command=_RevertIsSuccess),
    "a ledger that went back taken for the truth": Variant(ledger=_Credulous),
    "a replacement taken for well at once": Variant(command=_Hurrying),
}
