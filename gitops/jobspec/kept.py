"""Evaluated specs as files: written whole and private, read only if they are what was written.

An entry names its key and is sealed by a digest: a file that was cut, mixed up or edited is
as good as none. JSON only: reading one can't run anything. Any of it may vanish at any time.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gitops.jobspec.brief import decoded, encoded
from gitops.jobspec.spec import LoadedSpec

MAX_ENTRIES = 5000
MAX_BYTES = 4 * 1024 * 1024
_DIGEST = 64
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    spec: LoadedSpec


@dataclass(frozen=True, slots=True)
class Kept:
    """The entries below one directory, which must be the user's own."""

    directory: Path

    def read(self, key: str) -> LoadedSpec | None:
        """Return the spec that was kept under `key`, or None."""
        try:
            entry = decoded(_Entry, self._body(key))
        except (OSError, ValueError, RecursionError):
            return None
        return entry.spec if entry.key == key else None

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
        body = encoded(_Entry(key, replace(spec, kept=True)))
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
            ours = list(self._files())
            surplus = len(ours) + more - MAX_ENTRIES
            if surplus > 0:
                # Half of them, so that this is seldom.
                for _, entry in sorted(ours)[: max(surplus, MAX_ENTRIES // 2)]:
                    entry.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[float, Path]]:
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
