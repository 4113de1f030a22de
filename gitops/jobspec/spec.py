"""A job spec as it was loaded. Values only."""

from __future__ import annotations

from collections.abc import Mapping
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
    the spec. `repeats` says that evaluating it again gives the same. `sensitive` are the names of
    variables whose values are not to be shown, and `secrets` what they came to, by the marks that
    stand for it in the job. `kept` says that it comes from the cache, where nothing sensitive is.
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
    sensitive: frozenset[str] = frozenset()
    secrets: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)
    kept: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a spec, or errors."""

    spec: LoadedSpec | None = None
    errors: tuple[Diagnostic, ...] = ()
    declared: frozenset[str] = frozenset()
