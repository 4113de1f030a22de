"""A clone of orch's own that follows one ref of a repository: what a reconcile reads.

It lives in the cache, may vanish at any time, and belongs to one process at a time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops.git import REMOTE_SECONDS, Git, GitError, gist, redacted
from planner.errors import ConflictError, OrchError, reason

_REF = "refs/orch/followed"
_PAUSE = 0.2
_SHORT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit by its id, with the first line of its message and its author's name."""

    id: str
    subject: str
    author: str

    @property
    def short(self) -> str:
        """The start of its id."""
        return self.id[:_SHORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """The clone of `url` at `ref`, a branch, tag or full ref, below `folder`."""

    url: str
    ref: str
    folder: Path

    @property
    def tree(self) -> Path:
        """The working tree."""
        return self._place / "tree"

    @property
    def _place(self) -> Path:
        return self.folder / hashlib.sha256(f"{self.url}\n{self.ref}".encode()).hexdigest()[:16]

    @contextmanager
    def held(self, wait: float, waiting: Callable[[], None]) -> Generator[None]:
        """Keep others away; `waiting` is called once if somebody is there already.

        Raises `ConflictError` where they are still there after `wait` seconds.
        """
        try:
            self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            hint = "Caches are below XDG_CACHE_HOME, else ~/.cache."
            raise OrchError(f"{self._place}: {reason(e)}", hint) from e
        try:
            self._lock(lock, time.monotonic() + wait, waiting)
            yield
        finally:
            os.close(lock)

    def _lock(self, lock: int, until: float, waiting: Callable[[], None]) -> None:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as e:
                if time.monotonic() >= until:
                    raise ConflictError(
                        f"another reconcile of {redacted(self.url)} is at work",
                        "One at a time follows a ref; end the other one, or wait for it.",
                    ) from e
                if not told:
                    waiting()
                    told = True
                time.sleep(_PAUSE)
            else:
                return

    def update(self) -> Commit:
        """Fetch the ref and make the tree what its commit says, whatever was there before.

        Raises `GitError` where the ref can't be had.
        """
        git = self._clone()
        wanted = f"+{self.ref}:{_REF}"
        got = git.run("fetch", "-q", "--no-tags", self.url, wanted, seconds=REMOTE_SECONDS)
        if got.code != 0:
            raise GitError(
                f"can't fetch {self.ref} of {redacted(self.url)}: {gist(got.stderr)}",
                "Is there such a branch, and may this user read the repository?",
            )
        git.out("checkout", "-q", "--force", "--detach", _REF)
        git.out("clean", "-qffdx")
        told = git.out("log", "-1", "--format=%H%n%an%n%s", _REF).decode("utf-8", "replace")
        commit, author, subject = told.split("\n", 2)
        return Commit(id=commit, subject=subject.strip(), author=author)

    def _clone(self) -> Git:
        """Return the clone, made anew where there is none or a broken one."""
        git = Git(directory=self.tree)
        if (self.tree / ".git").is_dir() and git.run("rev-parse", "--git-dir").code == 0:
            return git
        if self.tree.exists():
            shutil.rmtree(self.tree)
        self.tree.mkdir(parents=True)
        git.out("init", "-q")
        # what repository it is, and where its ledger is, is told by its origin
        git.out("remote", "add", "origin", self.url)
        return git
