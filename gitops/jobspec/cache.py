"""Keeps evaluated specs and the parser's tables in a directory that the caller names.

Everything there may be missing, stale or broken at any time: then the work is done again. What
is kept holds the values of variables, so the files are readable by their owner only.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gitops.jobspec
import planner.job
from gitops.diagnostics import Diagnostic, Severity
from gitops.jobspec.spec import LoadedSpec, Outcome
from gitops.jobspec.variables import ENVIRONMENT_PREFIXES, Variables
from planner.codec import FormatError, from_json, to_json
from planner.job import Job

MAX_ENTRIES = 5000


def load_all(
    files: Mapping[str, str], variables: Variables, directory: Path
) -> tuple[LoadedSpec, ...]:
    """Do as `gitops.jobspec.load.load_all`, taking from `directory` what was evaluated before."""
    keys = {path: _key(path, text, variables) for path, text in files.items()}
    known = {path: _read(directory / f"{key}.json", path) for path, key in keys.items()}
    if variables.files or any(o is None for o in known.values()):
        _use_grammar(directory)
    specs = tuple(o.spec for o in known.values() if o is not None and o.spec is not None)
    if len(specs) == len(files) and not (variables.files or variables.flags) and _unique(specs):
        return specs
    return _loaded(files, variables, known, {p: directory / f"{k}.json" for p, k in keys.items()})


def _loaded(
    files: Mapping[str, str],
    variables: Variables,
    known: Mapping[str, Outcome | None],
    entries: Mapping[str, Path],
) -> tuple[LoadedSpec, ...]:
    # Only now: the evaluator is not needed where everything is known.
    from gitops.jobspec.load import combined, outcome
    from gitops.jobspec.names import given_values

    given = given_values(variables)
    outcomes: list[Outcome] = []
    for path, text in files.items():
        found = known[path]
        if found is None:
            found = outcome(path, text, variables, given)
            if found.spec is not None:
                _write(entries[path], found.spec)
        outcomes.append(found)
    return combined(outcomes, given)


def _unique(specs: tuple[LoadedSpec, ...]) -> bool:
    return len({(s.job.namespace, s.job.id) for s in specs}) == len(specs)


def _key(path: str, text: str, variables: Variables) -> str:
    environment = sorted(
        (k, v) for k, v in variables.environment.items() if k.startswith(ENVIRONMENT_PREFIXES)
    )
    parts = [_evaluator(), path, text, variables.flags, variables.files, environment]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _evaluator() -> str:
    """Return a mark of the evaluator's code: another one has other results."""
    own = Path(str(gitops.jobspec.__file__)).parent
    sources = [*sorted(own.rglob("*.py")), Path(str(planner.job.__file__))]
    digest = hashlib.sha256()
    for source in sources:
        with suppress(OSError):
            status = source.stat()
            digest.update(f"{source.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Note:
    line: int
    column: int
    summary: str
    detail: str
    source_line: str
    end_column: int | None


@dataclass(frozen=True, slots=True)
class _Entry:
    job: Job
    declared: tuple[str, ...]
    warnings: tuple[_Note, ...]
    place: _Note


def _note(d: Diagnostic) -> _Note:
    return _Note(d.line, d.column, d.summary, d.detail, d.source_line, d.end_column)


def _diagnostic(note: _Note, path: str, severity: Severity) -> Diagnostic:
    return Diagnostic(
        path,
        note.line,
        note.column,
        note.summary,
        note.detail,
        severity,
        note.source_line,
        note.end_column,
    )


def _read(entry: Path, path: str) -> Outcome | None:
    try:
        kept = from_json(_Entry, json.loads(entry.read_bytes()))
    except (OSError, ValueError, FormatError, RecursionError):
        return None
    declared = frozenset(kept.declared)
    warnings = tuple(_diagnostic(w, path, "warning") for w in kept.warnings)
    place = _diagnostic(kept.place, path, "error")
    spec = LoadedSpec(kept.job, path, warnings, declared, place)
    return Outcome(spec, (), declared)


def _write(entry: Path, spec: LoadedSpec) -> None:
    warnings = tuple(_note(w) for w in spec.warnings)
    kept = _Entry(spec.job, tuple(sorted(spec.declared)), warnings, _note(spec.place))
    with suppress(OSError):
        entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _prune(entry.parent)
        handle, name = tempfile.mkstemp(dir=entry.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(to_json(kept), file)
            Path(name).replace(entry)
        except OSError:
            Path(name).unlink(missing_ok=True)


def _prune(directory: Path) -> None:
    """Remove the older half once there are too many."""
    entries = list(directory.glob("*.json"))
    if len(entries) >= MAX_ENTRIES:
        for entry in _oldest(entries)[: MAX_ENTRIES // 2]:
            entry.unlink(missing_ok=True)


def _oldest(entries: Iterable[Path]) -> list[Path]:
    return sorted(entries, key=lambda e: e.stat().st_mtime)


def _use_grammar(directory: Path) -> None:
    from gitops.jobspec.hcl import use_grammar_cache

    with suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        use_grammar_cache(str(directory / "grammar.bin"))
