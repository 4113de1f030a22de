"""Evaluated specs as files: written whole and private, read only if they are what was written.

An entry names its key and is sealed by a digest: a file that was cut, mixed up or edited is
as good as none. JSON only: reading one can't run anything. Any of it may vanish at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gitops.diagnostics import Diagnostic, Severity
from gitops.jobspec.limits import Limit
from gitops.jobspec.spec import FileRead, LoadedSpec
from planner.codec import FormatError, from_json, to_brief_json
from planner.job import Job

MAX_ENTRIES = 5000
MAX_BYTES = 4 * 1024 * 1024
_DIGEST = 64
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class _Note:
    line: int
    column: int
    summary: str
    detail: str
    source_line: str
    end_column: int | None
    end_line: int | None


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    job: Job
    declared: tuple[str, ...]
    warnings: tuple[_Note, ...]
    place: _Note
    reads: tuple[FileRead, ...]
    limits: object = None  # rows as `_row` makes them: a thousand are read in no time


def _row(limit: Limit) -> list[object]:
    place = limit.place
    at = (place.line, place.column, place.source_line, place.end_column, place.end_line)
    return [limit.name, limit.part, limit.quiet, *at, list(limit.lines)]


def _limit(row: list[Any], path: str) -> Limit:
    name, part, quiet, line, column, *at, lines = row
    place = Diagnostic(path, line, column, "", "", "warning", *at)
    return Limit(name, part, quiet, place, tuple(lines))


@dataclass(frozen=True, slots=True)
class Kept:
    """The entries below one directory, which must be the user's own."""

    directory: Path

    def read(self, key: str, path: str) -> LoadedSpec | None:
        """Return the spec that was kept under `key`, or None; `path` is what it is called now."""
        try:
            entry = from_json(_Entry, json.loads(self._body(key)))
            rows = cast("list[list[Any]]", entry.limits or [])
            limits = tuple(_limit(row, path) for row in rows)
        except (OSError, ValueError, FormatError, RecursionError, TypeError):
            return None
        if entry.key != key:
            return None
        return LoadedSpec(
            entry.job,
            path,
            tuple(_diagnostic(w, path, "warning") for w in entry.warnings),
            frozenset(entry.declared),
            _diagnostic(entry.place, path, "error"),
            reads=entry.reads,
            kept=True,
            limits=limits,
        )

    def _body(self, key: str) -> bytes:
        # A thousand of them are read in a row: no buffers, no paths to be taken apart.
        number = os.open(f"{self.directory}/{key}{_SUFFIX}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.read(number, min(os.fstat(number).st_size, MAX_BYTES) + 1)
        finally:
            os.close(number)
        digest, _, body = data.partition(b"\n")
        if len(data) > MAX_BYTES or digest.decode("ascii") != hashlib.sha256(body).hexdigest():
            raise ValueError("not what was written")
        return body

    def write(self, key: str, spec: LoadedSpec) -> None:
        """Keep a spec under `key`; where that can't be done nothing happens."""
        entry = _Entry(
            key,
            spec.job,
            tuple(sorted(spec.declared)),
            tuple(_note(w) for w in spec.warnings),
            _note(spec.place),
            spec.reads,
            [_row(x) for x in spec.limits],
        )
        body = json.dumps(to_brief_json(entry), separators=(",", ":")).encode()
        if len(body) + _DIGEST < MAX_BYTES:
            self._replace(key, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    def _replace(self, key: str, data: bytes) -> None:
        with suppress(OSError):
            handle, name = tempfile.mkstemp(dir=self.directory, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(name).replace(self.directory / f"{key}{_SUFFIX}")
            except OSError:
                Path(name).unlink(missing_ok=True)

    def prepare(self, more: int) -> None:
        """Make the directory, private, with room for `more` entries: the oldest go first."""
        with suppress(OSError):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            ours = list(self._entries())
            surplus = len(ours) + more - MAX_ENTRIES
            if surplus > 0:
                # Half of them, so that this is seldom.
                for _, entry in sorted(ours)[: max(surplus, MAX_ENTRIES // 2)]:
                    entry.unlink(missing_ok=True)

    def _entries(self) -> Iterator[tuple[float, Path]]:
        for entry in self.directory.iterdir():
            with suppress(OSError):
                yield entry.stat().st_mtime, entry

    @property
    def is_private(self) -> bool:
        """Whether nobody else can write there; others could have put anything into it."""
        try:
            status = self.directory.stat()
        except OSError:
            return False
        return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077


def _note(d: Diagnostic) -> _Note:
    end = (d.end_column, d.end_line)
    return _Note(d.line, d.column, d.summary, d.detail, d.source_line, *end)


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
        note.end_line,
    )
