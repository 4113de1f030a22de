"""The ledger over a store of refs: reading, deciding by compare-and-swap, history.

It never touches a host, and never moves a ref except from the commit it has read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gitops.ledger import layout
from gitops.ledger.adoption import adopted
from gitops.ledger.check import Trial, probe, trials
from gitops.ledger.contents import Contents
from gitops.ledger.errors import AskedError, LostObjectsError, RewoundError, refused
from gitops.ledger.journal import RunInfo
from gitops.ledger.layout import RunMeta, StateMeta, Stored, StoredRecords
from gitops.ledger.objects import Commit, GitObject, Signature, changed_tree
from gitops.ledger.protocol import Guard, HistoryEntry, RunHead, Snapshot
from gitops.ledger.ref_run import Journals, RefRun
from gitops.ledger.seen import Seen, SeenHeads
from gitops.ledger.store import Store
from gitops.ledger.surroundings import Surroundings
from planner.errors import ConflictError
from planner.node_record import NodeRecord
from planner.recorded import JobChange, JobState, Recorded
from planner.request import Request

V = TypeVar("V")

# A head that others move is tried for long; one that refuses without moving, not.
_TRIES = 60
_READS = 8
_REFUSALS = 6
_TIDY_EVERY = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one commit of the state is to say, and what it hangs on."""

    changes: Sequence[JobChange]
    nodes: Sequence[NodeRecord]
    message: str
    guards: Sequence[Guard]


