"""Asking something of a job that a run holds: the request is recorded, and the run takes it in.

Nothing but the ledger is touched. What a run that holds the job does not do is for whoever asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from executors.blocking import Blocking, in_thread
from gitops.ledger.errors import LedgerError
from gitops.ledger.lease import LeaseWatch
from gitops.ledger.protocol import Guard, Ledger, RunHead, Snapshot
from planner.errors import ConflictError
from planner.intervention import carried
from planner.recorded import JobChange, JobState
from planner.request import MOST_REQUESTS, Answer, Request

# Looks at the ledger per lease, and how often a job may change hands before one gives up.
_LOOKS = 10
_TRIES = 60


class Way(Enum):
    """What has become of a request."""

    ANSWERED = auto()
    LEFT = auto()
    FREE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What has become of a request, and the job as it is by then, journals included.

    Answered: by the run that held the job, with the `answer`. Left: for the run to answer later.
    Free: nobody holds the job who is known to live; whether the request waits there says `waits`.
    """

    way: Way
    state: JobState
    snapshot: Snapshot
    answer: Answer | None = None
    waits: bool = False


@dataclass(slots=True, kw_only=True)
class Asking:
    """One request, until it is answered. `now` is the wall clock in ns.

    `tell` hears of what is waited for: the run that holds the job, and whether for long.
    """

    ledger: Ledger
    key: str
    request: Request
    now: Callable[[], int]
    tell: Callable[[RunHead, bool], None]
    watch: LeaseWatch = field(default_factory=LeaseWatch)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    blocking: Blocking = in_thread
    # seconds since something was told, by run
    _silent: dict[str, float] = field(default_factory=dict[str, float])

    async def asked(self, *, leaves: bool) -> Asked:
        """Ask, unless nobody holds the job, and wait for the answer, unless one `leaves`.

        Raises an `OrchError` where the request can't be, as far as the records tell already.
        """
        conflicts = 0
        while True:
            snapshot = await self.blocking(self.ledger.read)
            found = self._found(snapshot)
            if found is not None:
                return found
            state = snapshot.folded().job(self.key)
            run = snapshot.runs[state.run]
            if self._waits(state):
                if leaves:
                    return Asked(way=Way.LEFT, state=state, snapshot=snapshot, waits=True)
                await self._wait(run)
                continue
            carried(self.request, state, self.now())
            try:
                await self._record(snapshot)
            except ConflictError:
                # It has changed hands just now: what is to be done is another thing.
                conflicts += 1
                if conflicts == _TRIES:
                    raise
                continue
            self.tell(run, False)

    def _found(self, snapshot: Snapshot) -> Asked | None:
        """Return what has become of the request, unless a run that may live holds the job."""
        state = snapshot.folded().job(self.key)
        answer = next((a for a in state.answers if a.id == self.request.id), None)
        if answer is not None:
            return Asked(way=Way.ANSWERED, state=state, snapshot=snapshot, answer=answer)
        run = snapshot.runs.get(state.run)
        if run is not None and not run.sealed_by and not self.watch.state(run).adoptable:
            return None
        waits = self._waits(state)
        return Asked(way=Way.FREE, state=state, snapshot=snapshot, waits=waits)

    def _waits(self, state: JobState) -> bool:
        return any(r.id == self.request.id for r in state.requests)

    async def _record(self, snapshot: Snapshot) -> None:
        """Record the request, on condition that the same run still holds the job."""
        state = snapshot.recorded.job(self.key)
        if len(state.requests) >= MOST_REQUESTS:
            raise LedgerError(
                f"{len(state.requests)} requests wait for job {self.key!r} already",
                "Wait until the run that holds it has taken them in: see 'orch lock status'.",
            )
        change = JobChange(key=self.key, requests=(self.request,))
        guard = Guard(key=self.key, modify_index=state.modify_index)
        message = f"Ask to {self.request.verb}: {self.key}"
        await self.blocking(
            lambda: self.ledger.commit(snapshot, [change], message=message, guards=[guard])
        )

    async def _wait(self, run: RunHead) -> None:
        pause = run.info.ttl / _LOOKS
        await self.sleep(pause)
        waited = self._silent.get(run.id, 0.0) + pause
        if waited >= run.info.ttl:
            self.tell(run, True)
            waited = 0.0
        self._silent[run.id] = waited
