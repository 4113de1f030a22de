"""What the ledger asks of a place: named heads that are swapped, and objects. No storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from gitops.ledger.objects import GitObject


@dataclass(frozen=True, slots=True)
class Swap:
    """Whether a head was moved; `reason` says why not, where the place gave one.

    `news`: what was asked about beside it is not as it was, or nobody could say.
    """

    done: bool
    reason: str = ""
    news: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """Another ref of which is asked, in the round trip of a swap, whether it still is at `commit`.

    It is left as it is.
    """

    ref: str
    commit: str


class Reader(Protocol):
    """Reads objects, many at a time."""

    def load(self, oids: Sequence[str]) -> list[bytes]:
        """Return the contents in order. Raises `LedgerError` where one is missing."""
        ...

    def ancestor(self, commit: str, steps: int) -> str:
        """Return the commit `steps` parents back; empty where the line is shorter or unknown."""
        ...


class Store(Protocol):
    """One ledger's refs and objects. Ref names are those below the ledger's prefix."""

    @property
    def name(self) -> str:
        """The address for messages, without credentials."""
        ...

    def heads(self) -> Mapping[str, str]:
        """Return every ref with its commit, as the place has it now."""
        ...

    def reader(self) -> AbstractContextManager[Reader]:
        """Open a reader of objects that `heads` has named, or `save` has stored."""
        ...

    def save(self, objects: Sequence[GitObject]) -> None:
        """Store objects where a later `swap` finds them; nobody else sees them before it."""
        ...

    def swap(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Swap:
        """Move `ref` from `old` to `new` (empty: absent) in one step, or leave it as it is.

        Says, where it is asked, whether there is news of the ref `beside` it.
        Raises `OutcomeUnknownError` where the place does not say what became of it.
        """
        ...

    def refusal(self) -> str | None:
        """Return why a write would be refused, as far as that shows without one.

        Empty where nothing speaks against it; None where nothing can be told.
        """
        ...

    def tidy(self) -> None:
        """Pack what has become many small files. May do nothing."""
        ...

    def deepen(self) -> bool:
        """Bring in the past that a first reading left out; return whether there was any."""
        ...

    def renew(self, *, gently: bool = False) -> bool:
        """Throw away what is only a copy, so that it is made anew; return whether there is one.

        `gently`: another process may have done so just now; leave it.
        """
        ...
