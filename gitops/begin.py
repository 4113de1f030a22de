"""The two ends of a run in the ledger: taking jobs by one commit, and folding its journal back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from gitops.ledger.errors import AskedError
from gitops.ledger.journal import JournalEntry, RunInfo
from gitops.ledger.protocol import Guard, Ledger, RunHead, Snapshot
from gitops.ledger.protocol import Run as LedgerRun
from planner.decide import Stamp, opened
from planner.errors import ConflictError, OrchError
from planner.job import HOUR
from planner.node_record import NodeRecord
from planner.observed import Node
from planner.plan import JobPlan
from planner.recorded import JobChange

# How long a run may take from its journal to its begin, in ns: an hour is far too long.
_BEGINNING = HOUR


@dataclass(slots=True, kw_only=True)
class LedgerJournal:
    """The run's journal in the ledger; keeps what it wrote, for folding."""

    run: LedgerRun
    written: list[JobChange] = field(default_factory=list[JobChange])

    def append(self, kind: str, changes: Sequence[JobChange], time: int) -> None:
        """Write one entry durably. Raises `SealedError` where the run was taken over."""
        self.run.append(JournalEntry(kind=kind, time=time, changes=tuple(changes)))
        self.written += changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that holds its jobs: the state as it began, where it journals, and nodes to enrol."""

    snapshot: Snapshot
    journal: LedgerJournal
    plans: tuple[JobPlan, ...]
    nodes: tuple[NodeRecord, ...]
    # keys of jobs that its end is to forget
    purges: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a run begins with: plans made on `snapshot`, nodes to enrol, dead runs to take over.

    `purges` are the keys of jobs to forget once they are stopped; `images` are digests for new
    versions, by job and by reference.
    """

    snapshot: Snapshot
    plans: tuple[JobPlan, ...]
    enrol: tuple[Node, ...] = ()
    abandoned: tuple[str, ...] = ()
    purges: frozenset[str] = frozenset()
    images: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


def begin(ledger: Ledger, info: RunInfo, beginning: Beginning, stamp: Stamp) -> Begun:
    """Take the jobs: the journal first, then one commit that everything hangs on.

    Raises a `ConflictError` where a job has moved since it was planned; the journal is removed
    again then, and no host was touched.
    """
    run = ledger.open_run(info)
    snapshot = beginning.snapshot
    try:
        for adopted in _adoptions(ledger, beginning, info.id):
            snapshot = adopted
        snapshot = ledger.commit(
            snapshot,
            [opened(p, snapshot.recorded.job(p.key), stamp) for p in beginning.plans],
            message=_message("Begin", beginning.plans),
            guards=_as_planned(snapshot, beginning.plans, info.id),
        )
    except OrchError:
        _let_go(ledger, snapshot, info.id)
        run.close()
        raise
    journal = LedgerJournal(run=run)
    nodes = tuple(_record(node, stamp.ids) for node in beginning.enrol)
    return Begun(snapshot=snapshot, journal=journal, plans=beginning.plans, nodes=nodes)


def enrolled(ledger: Ledger, begun: Begun, nodes: Sequence[NodeRecord]) -> Snapshot:
    """Record nodes as their hosts have confirmed them, and return the state after it.

    Raises a `ConflictError` where the jobs were taken over meanwhile.
    """
    names = ", ".join(n.name for n in nodes)
    guards = _guards(begun.snapshot, begun.plans)
    return ledger.commit(begun.snapshot, [], nodes, message=f"Enrol: {names}", guards=guards)


def _guards(snapshot: Snapshot, plans: Sequence[JobPlan]) -> list[Guard]:
    """Return what makes a decision about the jobs of a run hold only while it has them."""
    recorded = snapshot.recorded
    return [Guard(key=p.key, modify_index=recorded.job(p.key).modify_index) for p in plans]


