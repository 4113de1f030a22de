"""A ledger in a bare repository on this machine: read in place, swapped by `git update-ref`."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gitops.git import Git, GitError, GitTimeoutError
from gitops.ledger.bare import create_bare
from gitops.ledger.cat_file import reading
from gitops.ledger.errors import LedgerError, OutcomeUnknownError, UnreachableError
from gitops.ledger.git_refs import NO_OBJECT, collect, contains, list_heads, write_objects
from gitops.ledger.locks import remove_stale
from gitops.ledger.objects import GitObject
from gitops.ledger.store import Beside, Reader, Swap

# A decision must survive a power cut before anything acts on it.
_DURABLE = {"core.fsync": "committed,loose-object,reference", "core.fsyncMethod": "fsync"}
_LOCKED = re.compile(r"\.lock': File exists")


class LocalStore:
    """A `Store` in a directory, which is made by the first write."""

    def __init__(self, directory: Path, prefix: str) -> None:
        self._directory = directory
        self._prefix = prefix
        self._git = Git(directory=directory, bare=True, settings=_DURABLE)

    @property
    def name(self) -> str:
        """The directory."""
        return str(self._directory)

    def heads(self) -> Mapping[str, str]:
        """Return the refs; none where there is no directory yet."""
        if self._absent():
            return {}
        try:
            return list_heads(self._git, self._prefix)
        except GitTimeoutError as e:
            raise UnreachableError(f"the ledger {self.name} did not answer in time") from e
        except GitError as e:
            raise self._error("read", e) from e

    @contextmanager
    def reader(self) -> Generator[Reader, None, None]:
        """Open a reader."""
        with reading(self._git, self.name) as reader:
            yield reader

    def save(self, objects: Sequence[GitObject]) -> None:
        """Store objects, making the repository first if need be."""
        try:
            if self._absent():
                create_bare(self._directory)
            write_objects(self._git, objects)
        except (GitError, OSError) as e:
            raise self._error("written", e) from e

    def swap(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Swap:
        """Move the ref under its lock."""
        swap = self._swap(ref, old, new)
        if beside is None or not swap.done:
            return swap
        return replace(swap, news=self.heads().get(beside.ref, "") != beside.commit)

    def _swap(self, ref: str, old: str, new: str) -> Swap:
        full = self._prefix + ref
        args = ("update-ref", full, new, old or NO_OBJECT)
        if not new:
            args = ("update-ref", "-d", full, old)
        try:
            done = self._git.run(*args)
            if _LOCKED.search(done.stderr) and remove_stale(self._directory):
                done = self._git.run(*args)
        except GitTimeoutError:
            return self._looked_up(ref, new)
        if done.code == 0:
            return Swap(True)
        return Swap(self.heads().get(ref, "") == new, done.stderr)

    def refusal(self) -> str | None:
        """Return why this user may not write there; nothing is tried."""
        places = [self._directory / name for name in ("refs", "objects")]
        if self._absent():
            above = (p for p in (self._directory, *self._directory.parents) if p.exists())
            places = [next(above, self._directory)]
        closed = [str(p) for p in places if not os.access(p, os.W_OK | os.X_OK)]
        return f"{', '.join(closed)}: not writable for this user" if closed else ""

    def tidy(self) -> None:
        """Pack loose objects."""
        collect(self._git)

    def deepen(self) -> bool:
        """All of the past is there."""
        return False

    def renew(self, *, gently: bool = False) -> bool:
        """Nothing is a copy."""
        return False

    def _looked_up(self, ref: str, new: str) -> Swap:
        try:
            head = self.heads().get(ref, "")
        except LedgerError as e:
            raise OutcomeUnknownError(
                f"whether the write to the ledger {self.name} was done is unknown: {e}",
                "no host was touched; run the command again once the directory can be read",
            ) from e
        # It may have arrived, and others may have built upon it.
        arrived = contains(self._git, head, new) if new else not head
        return Swap(arrived, "git did not end in time")

    def _absent(self) -> bool:
        """Whether there is nothing yet. Raises `LedgerError` for what is no repository."""
        try:
            if not self._directory.exists():
                return True
            if not self._directory.is_dir():
                raise self._foreign("it is a file")
            names = set(os.listdir(self._directory))  # noqa: PTH208 - names are enough
        except OSError as e:
            raise self._error("read", e) from e
        if names and not names >= {"HEAD", "objects", "refs"}:
            raise self._foreign("it is a directory with something else in it")
        return not names

    def _foreign(self, what: str) -> LedgerError:
        return LedgerError(
            f"the ledger {self.name} is not a Git repository: {what}",
            "give an empty or new directory, or a bare repository, as `[ledger] url` in orch.toml",
        )

    def _error(self, verb: str, e: Exception) -> LedgerError:
        denied = isinstance(e, PermissionError) or not os.access(self._directory, os.R_OK)
        hint = "make the directory yours, or change its permissions" if denied else ""
        return UnreachableError(
            f"the ledger {self.name} can't be {verb}: {e}",
            hint or "check the directory, its permissions, and the space left on its disk",
        )
