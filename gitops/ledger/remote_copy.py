"""What a ledger elsewhere is reached through: a copy of it that is fetched into and pushed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from gitops.git import Completed
from gitops.ledger.objects import GitObject
from gitops.ledger.store import Beside, Reader


class RemoteCopy(Protocol):
    """The private copy of one remote ledger. It may vanish at any time, and is made anew then."""

    def heads(self) -> Mapping[str, str]:
        """Fetch, and return the refs. Raises `UnreachableError`."""
        ...

    def reader(self) -> AbstractContextManager[Reader]:
        """Open a reader of what was fetched or written."""
        ...

    def contains(self, head: str, commit: str) -> bool:
        """Whether `commit` is `head` or in its past."""
        ...

    def write(self, objects: Sequence[GitObject]) -> None:
        """Store objects, from where a push sends them."""
        ...

    def has(self, oid: str) -> bool:
        """Whether a commit is there."""
        ...

    def push(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Completed:
        """Push one ref on condition of its old value; what is said is as Git's ``--porcelain``.

        The ref `beside` it never moves: of that is said whether it is as it was. Raises
        `GitTimeoutError` where there is no answer in time.
        """
        ...

    def rehearse(self, ref: str, commit: str) -> Completed:
        """Go through a push without sending anything. Raises `GitTimeoutError`."""
        ...

    def tidy(self) -> None:
        """Pack what has become many small files."""
        ...

    def deepen(self) -> bool:
        """Fetch the past that a first fetch leaves out; return whether there was any."""
        ...

    def renew(self) -> None:
        """Throw everything away; the next `heads` fetches anew."""
        ...
