"""A job spec as it was loaded. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops.diagnostics import Diagnostic
from planner.job import Job


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """A job and where it came from; `declared` are the names of the spec's variables.

    `place` points at the job's name.
    """

    job: Job
    path: str
    warnings: tuple[Diagnostic, ...] = ()
    declared: frozenset[str] = frozenset()
    place: Diagnostic = field(default=Diagnostic("", 0, 0, ""), compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a spec, or errors."""

    spec: LoadedSpec | None = None
    errors: tuple[Diagnostic, ...] = ()
    declared: frozenset[str] = frozenset()
