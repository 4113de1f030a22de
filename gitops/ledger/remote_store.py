"""A ledger in a repository elsewhere: read by fetching into a private cache, swapped by pushing.

The cache is a bare repository of orch's own; the user's clone is never used.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gitops.git import REMOTE_SECONDS, Completed, Git, GitError, GitTimeoutError, gist, redacted
from gitops.ledger.cat_file import reading
from gitops.ledger.errors import LedgerError, OutcomeUnknownError, UnreachableError
from gitops.ledger.git_refs import collect, contains, list_heads, write_objects
from gitops.ledger.objects import GitObject
from gitops.ledger.seen import locked
from gitops.ledger.store import Reader, Swap
from gitops.ledger.surroundings import Surroundings

_TRIES = 8
_REMOTE = "ledger"
_FETCH = ("fetch", "--quiet", "--no-tags", "--prune", "--force", "--no-write-fetch-head")
_FLAG_WORDS = 3


class RemoteStore:
    """A `Store` at a URL, with its cache in `directory`. `seconds` bounds each round."""

    def __init__(
        self,
        url: str,
        prefix: str,
        directory: Path,
        surroundings: Surroundings,
        seconds: float = REMOTE_SECONDS,
    ) -> None:
        self._name = redacted(url)
        self._prefix = prefix
        self._directory = directory
        self._around = surroundings
        self._seconds = seconds
        # By the environment: an address may hold credentials, and arguments are public.
        settings = {f"remote.{_REMOTE}.url": url, "core.fsync": "none"}
        self._git = Git(directory=directory / "objects.git", bare=True, settings=settings)

    @property
    def name(self) -> str:
        """The address without credentials."""
        return self._name

    def heads(self) -> Mapping[str, str]:
        """Fetch, and return the refs."""
        with self._locked():
            self._ensure_cache()
            done = self._fetch()
            if done.code != 0:
                self._renew_cache(done)
            try:
                return list_heads(self._git, self._prefix)
            except GitError as e:
                raise self._cache_error(e) from e

    @contextmanager
    def reader(self) -> Generator[Reader, None, None]:
        """Open a reader on the cache."""
        with reading(self._git, self.name) as reader:
            yield reader

    def save(self, objects: Sequence[GitObject]) -> None:
        """Store objects in the cache, from where `swap` sends them."""
        if not self._git.directory.exists():
            self.heads()
        try:
            write_objects(self._git, objects)
        except GitError as e:
            raise self._cache_error(e) from e

    def swap(self, ref: str, old: str, new: str) -> Swap:
        """Push, and where the answer is lost push the same commit again until it is known."""
        lost = ""
        for _ in self._around.tries(_TRIES):
            try:
                done = self._push(ref, old, new)
            except GitTimeoutError as e:
                lost = e.message
                continue
            swap = _outcome(done, self._prefix + ref)
            if swap is not None:
                return self._settled(ref, new, swap) if lost and not swap.done else swap
            lost = done.stderr or f"git ended with {done.code}"
        raise self._unknown(lost)

    def tidy(self) -> None:
        """Pack the cache."""
        collect(self._git)

    def _push(self, ref: str, old: str, new: str) -> Completed:
        full = self._prefix + ref
        return self._git.run(
            "push",
            "--porcelain",
            "--no-verify",
            f"--force-with-lease={full}:{old}",
            _REMOTE,
            f"{new}:{full}",
            seconds=self._seconds,
        )

    def _settled(self, ref: str, new: str, swap: Swap) -> Swap:
        """A push whose answer was lost may have been the one that a later one was refused for."""
        try:
            head = self.heads().get(ref, "")
        except UnreachableError as e:
            raise self._unknown(e.message) from e
        if not new:
            return Swap(not head, swap.reason)
        return Swap(contains(self._git, head, new), swap.reason)

    def _unknown(self, reason: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"whether the write to the ledger {self.name} arrived is unknown: {reason}",
            "no host was touched because of it; once the ledger answers, run the command again:"
            " it reads what was recorded and goes on from there",
        )

    @contextmanager
    def _locked(self) -> Generator[None, None, None]:
        """Keep other processes of this user from fetching into the cache at the same time."""
        try:
            with locked(self._directory / "lock"):
                yield
        except OSError as e:
            raise self._cache_error(e) from e

    def _ensure_cache(self) -> None:
        if (self._git.directory / "HEAD").is_file():
            return
        try:
            init = ("init", "--quiet", "--bare", "--template=", str(self._git.directory))
            Git(directory=self._directory).out(*init)
        except GitError as e:
            raise self._cache_error(e) from e

    def _fetch(self) -> Completed:
        try:
            return self._git.run(
                *_FETCH, _REMOTE, f"+{self._prefix}*:{self._prefix}*", seconds=self._seconds
            )
        except GitTimeoutError as e:
            raise self._unreachable(f"no answer in {self._seconds:g} s") from e

    def _renew_cache(self, failed: Completed) -> None:
        """Make the cache anew if the remote itself answers: then the cache was the fault."""
        try:
            asked = self._git.run("ls-remote", "--quiet", _REMOTE, "HEAD", seconds=self._seconds)
        except GitTimeoutError as e:
            raise self._unreachable(failed.stderr) from e
        if asked.code == 0:
            import shutil

            shutil.rmtree(self._git.directory, ignore_errors=True)
            self._ensure_cache()
            failed = self._fetch()
        if failed.code != 0:
            raise self._unreachable(failed.stderr)

    def _unreachable(self, reason: str) -> UnreachableError:
        return UnreachableError(
            f"the ledger {self.name} can't be reached: {gist(reason)}",
            f"try 'git ls-remote {self.name}'; the address is [ledger] url in orch.toml, or the"
            " job repository's origin",
        )

    def _cache_error(self, e: Exception) -> LedgerError:
        return LedgerError(
            f"the cache {self._directory} of the ledger {self.name} failed: {e}",
            f"remove it (nothing is lost) and try again: rm -r {self._directory}",
        )


def _outcome(done: Completed, ref: str) -> Swap | None:
    """Return what a push's porcelain lines say about `ref`; None where they don't."""
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        words = line.split("\t")
        if len(words) == _FLAG_WORDS and words[1].endswith(f":{ref}"):
            reason = "".join(c for c in words[2] if c.isprintable())
            return Swap(words[0] != "!", f"{reason} {done.stderr}".strip())
    return Swap(True) if done.code == 0 else None
