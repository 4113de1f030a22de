"""The write-ahead journal of one run: its values and how they fold into the records. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from planner.recorded import JobChange, JobState, Recorded

# Seconds a journal may stand still before others may take the run over.
DEFAULT_TTL = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """Names one process for ever: `start_time` is in clock ticks since boot, as /proc has it."""

    pid: int = 0
    start_time: int = 0
    boot_id: str = ""
    pid_namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """Who runs what; written once, when the run is opened. `started` in ns, `ttl` in seconds."""

    id: str
    holder: str
    process: ProcessIdentity = ProcessIdentity()
    started: int = 0
    commit: str = ""
    repository: str = ""
    jobs: tuple[str, ...] = ()
    base_index: int = 0
    ttl: int = DEFAULT_TTL


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One intent or result. `seq` counts from 1 and is given by the journal; `time` in ns."""

    kind: str
    seq: int = 0
    time: int = 0
    changes: tuple[JobChange, ...] = ()
    note: str = ""


def fold(recorded: Recorded, run: str, entries: Iterable[JournalEntry]) -> Recorded:
    """Return the records with the journal of `run` applied, as far as `run` still holds the jobs.

    The index stays: a journal is not a decision of its own. Jobs that the run has released, or
    that were taken from it, keep what is recorded, so that a left-over journal changes nothing.
    """
    changes = held_changes(recorded, run, entries)
    return recorded.changed(changes, recorded.index) if changes else recorded


def held_changes(
    recorded: Recorded, run: str, entries: Iterable[JournalEntry]
) -> tuple[JobChange, ...]:
    """Return the journal's changes, in order, of jobs that `run` still holds."""
    return tuple(
        _unrepeated(recorded.job(change.key), change)
        for entry in entries
        for change in entry.changes
        if recorded.job(change.key).run == run
    )


def _unrepeated(state: JobState, change: JobChange) -> JobChange:
    """Leave out a version that is recorded already: adding versions is not idempotent."""
    new = change.register
    if new is not None and state.version(new.version) is not None:
        return replace(change, register=None)
    return change
