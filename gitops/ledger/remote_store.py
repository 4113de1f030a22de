"""A ledger in a repository elsewhere: read by fetching into a private cache, swapped by pushing."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gitops.git import Completed, GitTimeoutError, gist
from gitops.ledger.errors import OutcomeUnknownError, UnreachableError, denied, is_denied
from gitops.ledger.objects import GitObject
from gitops.ledger.remote_copy import RemoteCopy
from gitops.ledger.store import Beside, Reader, Swap
from gitops.ledger.surroundings import Surroundings

_TRIES = 12
# Of these tries, so many may end by the deadline: each costs `seconds`.
_TIMEOUTS = 2
_FLAG_WORDS = 3
# A ref that is never there.
_REHEARSED = "runs/rehearsal"
# What the other side says of a push that lacks objects.
_INCOMPLETE = re.compile(r"missing necessary objects|unpack")
# Commits whose objects are kept until they are sent, in case the cache vanishes meanwhile.
_KEPT = 8


@dataclass(slots=True, kw_only=True)
class _Sending:
    """One swap that is under way; `lost` says why the outcome of a push is not known."""

    ref: str
    old: str
    new: str
    lost: str = ""
    timeouts: int = 0


class RemoteStore:
    """A `Store` at the remote called `name`, which is reached through `cache`."""

    def __init__(
        self, cache: RemoteCopy, name: str, prefix: str, surroundings: Surroundings
    ) -> None:
        self._name = name
        self._prefix = prefix
        self._around = surroundings
        self._cache = cache
        self._saved: dict[str, Sequence[GitObject]] = {}

    @property
    def name(self) -> str:
        """The address without credentials."""
        return self._name

    def heads(self) -> Mapping[str, str]:
        """Fetch, and return the refs."""
        return self._cache.heads()

    @contextmanager
    def reader(self) -> Generator[Reader, None, None]:
        """Open a reader on the cache."""
        with self._cache.reader() as reader:
            yield reader

    def save(self, objects: Sequence[GitObject]) -> None:
        """Store objects in the cache, from where `swap` sends them."""
        self._saved[objects[-1].oid] = objects
        for oid in list(self._saved)[:-_KEPT]:
            del self._saved[oid]
        self._cache.write(objects)

    def swap(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Swap:
        """Push, and where the answer is lost push the same commit again until it is known."""
        sending = _Sending(ref=ref, old=old, new=new)
        for n in self._around.tries(_TRIES):
            # Asked once: with a cache that has lost what was there before a push fails for that.
            asked = beside if n == 0 else None
            try:
                done = self._cache.push(ref, old, new, asked)
            except GitTimeoutError as e:
                sending.lost, sending.timeouts = e.message, sending.timeouts + 1
                if sending.timeouts == _TIMEOUTS:
                    break
                continue
            swap = self._judged(sending, done)
            if swap is None or (asked is not None and not swap.done):
                continue
            return replace(swap, news=beside is not None and not self._is_same(done, asked))
        raise self._unknown(sending.lost)

    def _is_same(self, done: Completed, asked: Beside | None) -> bool:
        """Whether a push has said that what was asked about beside it is as it was."""
        said = _outcome(done, self._prefix + asked.ref) if asked is not None else None
        return said is not None and said.done

    def _judged(self, sending: _Sending, done: Completed) -> Swap | None:
        """Return what became of a push; None where it has to be sent again."""
        swap = _outcome(done, self._prefix + sending.ref)
        if swap is None:
            if not sending.lost and is_denied(done.stderr):
                raise denied(self.name, done.stderr)
            if not self._restored(sending.new):
                sending.lost = sending.lost or done.stderr or f"git ended with {done.code}"
            return None
        if swap.done:
            return swap
        if sending.lost:
            sending.lost = swap.reason
            return self._settled(sending)
        if _INCOMPLETE.search(swap.reason) and self._restored(sending.new):
            return None
        return swap

    def refusal(self) -> str | None:
        """Rehearse a push of what is there; an empty ledger has nothing to rehearse with."""
        commit = next(iter(self.heads().values()), "")
        if not commit:
            return None
        try:
            done = self._cache.rehearse(_REHEARSED, commit)
        except GitTimeoutError as e:
            return e.message
        return gist(done.stderr) or f"git ended with {done.code}" if done.code else ""

    def tidy(self) -> None:
        """Pack the cache."""
        self._cache.tidy()

    def deepen(self) -> bool:
        """Fetch the past that the first fetch has left out."""
        return self._cache.deepen()

    def renew(self, *, gently: bool = False) -> bool:
        """Throw the cache away: it lacks what it should have. Gently: the next fetch may do."""
        if not gently:
            self._cache.renew()
        return True

    def _restored(self, new: str) -> bool:
        """Put a commit back into a cache that has lost it, so that it was never sent."""
        if new not in self._saved or self._cache.has(new):
            return False
        self._cache.write(self._saved[new])
        if not self._cache.has(new):  # what came before it is gone too
            self._cache.renew()
            self._cache.heads()
            self._cache.write(self._saved[new])
        return True

    def _settled(self, sending: _Sending) -> Swap | None:
        """Judge a refusal after a lost answer: the push that was lost may have been the one.

        None while the ref is where it was: what was sent may still land.
        """
        try:
            head = self.heads().get(sending.ref, "")
        except UnreachableError as e:
            raise self._unknown(e.message) from e
        new = sending.new
        if self._cache.contains(head, new) if new else not head:
            return Swap(True)
        return None if head == sending.old else Swap(False, sending.lost)

    def _unknown(self, reason: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"whether the write to the ledger {self.name} arrived is unknown: {reason}",
            "no host was touched because of it; once the ledger answers, run the command again:"
            " it reads what was recorded and goes on from there",
        )


def _outcome(done: Completed, ref: str) -> Swap | None:
    """Return what a push's porcelain lines say about `ref`; None where they don't."""
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        words = line.split("\t")
        if len(words) == _FLAG_WORDS and words[1].endswith(f":{ref}"):
            reason = "".join(c for c in words[2] if c.isprintable())
            return Swap(words[0] != "!", f"{reason} {done.stderr}".strip())
    return Swap(True) if done.code == 0 else None
