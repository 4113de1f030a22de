"""Whose output `orch logs` means: the tasks of a job's allocations, or of one. Asks no host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from executors.logs import LogSource, LogStream, Tail
from gitops.cli.executing import chosen, task_names
from gitops.resolve import Found, alloc_named, allocs_named, job_named
from inventory.model import Inventory
from planner.errors import OrchError
from planner.recorded import AllocRecord, JobState, Recorded

Outs = Mapping[LogStream, BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose output, and how much of it.

    `name` is a job or an allocation; with `one` it is an allocation or, with `by_job`, a job of
    which any allocation will do.
    """

    name: str
    task: str = ""
    follow: bool = False
    tail: Tail | None = None
    streams: tuple[LogStream, ...] = (LogStream.STDOUT,)
    one: bool = False
    by_job: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One output of one task."""

    alloc: AllocRecord
    task: str
    stream: LogStream

    @property
    def label(self) -> str:
        """The allocation's name, the start of its id, and the task."""
        return f"{self.alloc.name} {self.alloc.id[:8]} {self.task}"

    @property
    def prefix(self) -> bytes:
        """What stands before each of its lines among others."""
        return f"{self.label} | ".encode()

    def log(self, inventory: Inventory) -> LogSource:
        """Where it is on its host."""
        return LogSource(
            alloc_id=self.alloc.id,
            task=self.task,
            stream=self.stream,
            data_dir=data_dir(self.alloc.node, inventory),
        )


def data_dir(host: str, inventory: Inventory) -> str | None:
    """Return where the host keeps everything, if the inventory says so."""
    known = inventory.hosts.get(host)
    return (known.data_dir or None) if known else None


def sources(wanted: Wanted, recorded: Recorded) -> list[Source]:
    """Return the outputs that are meant; `OrchError` where there is none."""
    found = _allocs(wanted, recorded)
    outputs = [s for f in found for s in of_alloc(wanted, f)]
    if outputs:
        return outputs
    if not found:
        raise OrchError(f"job {wanted.name!r} has no allocations", "Apply it first.")
    names = sorted({t for f in found for t in task_names(f)})
    raise OrchError(f"no task named {wanted.task!r}", f"Its tasks are: {', '.join(names)}.")


def of_alloc(wanted: Wanted, found: Found) -> list[Source]:
    """Return the outputs of an allocation that are meant."""
    return [
        Source(alloc=found.alloc, task=task, stream=stream)
        for task in task_names(found)
        if wanted.task in ("", task)
        for stream in wanted.streams
    ]


def whole_job(wanted: Wanted, recorded: Recorded) -> JobState | None:
    """Return the job whose allocations are all meant, or None where it is about one of them."""
    name = wanted.name
    is_id = not any(k.startswith(name) for k in recorded.jobs) and allocs_named(name, recorded)
    return None if wanted.one or is_id else recorded.job(job_named(name, recorded))


def _allocs(wanted: Wanted, recorded: Recorded) -> list[Found]:
    """The allocation that is meant, or a job's live ones, else the newest of each name."""
    state = whole_job(wanted, recorded)
    if state is None:
        one = wanted.one
        return [
            chosen(wanted.name, recorded, by_job=wanted.by_job)
            if one
            else alloc_named(wanted.name, recorded)
        ]
    live = [a for a in state.allocs if not a.terminal]
    newest = {a.name: a for a in sorted(state.allocs, key=lambda a: a.created)}
    picked = sorted(live or newest.values(), key=lambda a: a.name)
    return [Found(state=state, alloc=a) for a in picked]
