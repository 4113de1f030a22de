"""What the ledger truly holds, from moment to moment: each ref that moves is looked at as it lands.

Values are those that its writers drew up, so that nothing is decoded twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gitops.ledger import layout
from gitops.ledger.journal import JournalEntry, RunInfo, held_changes
from gitops.ledger.memory import Shelf
from gitops.ledger.objects import GitObject, parse_commit, parse_tree
from gitops.ledger.protocol import Guard, Snapshot
from gitops.ledger.ref_ledger import Decision, RefLedger
from gitops.ledger.ref_run import Journals, Pending, Position
from gitops.ledger.seen import SeenHeads
from gitops.ledger.store import Store
from gitops.ledger.surroundings import Surroundings
from planner.node_record import NodeRecord
from planner.recorded import JobChange, JobState, Recorded
from planner.request import Answer


class BrokenPromiseError(AssertionError):
    """The simulation saw what must never be."""


# Told of a job whose records have changed: before, after, and the run whose entry it was.
Heard = Callable[[JobState, JobState, str], None]


@dataclass(slots=True, kw_only=True)
class Audit:
    """The truth about one ledger."""

    shelf: Shelf
    heard: Heard
    # values by the commits that hold them
    states: dict[str, Recorded] = field(default_factory=dict[str, Recorded])
    entries: dict[str, tuple[RunInfo, JournalEntry]] = field(
        default_factory=dict[str, tuple[RunInfo, JournalEntry]]
    )
    recorded: Recorded = field(default_factory=Recorded)
    journals: dict[str, list[JournalEntry]] = field(default_factory=dict[str, list[JournalEntry]])
    # jobs with the journals of those who hold them
    jobs: dict[str, JobState] = field(default_factory=dict[str, JobState])
    # what was answered to requests, by their ids
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    # ids of allocations that were ever decided
    decided: set[str] = field(default_factory=set[str])
    # ids of runs that the state has ever named
    takers: set[str] = field(default_factory=set[str])
    # ids of runs whose journals were ended by others
    sealed: set[str] = field(default_factory=set[str])
    # commits of the state that somebody was told to have made
    claimed: set[str] = field(default_factory=set[str])
    # every commit that became the state, in order
    line: list[str] = field(default_factory=list[str])

    def job(self, key: str) -> JobState:
        """The job as it is decided at this moment, the journal of its holder included."""
        return self.jobs.get(key) or self.recorded.job(key)

    def is_open(self, run: str) -> bool:
        """Whether the journal of a run is there, and nobody else has ended it."""
        head = self.shelf.refs.get(layout.run_ref(run), "")
        if not head:
            return False
        tree = parse_tree(self.shelf.objects[parse_commit(self.shelf.objects[head]).tree])
        return b'"SealedBy":""' in self.shelf.objects[tree[layout.META].oid]

    def landed(self, ref: str, old: str, new: str) -> None:
        """A ref has moved."""
        if ref == layout.STATE:
            self._state(old, new)
        elif not new:
            self.journals.pop(ref.removeprefix(layout.RUNS), None)
        else:
            self._entry(ref.removeprefix(layout.RUNS), old, new)

    def _state(self, old: str, new: str) -> None:
        parent = parse_commit(self.shelf.objects[new]).parent if new else "nothing"
        if parent != old:
            raise BrokenPromiseError(f"history is not one line: {new[:8]} follows {parent[:8]}")
        self.line.append(new)
        before, self.recorded = self.recorded, self.states[new]
        if self.recorded.index != before.index + 1:
            raise BrokenPromiseError(f"index {self.recorded.index} follows {before.index}")
        for key, state in self.recorded.jobs.items():
            if state is not before.jobs.get(key):
                self.takers.add(state.run)
                self._changed(key, self._folded(state), state.run)

    def _folded(self, state: JobState) -> JobState:
        entries = self.journals.get(state.run, ())
        for change in held_changes(self.recorded, state.run, entries):
            if change.key == state.key:
                state = state.changed(change, state.modify_index)
        return state

    def _entry(self, run: str, old: str, new: str) -> None:
        if old and parse_commit(self.shelf.objects[new]).parent != old:
            raise BrokenPromiseError(f"the journal of run {run} is not one line")
        found = self.entries.get(new)
        if found is None:
            self.journals.setdefault(run, [])
            return
        _, entry = found
        self.journals.setdefault(run, []).append(entry)
        for change in held_changes(self.recorded, run, (entry,)):
            state = self.job(change.key)
            self._changed(change.key, state.changed(change, state.modify_index), run)

    def _changed(self, key: str, after: JobState, run: str) -> None:
        before = self.job(key) if key in self.jobs else JobState(key=key)
        self.jobs[key] = after
        for answer in after.answers:
            if self.answers.setdefault(answer.id, answer) != answer:
                raise BrokenPromiseError(f"{key}: request {answer.id[:8]} was answered twice")
        self.decided.update(a.id for a in after.allocs)
        self.heard(before, after, run)


class AuditedJournals(Journals):
    """Tells the audit what each commit of a journal means."""

    def __init__(self, store: Store, surroundings: Surroundings, audit: Audit) -> None:
        super().__init__(store, surroundings)
        self._audit = audit

    def extended(self, info: RunInfo, position: Position, entry: JournalEntry | None) -> Pending:
        pending = super().extended(info, position, entry)
        if entry is not None:
            self._audit.entries[pending.position.head] = (info, entry)
        return pending


class AuditedLedger(RefLedger):
    """Tells the audit what each commit of the state means."""

    def __init__(self, store: Store, audit: Audit, around: Surroundings, seen: SeenHeads) -> None:
        super().__init__(store, "sim", seen, around)
        self._audit = audit
        self._journals = AuditedJournals(store, around, audit)

    def commit(
        self,
        snapshot: Snapshot,
        changes: Sequence[JobChange],
        nodes: Sequence[NodeRecord] = (),
        *,
        message: str,
        guards: Sequence[Guard],
    ) -> Snapshot:
        new = RefLedger.commit(self, snapshot, changes, nodes, message=message, guards=guards)
        if new.head in self._audit.claimed:
            raise BrokenPromiseError(
                f"two decided as index {new.recorded.index}, by one commit: {message}"
            )
        self._audit.claimed.add(new.head)
        return new

    def _draft(self, current: Snapshot, decision: Decision) -> tuple[Snapshot, Sequence[GitObject]]:
        new, objects = super()._draft(current, decision)
        self._audit.states[new.head] = new.recorded
        return new, objects
