"""The same worlds over a real Git repository: what lands there is seen as it lands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gitops.ledger.local_store import LocalStore
from gitops.ledger.objects import GitObject
from gitops.ledger.simulated import Network, SimulatedRemote
from gitops.ledger.store import Beside, Swap


class WatchedGit(LocalStore):
    """A `Store` in a directory, a network away, whose moves the world hears of."""

    def __init__(self, directory: Path, prefix: str, remote: SimulatedRemote, way: Network) -> None:
        super().__init__(directory, prefix)
        self._remote = remote
        self._way = way

    def save(self, objects: Sequence[GitObject]) -> None:
        super().save(objects)
        self._remote.shelf.objects.update({o.oid: o.data for o in objects})

    def swap(self, ref: str, old: str, new: str, beside: Beside | None = None) -> Swap:
        self._way.travel()
        before = self.heads().get(ref, "")
        done = super().swap(ref, old, new, beside)
        if done.done and before != new:
            self._remote.shelf.refs[ref] = new
            if not new:
                del self._remote.shelf.refs[ref]
            self._remote.landed(ref, before, new)
        self._way.travel()
        return done