def _as_planned(snapshot: Snapshot, plans: Sequence[JobPlan], run: str) -> list[Guard]:
    """Return what makes a begin hold only where each job is as it was planned, or taken over.

    The state after a take-over is newer than the plans: others may have taken jobs by then.
    """
    jobs = {p.key: snapshot.recorded.job(p.key) for p in plans}
    return [
        Guard(
            key=p.key,
            modify_index=jobs[p.key].modify_index if jobs[p.key].run == run else p.modify_index,
        )
        for p in plans
    ]


def _adoptions(ledger: Ledger, beginning: Beginning, run: str) -> Iterator[Snapshot]:
    """Take over the jobs of dead runs, one run after the other; yield the state after each.

    Refuses where a job has moved since it was planned.
    """
    snapshot = beginning.snapshot
    for plan in beginning.plans:
        if snapshot.recorded.job(plan.key).modify_index != plan.modify_index:
            raise ConflictError(f"{plan.key}: changed since it was planned", "Plan again.")
    keys = {p.key for p in beginning.plans}
    for abandoned in beginning.abandoned:
        runs = {i: head for i, head in snapshot.runs.items() if i != abandoned}
        if (read := beginning.snapshot.runs.get(abandoned)) is not None:
            # As it was waited for, and planned with: one that has moved since is not dead.
            runs[abandoned] = read
        snapshot = ledger.adopt(replace(snapshot, runs=runs), abandoned, run, keys)
        yield snapshot


def _let_go(ledger: Ledger, snapshot: Snapshot, run: str) -> None:
    """Release the jobs that a run has taken over already, and will not begin with."""
    jobs = snapshot.recorded.jobs
    held = [JobChange(key=key, run="") for key, state in jobs.items() if state.run == run]
    if held:
        guards = [Guard(key=c.key, modify_index=jobs[c.key].modify_index) for c in held]
        # Where that fails, they are taken over from a run that has no journal.
        with suppress(OrchError):
            ledger.commit(snapshot, held, message="let go", guards=guards)


def _record(node: Node, ids: Callable[[], str]) -> NodeRecord:
    return NodeRecord(
        id=node.id or ids(),
        name=node.name,
        machine_id=node.attributes.get("unique.host_id", ""),
    )


def finish(ledger: Ledger, begun: Begun, heard: Collection[str] | None = None) -> Snapshot:
    """Fold the journal into the state, release the jobs, and return the state after it.

    Raises a `ConflictError` where the jobs were taken over meanwhile; an `AskedError` where
    requests wait for them and are not among those `heard` (None: whatever waits, waits on).
    """
    released = [_released(p.key, begun) for p in begun.plans]
    known = frozenset(heard) if heard is not None else None
    try:
        return ledger.commit(
            begun.snapshot,
            [*begun.journal.written, *released],
            message=_message("End", begun.plans),
            guards=[replace(g, heard=known) for g in _guards(begun.snapshot, begun.plans)],
        )
    except AskedError:
        raise
    except ConflictError as e:
        raise ConflictError(
            f"the run was taken over before its end was recorded: {e.message}",
            "The other run goes on with the work: see 'orch status', then plan again.",
        ) from e


def _released(key: str, begun: Begun) -> JobChange:
    return JobChange(key=key, purge=True) if key in begun.purges else JobChange(key=key, run="")


def tidy(ledger: Ledger, snapshot: Snapshot, dead: Collection[str], now: int) -> None:
    """Remove the journals of runs that hold no job, and are dead or too old to be just beginning.

    `now` is in ns.
    """
    for run in expired(snapshot, dead, now):
        ledger.drop_run(run)


def expired(snapshot: Snapshot, dead: Collection[str], now: int) -> list[RunHead]:
    """Return the runs that hold no job, and are dead or too old to be just beginning."""
    holding = {state.run for state in snapshot.recorded.jobs.values()}
    return [
        run
        for run in snapshot.runs.values()
        if run.id not in holding and (run.id in dead or now - run.info.started > _BEGINNING)
    ]


def _message(word: str, plans: Sequence[JobPlan]) -> str:
    names = ", ".join(p.key for p in plans[:5])
    more = f" and {len(plans) - 5} more" if len(plans) > 5 else ""  # noqa: PLR2004
    return f"{word}: {names}{more}"
