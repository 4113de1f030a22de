"""The private copy of a ledger that is kept elsewhere: fetched into, pushed from.

It may vanish or break at any time: then it is made anew. The user's clone is never used.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from gitops.git import (
    REMOTE_SECONDS,
    Completed,
    Git,
    GitError,
    GitTimeoutError,
    NoGitError,
    environment,
    redacted,
    shown,
)
from gitops.ledger.cat_file import CatFile, reading
from gitops.ledger.errors import LostObjectsError, UnreachableError, unreachable
from gitops.ledger.git_refs import collect, contains, list_heads, write_objects
from gitops.ledger.locks import remove_stale
from gitops.ledger.objects import GitObject
from gitops.ledger.seen import locked
from gitops.ledger.ssh_place import SshPlace
from gitops.ledger.store import Beside

V = TypeVar("V")

_REMOTE = "ledger"
_FETCH = ("fetch", "--quiet", "--no-tags", "--prune", "--force", "--no-write-fetch-head")
# Git's word for all of the past; "--unshallow" is refused where nothing was left out.
_WHOLE = "--depth=2147483647"
_LOCKED = re.compile(r"\.lock': File exists")
# A cache that can't be used is made anew so often: somebody may be removing it all the while.
_TRIES = 4
_NOT_THERE = "does not appear to be a git repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where the ledger is. `name` is for messages; `place` is set for an inventory host."""

    url: str
    name: str
    place: SshPlace | None = None

    @classmethod
    def at(cls, url: str) -> Remote:
        """Return the remote at a URL, which may hold credentials."""
        return cls(url=url, name=redacted(url))


