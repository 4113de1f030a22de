"""The private copy of a ledger that is kept elsewhere: fetched into, pushed from.

It may vanish or break at any time: then it is made anew. The user's clone is never used.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops.git import Completed, Git, GitError, GitTimeoutError, environment, redacted, shown
from gitops.ledger.errors import LostObjectsError, UnreachableError, unreachable
from gitops.ledger.git_refs import collect, list_heads, write_objects
from gitops.ledger.locks import remove_stale
from gitops.ledger.objects import GitObject
from gitops.ledger.seen import locked
from gitops.ledger.ssh_place import SshPlace

_REMOTE = "ledger"
_FETCH = ("fetch", "--quiet", "--no-tags", "--prune", "--force", "--no-write-fetch-head")
_LOCKED = re.compile(r"\.lock': File exists")
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
    """A bare repository in `directory` that follows the refs below `prefix` of a remote."""

    def __init__(self, remote: Remote, prefix: str, directory: Path, seconds: float) -> None:
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
            fresh = self._ensure()
            done = self._fetch_newest() if fresh else self._fetch()
            if self._remote.place is not None and _NOT_THERE in done.stderr:
                return {}  # the first push makes it
            if done.code != 0:
                self._recover(done)
            try:
                return list_heads(self.git, self._prefix)
            except GitError as e:
                raise self.error(e) from e

    def deepen(self) -> bool:
        """Fetch the past that a first fetch leaves out; return whether there was any."""
        with self._locked():
            if not (self.git.directory / "shallow").exists():
                return False
            done = self._fetch("--unshallow")
            if done.code != 0:
                raise self.unreachable(done.stderr)
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
            self.heads()
            try:
                write_objects(self.git, objects)
            except GitError as e:
                raise self.error(e) from e

    def has(self, oid: str) -> bool:
        """Whether a commit is there, with its parent unless that was left out on purpose."""
        return self.git.run("rev-list", "--max-count=2", "--quiet", oid).code == 0

    def push(self, ref: str, old: str, new: str) -> Completed:
        """Push one ref on condition of its old value. Raises `GitTimeoutError`."""
        self._write_keys()
        done = self._push(ref, old, new)
        place = self._remote.place
        if place is not None and _NOT_THERE in done.stderr:
            self._run(*place.creation(self._directory))
            done = self._push(ref, old, new)
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

    def _push(self, ref: str, old: str, new: str) -> Completed:
        full = self._prefix + ref
        return self.git.run(
            "push",
            "--porcelain",
            "--no-verify",
            f"--force-with-lease={full}:{old}",
            _REMOTE,
            f"{new}:{full}",
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
        """Make the cache unless it is there; return whether it was made."""
        self._write_keys()
        if (self.git.directory / "HEAD").is_file():
            return False
        try:
            init = ("init", "--quiet", "--bare", "--template=", str(self.git.directory))
            Git(directory=self._directory).out(*init)
        except GitError as e:
            raise self.error(e) from e
        return True

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

    def _recover(self, failed: Completed) -> None:
        """Fetch again if the remote itself answers: then the cache was the fault."""
        try:
            asked = self.git.run("ls-remote", "--quiet", _REMOTE, "HEAD", seconds=self._seconds)
        except GitTimeoutError as e:
            raise self.unreachable(failed.stderr) from e
        if asked.code == 0 and remove_stale(self.git.directory):
            failed = self._fetch()
        if asked.code == 0 and failed.code != 0:
            shutil.rmtree(self.git.directory, ignore_errors=True)
            self._ensure()
            failed = self._fetch_newest()
        if failed.code != 0:
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
