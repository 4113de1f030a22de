"""A ledger elsewhere, simulated: pushes fail before or after they are taken, or land late.

The real store is used over it, and what it is told is what Git would say.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from executors.sim.fate import Fate
from gitops.git import REMOTE_SECONDS, Completed, GitTimeoutError
from gitops.ledger.errors import unreachable
from gitops.ledger.memory import MemoryReader, Shelf
from gitops.ledger.objects import GitObject, parse_commit
from gitops.ledger.remote_store import RemoteStore
from gitops.ledger.store import Beside, Reader
from gitops.ledger.surroundings import Surroundings

_BROKEN = "fatal: the remote end hung up unexpectedly"


class Network(Protocol):
    """What lies between a client and the remote."""

    def is_up(self) -> bool:
        """Whether the remote can be reached at the moment."""
        ...

    def travel(self) -> None:
        """Let the time of half a round trip pass."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def fate(self) -> Fate:
        """Draw what becomes of the next push."""
        ...

    def later(self, act: Callable[[], object]) -> None:
        """Do something some time later, whatever becomes of the client."""
        ...


@dataclass(slots=True)
class CalmNetwork:
    """Nothing goes wrong, and nothing takes time."""

    def is_up(self) -> bool:
        """Always."""
        return True

    def travel(self) -> None:
        """At once."""

    def wait(self, seconds: float) -> None:
        """At once."""
        del seconds

    def fate(self) -> Fate:
        """Everything arrives."""
        return Fate.ARRIVES

    def later(self, act: Callable[[], object]) -> None:
        """At once."""
        act()


def _unheard(ref: str, old: str, new: str) -> None:
    del ref, old, new


@dataclass(slots=True, kw_only=True)
class SimulatedRemote:
    """The repository elsewhere. `landed` is told of each ref that has moved, old and new value."""

    shelf: Shelf = field(default_factory=Shelf)
    landed: Callable[[str, str, str], None] = _unheard

    def take(self, ref: str, old: str, new: str) -> bool:
        """Move the ref if it is still at `old`, as ``--force-with-lease`` does."""
        found = self.shelf.refs.get(ref, "")
        if found not in (old, new):
            return False
        if new:
            self.shelf.refs[ref] = new
        else:
            self.shelf.refs.pop(ref, None)
        if found != new:
            self.landed(ref, found, new)
        return True


@dataclass(slots=True, kw_only=True)
class SimulatedCopy:
    """A `RemoteCopy` of a simulated remote, as one client has it."""

    remote: SimulatedRemote
    prefix: str
    network: Network = field(default_factory=CalmNetwork)

    def heads(self) -> Mapping[str, str]:
        """Fetch, and return the refs."""
        self.network.travel()
        if not self.network.is_up():
            raise unreachable("the ledger", "Could not resolve host", on_host=False)
        heads = dict(self.remote.shelf.refs)
        self.network.travel()
        return heads

    @contextmanager
    def reader(self) -> Generator[Reader, None, None]:
        """Open a reader."""
        yield MemoryReader(self.remote.shelf.objects)

    def contains(self, head: str, commit: str) -> bool:
        """Whether `commit` is `head` or in its past."""
        objects = self.remote.shelf.objects
        while head and head != commit:
            head = parse_commit(objects[head]).parent
        return bool(head)

    def write(self, objects: Sequence[GitObject]) -> None:
        """Keep the objects: nobody finds them before a ref leads there."""
        self.remote.shelf.objects |= {o.oid: o.data for o in objects}

    def has(self, oid: str) -> bool:
        """Whether a commit is there."""
        return oid in self.remote.shelf.objects

    def push(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Completed:
        """Push one ref, with luck."""
        self.network.travel()
        fate = self.network.fate() if self.network.is_up() else Fate.FAILS
        if fate is Fate.FAILS:
            return Completed(code=128, stdout=b"", stderr=_BROKEN)
        if fate is Fate.LATE:
            self.network.later(lambda: self.remote.take(ref, old, new))
            self.network.wait(REMOTE_SECONDS)
            raise GitTimeoutError("git push did not end in time")
        done = self.remote.take(ref, old, new)
        lines = [_line(f"{new}:{self.prefix}{ref}", done)]
        if beside is not None:
            same = self.remote.shelf.refs.get(beside.ref, "") == beside.commit
            lines.append(_line(f"{beside.commit}:{self.prefix}{beside.ref}", same))
        self.network.travel()
        if fate is Fate.UNANSWERED:
            return Completed(code=128, stdout=b"", stderr=_BROKEN)
        return _said(*lines)

    def rehearse(self, ref: str, commit: str) -> Completed:
        """Nothing speaks against a push, as far as that shows."""
        return _said(_line(f"{commit}:{self.prefix}{ref}", True))

    def tidy(self) -> None:
        """Nothing to do."""

    def deepen(self) -> bool:
        """All of the past is there."""
        return False

    def renew(self) -> None:
        """Nothing is a copy."""


def _line(where: str, done: bool) -> str:
    return f"*\t{where}\t[ok]" if done else f"!\t{where}\t[rejected] (stale info)"


def _said(*lines: str) -> Completed:
    said = "".join(f"{line}\n" for line in ("To simulated", *lines, "Done")).encode()
    code = int(any(line.startswith("!") for line in lines))
    return Completed(code=code, stdout=said, stderr="")


def simulated_store(copy: SimulatedCopy, surroundings: Surroundings) -> RemoteStore:
    """Return the real store over a simulated remote."""
    return RemoteStore(copy, "simulated", copy.prefix, surroundings)
