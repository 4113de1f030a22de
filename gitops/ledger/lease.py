"""Judges whether a run's holder is alive: its journal moves, or its process exists.

For liveness only: what keeps a frozen holder from doing harm is the seal and the fence.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gitops.ledger.process import ProcessCheck, is_gone
from gitops.ledger.protocol import Ledger, RunHead, Snapshot

# How often a journal is looked at while waiting for it to move, per `ttl`.
_LOOKS = 10


class Holder(StrEnum):
    """What is known about the holder of a run."""

    ALIVE = "alive"
    WAITING = "waiting"
    ABANDONED = "abandoned"
    DEAD = "dead"
    ENDED = "ended"

    @property
    def adoptable(self) -> bool:
        """Whether the jobs it still holds may be taken over."""
        return self in (Holder.ABANDONED, Holder.DEAD, Holder.ENDED)


@dataclass(slots=True)
class LeaseWatch:
    """Remembers since when each journal has stood still, by the observer's own clock alone.

    `clock` is monotonic, in seconds. The first look at a journal says nothing about its age.
    """

    clock: Callable[[], float] = time.monotonic
    gone: ProcessCheck = is_gone
    _since: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])

    def state(self, run: RunHead) -> Holder:
        """Judge the run as it was read just now; to be called after every reading."""
        if self.gone(run.info.process):
            return Holder.DEAD
        now = self.clock()
        head, since = self._since.get(run.id, ("", now))
        if head != run.head:
            self._since[run.id] = (run.head, now)
            return Holder.ALIVE if head else Holder.WAITING
        return Holder.ABANDONED if now - since >= run.info.ttl else Holder.WAITING

    def wait(
        self, ledger: Ledger, run_id: str, sleep: Callable[[float], None] = time.sleep
    ) -> tuple[Holder, Snapshot]:
        """Look until the holder is known to be alive, dead, or silent for its `ttl`.

        Returns the verdict and the reading it is about; never `WAITING`. A run without a
        journal has `ENDED`.
        """
        while True:
            snapshot = ledger.read()
            run = snapshot.runs.get(run_id)
            if run is None:
                return Holder.ENDED, snapshot
            state = self.state(run)
            if state is not Holder.WAITING:
                return state, snapshot
            sleep(run.info.ttl / _LOOKS)
