"""Remembers the newest head seen of each ledger, so that one that went back is noticed."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gitops.ledger.errors import LedgerError
from planner.codec import FormatError, from_json, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The newest state commit known, and its position."""

    head: str
    index: int
    epoch: int = 1
    format: int = 1

    def is_newer(self, other: Seen | None) -> bool:
        """Whether it comes after `other` (None: nothing)."""
        return other is None or (other.epoch, other.index) < (self.epoch, self.index)


class SeenHeads(Protocol):
    """Where the newest head is remembered."""

    def last(self) -> Seen | None:
        """Return it; None where nothing is remembered."""
        ...

    def advance(self, seen: Seen) -> None:
        """Remember it unless a newer one is known."""
        ...

    def forget(self) -> None:
        """Remember nothing."""
        ...


class MemorySeen:
    """Remembers as long as the process lives."""

    def __init__(self) -> None:
        self._seen: Seen | None = None

    def last(self) -> Seen | None:
        """Return the newest head."""
        return self._seen

    def advance(self, seen: Seen) -> None:
        """Remember it if it is newer."""
        if seen.is_newer(self._seen):
            self._seen = seen

    def forget(self) -> None:
        """Remember nothing."""
        self._seen = None


class FileSeen:
    """Remembers in one small file of the cache, shared by processes; the file may vanish."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "seen.json"

    def last(self) -> Seen | None:
        """Return what the file says; one that can't be read says nothing."""
        try:
            return from_json(Seen, json.loads(self._path.read_bytes()))
        except (OSError, ValueError, FormatError):
            return None

    def advance(self, seen: Seen) -> None:
        """Write the file, unless it knows a newer head. Raises `LedgerError` if it can't be."""
        try:
            self._advance(seen)
        except OSError as e:
            raise LedgerError(
                f"the cache {self._directory} can't be written: {e}",
                "set XDG_CACHE_HOME to a directory that can",
            ) from e

    def _advance(self, seen: Seen) -> None:
        if not seen.is_newer(self.last()):
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._directory / "seen.lock"):
            if seen.is_newer(self.last()):
                new = self._path.with_suffix(f".{os.getpid()}.new")
                new.write_text(json.dumps(to_json(seen)))
                new.replace(self._path)

    def forget(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """Hold an exclusive lock on a file; the kernel frees it when the process ends."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield
