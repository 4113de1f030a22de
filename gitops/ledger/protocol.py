"""What a ledger is: a compare-and-swap store of decisions, and journals of runs. No storage."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gitops.ledger.journal import JournalEntry, RunInfo, fold
from planner.node_record import NodeRecord
from planner.recorded import JobChange, JobState, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A decision about job `key` holds only while its records are at `modify_index`.

    With `heard` also only while no request waits for the job but those of these ids.
    """

    key: str
    modify_index: int
    heard: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHead:
    """One run's journal as read. `head` moves with every append and beat of its writer."""

    info: RunInfo
    head: str
    position: int = 1
    entries: tuple[JournalEntry, ...] = ()
    sealed_by: str = ""

    @property
    def id(self) -> str:
        """The run's id."""
        return self.info.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The ledger at one moment: the state at commit `head` (empty: none yet), and all runs."""

    recorded: Recorded
    head: str = ""
    runs: Mapping[str, RunHead] = field(default_factory=dict[str, RunHead])

    def folded(self) -> Recorded:
        """Return the records with what unfinished runs have journalled about jobs they hold."""
        recorded = self.recorded
        for run in self.runs.values():
            recorded = fold(recorded, run.id, run.entries)
        return recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One state of a job. `time` is when it was committed, in seconds since the epoch."""

    commit: str
    index: int
    time: int
    who: str
    message: str
    state: JobState


class Run(Protocol):
    """The journal of one running apply, written by one process. Safe to use from two threads."""

    @property
    def info(self) -> RunInfo:
        """Who runs what."""
        ...

    def append(self, entry: JournalEntry) -> JournalEntry:
        """Store the entry durably and return it with its number.

        Raises `SealedError` where the run was taken over: stop at once, touch nothing more.
        """
        ...

    def beat(self, state: str = "") -> bool:
        """Show that the run is alive; to be called every `ttl / 3`. Raises as `append`.

        Returns whether the state stands elsewhere than at the commit `state`, which takes no
        round trip of its own. Without one it says nothing.
        """
        ...

    def close(self) -> None:
        """Remove the journal, once its entries are committed to the state."""
        ...


class Ledger(Protocol):
    """Reads and decides. Every method may raise `LedgerError` and its kinds."""

    def read(self) -> Snapshot:
        """Return the newest state. Changes nothing but the private cache."""
        ...

    def commit(
        self,
        snapshot: Snapshot,
        changes: Sequence[JobChange],
        nodes: Sequence[NodeRecord] = (),
        *,
        message: str,
        guards: Sequence[Guard],
    ) -> Snapshot:
        """Make one decision on top of `snapshot`, or of a newer state where every guard holds.

        Raises `ConflictError` where one doesn't, and its kind `AskedError` where that is for a
        request; `OutcomeUnknownError` where nobody can tell.
        """
        ...

    def open_run(self, info: RunInfo) -> Run:
        """Create the journal of a new run. Raises `ConflictError` if the id is taken."""
        ...

    def seal(self, run: RunHead, by: str) -> RunHead:
        """End the journal as it was read, so that its writer's next append fails.

        Raises `ConflictError` where it has moved meanwhile: its writer is alive.
        """
        ...

    def drop_run(self, run: RunHead) -> None:
        """Remove a journal that nothing needs any more; one that moved meanwhile stays."""
        ...

    def adopt(
        self, snapshot: Snapshot, run_id: str, new_run: str, keys: Collection[str] | None = None
    ) -> Snapshot:
        """Take over the jobs of an abandoned run, journal included, as one decision.

        `keys` are taken by `new_run` (None: all), its other jobs are released. Of two adopters
        one wins, the other gets a `ConflictError`.
        """
        ...

    def history(self, key: str) -> Iterator[HistoryEntry]:
        """Yield the states of a job, newest first, reading on only when asked for more."""
        ...

    def check(self) -> None:
        """Probe that the place can create, refuse a conflict, and delete; leaves nothing."""
        ...

    def accept_rewind(self) -> None:
        """Forget what was seen of this ledger: after a repair, what it holds now is right."""
        ...
