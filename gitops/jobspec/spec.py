"""A job spec as it was loaded. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops.diagnostics import Diagnostic
from gitops.jobspec.limits import Limit
from planner.job import Job


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that an expression has read, and a digest of its content; empty if it is not there."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """A job and where it came from; `declared` are the names of the spec's variables.

    `place` points at the job's name. `reads` are the files that the job's values come from beside
    the spec. `repeats` says that evaluating it again gives the same.
    """

    job: Job
    path: str
    warnings: tuple[Diagnostic, ...] = ()
    declared: frozenset[str] = frozenset()
    place: Diagnostic = field(default=Diagnostic("", 0, 0, ""), compare=False)
    reads: tuple[FileRead, ...] = ()
    repeats: bool = True
    # What the spec asks for and orch does not honour in full.
    limits: tuple[Limit, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a spec, or errors."""

    spec: LoadedSpec | None = None
    errors: tuple[Diagnostic, ...] = ()
    declared: frozenset[str] = frozenset()
