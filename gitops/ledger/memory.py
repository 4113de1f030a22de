"""A ledger's place in memory, for tests and simulations. Two stores may share one `Shelf`."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from gitops.ledger.errors import LedgerError
from gitops.ledger.objects import GitObject, parse_commit
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.seen import MemorySeen
from gitops.ledger.store import Beside, Reader, Swap
from gitops.ledger.surroundings import Surroundings


@dataclass(slots=True)
class Shelf:
    """The shared content."""

    refs: dict[str, str] = field(default_factory=dict[str, str])
    objects: dict[str, bytes] = field(default_factory=dict[str, bytes])
    lock: Lock = field(default_factory=Lock)


class MemoryStore:
    """A `Store` over a `Shelf`."""

    def __init__(self, shelf: Shelf | None = None, name: str = "memory") -> None:
        self.shelf = shelf or Shelf()
        self._name = name

    @property
    def name(self) -> str:
        """A name for messages."""
        return self._name

    def heads(self) -> Mapping[str, str]:
        """Return all refs."""
        return dict(self.shelf.refs)

    @contextmanager
    def reader(self) -> Generator[Reader, None, None]:
        """Open a reader."""
        yield MemoryReader(self.shelf.objects)

    def save(self, objects: Sequence[GitObject]) -> None:
        """Keep the objects."""
        self.shelf.objects |= {o.oid: o.data for o in objects}

    def swap(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Swap:
        """Move the ref if it is still at `old`."""
        with self.shelf.lock:
            news = beside is not None and self.shelf.refs.get(beside.ref, "") != beside.commit
            found = self.shelf.refs.get(ref, "")
            if found not in (old, new):
                return Swap(False, "stale")
            if new:
                self.shelf.refs[ref] = new
            else:
                self.shelf.refs.pop(ref, None)
            return Swap(True, news=news)

    def tidy(self) -> None:
        """Nothing to do."""

    def deepen(self) -> bool:
        """All of the past is there."""
        return False

    def refusal(self) -> str | None:
        """Nothing is refused."""
        return ""

    def renew(self, *, gently: bool = False) -> bool:
        """Nothing is a copy."""
        return False


class MemoryReader:
    """A `Reader` of objects in memory."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self._objects = objects

    def load(self, oids: Sequence[str]) -> list[bytes]:
        """Return the contents in order."""
        try:
            return [self._objects[oid] for oid in oids]
        except KeyError as e:
            raise LedgerError(f"object {e} is missing") from e

    def ancestor(self, commit: str, steps: int) -> str:
        """Return the commit `steps` parents back."""
        for _ in range(steps):
            if commit not in self._objects:
                return ""
            commit = parse_commit(self._objects[commit]).parent
        return commit if commit in self._objects else ""


def memory_ledger(
    shelf: Shelf | None = None, cluster: str = "dev", surroundings: Surroundings | None = None
) -> RefLedger:
    """Return a ledger in memory. Ledgers over the same shelf race as those over one repository."""
    around = surroundings or Surroundings(user="test", host="memory")
    return RefLedger(MemoryStore(shelf), cluster, MemorySeen(), around)