class Cache:
    """A bare repository in `directory` that follows the refs below `prefix` of a remote.

    `seconds` bounds each round trip.
    """

    def __init__(
        self, remote: Remote, prefix: str, directory: Path, seconds: float = REMOTE_SECONDS
    ) -> None:
        self._remote = remote
        self._prefix = prefix
        self._directory = directory
        self._seconds = seconds
        # By the environment: an address may hold credentials, and arguments are public.
        settings = {f"remote.{_REMOTE}.url": remote.url, "core.fsync": "none"}
        variables: Mapping[str, str] = {}
        if place := remote.place:
            settings |= place.settings
            variables = place.environment(directory)
        path = directory / "objects.git"
        self.git = Git(directory=path, bare=True, settings=settings, variables=variables)

    def heads(self) -> Mapping[str, str]:
        """Fetch, and return the refs; none where a host has no repository yet."""
        with self._locked():
            # Where there is no repository, the first push makes it.
            return self._fetched(lambda found: list_heads(self.git, self._prefix) if found else {})

    @contextmanager
    def reader(self) -> Generator[CatFile, None, None]:
        """Open a reader of what was fetched or written."""
        with reading(self.git, self._remote.name) as reader:
            yield reader

    def contains(self, head: str, commit: str) -> bool:
        """Whether `commit` is `head` or in its past."""
        return contains(self.git, head, commit)

    def deepen(self) -> bool:
        """Fetch the past that a first fetch leaves out; return whether there was any."""
        with self._locked():
            if self._is_there() and not (self.git.directory / "shallow").exists():
                return False
            self._fetched(lambda _: self._fetch_past())
            return True

    def renew(self) -> None:
        """Throw everything away; the next `heads` fetches anew."""
        with self._locked():
            shutil.rmtree(self.git.directory, ignore_errors=True)

    def write(self, objects: Sequence[GitObject]) -> None:
        """Store objects; a cache that has vanished meanwhile is made first."""
        try:
            write_objects(self.git, objects)
        except GitError:
            # Locked: another process that misses something must not throw it away in between.
            with self._locked():
                self._fetched(lambda _: write_objects(self.git, objects))

    def has(self, oid: str) -> bool:
        """Whether a commit is there, with its parent unless that was left out on purpose."""
        return self.git.run("rev-list", "--max-count=2", "--quiet", oid).code == 0

    def push(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Completed:
        """Push one ref on condition of its old value. Raises `GitTimeoutError`."""
        self._write_keys()
        done = self._push(ref, old, new, beside)
        place = self._remote.place
        if place is not None and _NOT_THERE in done.stderr:
            self._run(*place.creation(self._directory))
            done = self._push(ref, old, new, beside)
        elif place is not None and _LOCKED.search(done.stderr):
            self._run(*place.sweeping(self._directory))
        return done

    def rehearse(self, ref: str, commit: str) -> Completed:
        """Go through a push without sending anything. Raises `GitTimeoutError`."""
        self._write_keys()
        return self.git.run(
            *("push", "--dry-run", "--porcelain", "--no-verify", _REMOTE),
            f"{commit}:{self._prefix}{ref}",
            seconds=self._seconds,
        )

    def _push(self, ref: str, old: str, new: str, beside: Beside | None) -> Completed:
        moves = [(self._prefix + ref, old, new)]
        if beside is not None:
            # To push what should be there changes nothing if it is, and is refused if it is not.
            moves.append((self._prefix + beside.ref, beside.commit, beside.commit))
        return self.git.run(
            *("push", "--porcelain", "--no-verify"),
            *(f"--force-with-lease={full}:{before}" for full, before, _ in moves),
            _REMOTE,
            *(f"{after}:{full}" for full, _, after in moves),
            seconds=self._seconds,
        )

    def tidy(self) -> None:
        """Pack loose objects."""
        collect(self.git)

    def unreachable(self, reason: str) -> UnreachableError:
        """Return the error for a remote that does not answer as it should."""
        return unreachable(self._remote.name, reason, on_host=self._remote.place is not None)

    def error(self, e: Exception) -> LostObjectsError:
        """Return the error for a cache that can't be used."""
        return LostObjectsError(
            f"the cache {self._directory} of the ledger {self._remote.name} failed: {e}",
            f"remove it (nothing is lost) and try again: rm -r {self._directory}",
        )

    @contextmanager
    def _locked(self) -> Generator[None, None, None]:
        """Keep other processes of this user from fetching into the cache at the same time."""
        try:
            with locked(self._directory / "lock"):
                yield
        except OSError as e:
            raise self.error(e) from e

    def _ensure(self) -> bool:
        """Make the cache unless it is there; return whether it was made. Raises `GitError`."""
        self._write_keys()
        if self._is_there():
            return False
        init = ("init", "--quiet", "--bare", "--template=", str(self.git.directory))
        Git(directory=self._directory).out(*init)
        return True

    def _is_there(self) -> bool:
        return (self.git.directory / "HEAD").is_file()

    def _write_keys(self) -> None:
        """Write the host keys that the inventory has, where ssh is told to look for them."""
        if self._remote.place is None:
            return
        for name, text in self._remote.place.key_files().items():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._directory / name
            if not path.is_file() or path.read_text() != text:
                new = path.with_suffix(".new")
                new.write_text(text)
                new.replace(path)

    def _fetched(self, use: Callable[[bool], V]) -> V:
        """Fetch, and return what `use` does then; it is told whether the remote is there.

        A cache that vanishes or breaks meanwhile is made anew.
        """
        for left in reversed(range(_TRIES)):
            try:
                return use(self._follow())
            except NoGitError:
                raise
            except GitError as e:
                if not left:
                    raise self.error(e) from e
                shutil.rmtree(self.git.directory, ignore_errors=True)
        raise AssertionError("unreachable")

    def _follow(self) -> bool:
        """Fetch; return whether there is a repository to fetch from."""
        fresh = self._ensure()
        done = self._fetch_newest() if fresh else self._fetch()
        if self._remote.place is not None and _NOT_THERE in done.stderr:
            return False
        if done.code != 0:
            self._recover(done)
        return True

    def _fetch(self, *depth: str) -> Completed:
        refs = f"+{self._prefix}*:{self._prefix}*"
        try:
            return self.git.run(*_FETCH, *depth, _REMOTE, refs, seconds=self._seconds)
        except GitTimeoutError as e:
            raise self.unreachable(f"no answer in {self._seconds:g} s") from e

    def _fetch_newest(self) -> Completed:
        """Fetch what the refs hold now, and leave out the past."""
        done = self._fetch("--depth=1")
        # Where there is no ref at all, git fails at this without a word.
        return done if done.code == 0 or done.stderr else self._fetch()

    def _fetch_past(self) -> None:
        done = self._fetch(_WHOLE)
        if done.code != 0:
            raise GitError(done.stderr)

    def _recover(self, failed: Completed) -> None:
        """Fetch again while the remote itself answers: then the cache is at fault."""
        for n in range(_TRIES):
            self._ask_remote(failed)
            if n > 0 or not remove_stale(self.git.directory):
                shutil.rmtree(self.git.directory, ignore_errors=True)
            failed = self._fetch_newest() if self._ensure() else self._fetch()
            if failed.code == 0:
                return
        raise self.unreachable(failed.stderr)

    def _ask_remote(self, failed: Completed) -> None:
        """Make sure, past the cache, that the remote answers. Raises `UnreachableError`."""
        past = replace(self.git, directory=self._directory, bare=False)
        try:
            asked = past.run("ls-remote", "--quiet", _REMOTE, "HEAD", seconds=self._seconds)
        except GitTimeoutError as e:
            raise self.unreachable(failed.stderr) from e
        if asked.code != 0:
            raise self.unreachable(failed.stderr)

    def _run(self, command: list[str], script: bytes) -> None:
        """Run a script on the host that has the repository."""
        try:
            done = subprocess.run(
                command,
                input=script,
                capture_output=True,
                env=environment({}),
                timeout=self._seconds,
                start_new_session=True,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            raise self.unreachable(str(e)) from e
        if done.returncode != 0:
            raise self.unreachable(shown(done.stderr))