class RefLedger:
    """A `Ledger` over any `Store`."""

    def __init__(
        self,
        store: Store,
        cluster: str,
        seen: SeenHeads,
        surroundings: Surroundings,
        noted: Callable[[Snapshot], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._seen = seen
        self._around = surroundings
        # told of each state that was read or decided
        self._noted = noted
        self._contents = Contents(store)
        self._journals = Journals(store, surroundings)
        # one thread at a time reads or decides: what was read is kept for the next
        self._lock = surroundings.lock()
        # of the newest state that was read: how indexes lie along the commits
        self._meta = StateMeta(cluster=cluster)

    def read(self) -> Snapshot:
        """Return the newest state, after making sure that it did not go back."""
        with self._lock:
            return self._newest()

    def _newest(self) -> Snapshot:
        for n in self._around.tries(_READS):
            try:
                found = self._read()
                self._noted(found)
                return found
            except (LostObjectsError, RewoundError) as e:
                # A cache may be deleted under our hands, by a user or by another process; but
                # what was lost with a rewound ledger may only be left in there.
                final = n > 0 if isinstance(e, RewoundError) else n + 1 == _READS
                if final or not self._store.renew(gently=n == 0):
                    raise
                self._contents = Contents(self._store)
        raise AssertionError("unreachable")

    def _read(self) -> Snapshot:
        # Before the heads: another process may see, and remember, a newer one meanwhile.
        seen = self._seen.last()
        heads = {
            ref: oid
            for ref, oid in self._store.heads().items()
            if ref == layout.STATE or ref.startswith(layout.RUNS)
        }
        if not heads and seen is None:
            return Snapshot(recorded=Recorded(cluster=self._cluster, epoch=1))
        head = heads.get(layout.STATE, "")
        with self._store.reader() as reader:
            stored = self._contents.read(reader, heads)
        state = stored.pop(layout.STATE, None)
        recorded = self._recorded(state)
        meta = state.value(StateMeta, layout.META) if state else StateMeta(cluster=self._cluster)
        self._check_rewound(head, meta, seen)
        self._meta = meta
        if head:
            self._seen.advance(_seen(head, recorded))
        runs = {run.id: run for ref, s in stored.items() if (run := _run_head(heads[ref], s))}
        return Snapshot(recorded=recorded, head=head, runs=runs)

    def _recorded(self, stored: Stored | None) -> Recorded:
        if stored is None:
            return Recorded(cluster=self._cluster, epoch=1)
        meta = stored.value(StateMeta, layout.META)
        if meta.cluster != self._cluster:
            raise stored.error(
                layout.META, f"it belongs to cluster {meta.cluster!r}, not {self._cluster!r}"
            )
        return Recorded(
            cluster=meta.cluster,
            epoch=meta.epoch,
            index=meta.index,
            jobs=layout.jobs(stored),
            nodes=layout.nodes(stored),
        )

    def _check_rewound(self, head: str, meta: StateMeta, seen: Seen | None) -> None:
        # Whoever raised the epoch has decided that what the ledger holds is right.
        if seen is None or (head and (meta.epoch > seen.epoch or self._has_seen(head, meta, seen))):
            return
        found = f"it is now at index {meta.index} ({head[:12]})" if head else "it is now empty"
        raise RewoundError(
            f"the ledger {self._store.name} went back: index {seen.index} ({seen.head[:12]}) was"
            f" seen here before, {found} without that in its past",
            "nothing is written until that is settled: 'orch ledger repair' shows what was lost,"
            " and puts it back or accepts the loss",
        )

    def _has_seen(self, head: str, meta: StateMeta, seen: Seen) -> bool:
        steps = meta.steps(seen.index)
        return self._ancestor(head, steps) == seen.head

    def _ancestor(self, head: str, steps: int) -> str:
        """Return the commit `steps` decisions back; empty where there is none."""
        if steps < 0:
            return ""
        if steps == 0:
            return head
        with self._store.reader() as reader:
            oid = reader.ancestor(head, steps)
        if not oid and self._store.deepen():
            with self._store.reader() as reader:
                oid = reader.ancestor(head, steps)
        return oid

    def commit(
        self,
        snapshot: Snapshot,
        changes: Sequence[JobChange],
        nodes: Sequence[NodeRecord] = (),
        *,
        message: str,
        guards: Sequence[Guard],
    ) -> Snapshot:
        """Make one decision; see `Ledger.commit`."""
        decision = Decision(changes=changes, nodes=nodes, message=message, guards=guards)
        with self._lock:
            return self._committed(snapshot, decision)

    def _committed(self, snapshot: Snapshot, decision: Decision) -> Snapshot:
        current = snapshot
        refusals = 0
        for _ in self._around.tries(_TRIES):
            self._check_guards(current, decision.guards)
            new, objects = self._draft(current, decision)
            self._store.save(objects)
            swap = self._store.swap(layout.STATE, current.head, new.head)
            if swap.done:
                return self._decided(new, objects)
            newer = self._newest()
            refusals = refusals + 1 if newer.head == current.head else 0
            if refusals == _REFUSALS:
                raise refused(self._store.name, swap.reason)
            current = newer
        raise ConflictError(
            f"the ledger {self._store.name} kept moving: {_TRIES} tries lost against others",
            "try again",
        )

    def _decided(self, new: Snapshot, objects: Sequence[GitObject]) -> Snapshot:
        self._contents.add(objects)
        self._seen.advance(_seen(new.head, new.recorded))
        if new.recorded.index % _TIDY_EVERY == 0:
            self._store.tidy()
        return new

    def _draft(self, current: Snapshot, decision: Decision) -> tuple[Snapshot, Sequence[GitObject]]:
        recorded = _decided_records(current.recorded, decision)
        meta = StateMeta(
            cluster=self._cluster,
            epoch=recorded.epoch,
            index=recorded.index,
            nonce=self._around.nonce(),
            jumps=self._meta.jumps,
        )
        files = {layout.META: layout.canonical(meta)}
        for key in {c.key for c in decision.changes}:
            files[layout.job_path(key)] = layout.canonical(recorded.jobs[key])
        for node in decision.nodes:
            files[layout.node_path(node.name)] = layout.canonical(node)
        root = self._contents.commit(current.head).tree if current.head else ""
        objects = changed_tree(root, files, self._load)
        commit = Commit(objects[-1].oid, current.head, self._signature(), decision.message)
        objects.append(commit.encoded())
        new = Snapshot(recorded=recorded, head=objects[-1].oid, runs=current.runs)
        return new, objects

    def _signature(self) -> Signature:
        around = self._around
        return Signature(around.user, around.who, int(around.clock()))

    def _check_guards(self, current: Snapshot, guards: Sequence[Guard]) -> None:
        for guard in guards:
            found = current.recorded.job(guard.key).modify_index
            if found != guard.modify_index:
                raise ConflictError(
                    f"job {guard.key!r} was changed by somebody else: expected index"
                    f" {guard.modify_index}, found {found}{self._by(current, found)}",
                    "nothing was touched; plan again",
                )
        if asked := _unheard(current, guards):
            raise AskedError(asked)

    def _by(self, current: Snapshot, index: int) -> str:
        """Return who decided `index`, for a message."""
        if not current.head or not 0 < index <= current.recorded.index:
            return ""
        oid = self._ancestor(current.head, self._meta.steps(index, current.recorded.index))
        if not oid:
            return ""
        commit = self._past(lambda: self._contents.commit(oid))
        subject = commit.message.partition("\n")[0]
        return f", committed by {commit.who.email} ({subject}, {oid[:12]})"

    def open_run(self, info: RunInfo) -> RefRun:
        """Create the journal of a new run."""
        return self._journals.open(info)

    def seal(self, run: RunHead, by: str) -> RunHead:
        """End a journal as it was read."""
        return self._journals.seal(run, by)

    def drop_run(self, run: RunHead) -> None:
        """Remove a journal that nothing needs any more; one that moved meanwhile stays."""
        self._journals.drop(run)

    def adopt(
        self, snapshot: Snapshot, run_id: str, new_run: str, keys: Collection[str] | None = None
    ) -> Snapshot:
        """Take over an abandoned run's jobs."""
        return adopted(self, snapshot, run_id, new_run, keys)

    def history(self, key: str) -> Iterator[HistoryEntry]:
        """Yield the states of a job, newest first."""
        snapshot = self.read()
        head, index = snapshot.head, snapshot.recorded.index
        state = snapshot.recorded.jobs.get(key)
        # A record's index counts decisions, one commit each: it says how far back that one is.
        while head and state is not None and 0 < state.modify_index <= index:
            entry, head = self._step(head, self._meta.steps(state.modify_index, index), state)
            if entry is None:
                return
            yield entry
            index = self._meta.before(state.modify_index)
            state = self._state_at(head, key) if head and index > 0 else None

    def _step(self, head: str, steps: int, state: JobState) -> tuple[HistoryEntry | None, str]:
        oid = self._ancestor(head, steps)
        if not oid:
            return None, ""
        commit = self._past(lambda: self._contents.commit(oid))
        entry = HistoryEntry(
            commit=oid,
            index=state.modify_index,
            time=commit.who.time,
            who=commit.who.email,
            message=commit.message,
            state=state,
        )
        return entry, commit.parent

    def _state_at(self, head: str, key: str) -> JobState | None:
        path = layout.job_path(key)
        oid = self._past(lambda: self._contents.file(head, path))
        if oid is None:
            return None
        place = layout.Place(self._store.name, layout.STATE, head)
        return Stored(place).decoded(JobState, path, self._load(oid))

    def _load(self, oid: str) -> bytes:
        return self._past(lambda: self._contents.load(oid))

    def _past(self, read: Callable[[], V]) -> V:
        """Return what `read` finds; the past that is not here, or no longer, is fetched for it."""
        try:
            return read()
        except LostObjectsError:
            # If nothing was left out, another process may have brought it back meanwhile.
            self._store.deepen()
            return read()

    def check(self) -> None:
        """Probe create, conflict and delete."""
        probe(self._store, self._journals, self._around)

    def trials(self) -> Iterator[Trial]:
        """Try create, conflict, delete and so on, one by one; leaves nothing."""
        return trials(self._store, self._journals, self._around)

    @property
    def place(self) -> str:
        """Where the ledger is, for messages."""
        return self._store.name

    def accept_rewind(self) -> None:
        """Forget what was seen."""
        self._seen.forget()


def _unheard(current: Snapshot, guards: Sequence[Guard]) -> Mapping[str, Sequence[Request]]:
    """Return the requests of which guarded decisions do not know, by job."""
    asked = {
        g.key: [r for r in current.recorded.job(g.key).requests if r.id not in g.heard]
        for g in guards
        if g.heard is not None
    }
    return {key: requests for key, requests in asked.items() if requests}


def _seen(head: str, recorded: Recorded) -> Seen:
    return Seen(head=head, index=recorded.index, epoch=recorded.epoch)


def _decided_records(old: Recorded, decision: Decision) -> Recorded:
    index = old.index + 1
    states: dict[str, JobState] = {}
    for change in decision.changes:
        states[change.key] = (states.get(change.key) or old.job(change.key)).changed(change, index)
    nodes = {n.name: n for n in decision.nodes}
    return Recorded(
        cluster=old.cluster,
        epoch=old.epoch,
        index=index,
        jobs=_merged(old.jobs, states),
        nodes=_merged(old.nodes, nodes),
    )


def _merged(old: Mapping[str, V], new: Mapping[str, V]) -> Mapping[str, V]:
    if isinstance(old, StoredRecords):
        return old.updated(new)
    return {**old, **new}


def _run_head(oid: str, stored: Stored) -> RunHead | None:
    meta = stored.value(RunMeta, layout.META)
    return RunHead(
        info=layout.run_info(stored),
        head=oid,
        position=meta.position,
        entries=layout.entries(stored),
        sealed_by=meta.sealed_by,
    )
