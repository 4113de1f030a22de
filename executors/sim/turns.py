"""Blocking calls that take turns with a virtual loop: a thread each, of which one runs at a time.

Code that blocks (the ledger's, with its pauses and its round trips) runs unchanged, and others get
their turn wherever it would have waited. The order is that of virtual time, never the scheduler's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds between two looks at a lock that another one holds.
_SHORTEST, _LONGEST = 0.01, 2.0


class EndedError(BaseException):
    """The process that made the call is no more: unwinds its thread, which does nothing more."""


@dataclass(slots=True)
class _Strand:
    """One thread: it runs only between `mine` and `theirs`."""

    mine: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    theirs: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    call: Callable[[], Any] | None = None
    # seconds for which it wants to wait; None once it is through
    pause: float | None = None
    ended: bool = False
    value: Any = None
    error: BaseException | None = None


class Turns:
    """Threads for blocking calls, used again and again; `close` ends them."""

    def __init__(self) -> None:
        self._idle: list[_Strand] = []
        self._threads: list[threading.Thread] = []
        self._current: _Strand | None = None

    async def run(self, call: Callable[[], T], alive: Callable[[], bool] = lambda: True) -> T:
        """Return what the call returns, or raise what it raises.

        It goes on where the wait for it is cancelled, unless it is not `alive` by then: it ends
        where it stands.
        """
        return await asyncio.shield(asyncio.ensure_future(self._driven(call, alive)))

    def pause(self, seconds: float) -> None:
        """Wait, in a call: others have their turn. Outside of one nothing happens."""
        strand = self._current
        if strand is None:
            return
        strand.pause = seconds
        strand.theirs.release()
        strand.mine.acquire()
        if strand.ended:
            raise EndedError

    def close(self) -> None:
        """End all threads; no call may be under way. Raises `RuntimeError` where one is."""
        if len(self._idle) < len(self._threads):
            raise RuntimeError("a call is still under way")
        for strand in self._idle:
            strand.call = None
            strand.mine.release()
        for thread in self._threads:
            thread.join()
        self._idle, self._threads = [], []

    async def _driven(self, call: Callable[[], T], alive: Callable[[], bool]) -> T:
        strand = self._idle.pop() if self._idle else self._made()
        strand.call, strand.ended, strand.error = call, False, None
        try:
            while (pause := self._turn(strand)) is not None:
                await asyncio.sleep(pause)
                strand.ended = not alive()
        except asyncio.CancelledError:
            strand.ended = True
            while self._turn(strand) is not None:
                pass
            raise
        finally:
            self._idle.append(strand)
        if strand.error is not None:
            raise strand.error
        return strand.value  # type: ignore[no-any-return]

    def _turn(self, strand: _Strand) -> float | None:
        before, self._current = self._current, strand
        strand.pause = None
        strand.mine.release()
        strand.theirs.acquire()
        self._current = before
        return strand.pause

    def _made(self) -> _Strand:
        strand = _Strand()
        thread = threading.Thread(target=_work, args=(strand,), daemon=True)
        self._threads.append(thread)
        thread.start()
        return strand


@dataclass(slots=True)
class TurnLock:
    """What lets one call at a time go on; the others have their turns meanwhile."""

    turns: Turns
    held: bool = False

    def __enter__(self) -> TurnLock:
        wait = _SHORTEST
        while self.held:
            self.turns.pause(wait)
            wait = min(2 * wait, _LONGEST)
        self.held = True
        return self

    def __exit__(self, *_: object) -> None:
        self.held = False


def _work(strand: _Strand) -> None:
    while True:
        strand.mine.acquire()
        if strand.call is None:
            return
        try:
            strand.value = strand.call()
        except BaseException as e:
            strand.value, strand.error = None, e
        strand.pause = None
        strand.theirs.release()
