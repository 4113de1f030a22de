"""An event loop whose time is virtual: nothing waits, time jumps to the next timer.

Everything runs in one thread and in one order, so that the same program does the same again. Where
everybody waits for somebody else, that is an error and no hang.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_RESOLUTION = 1e-9
# Rounds in which no time passes, or next to none, before that is an error.
_RESTLESS = 5_000
_NEXT_TO_NONE = 1e-6


class DeadlockError(RuntimeError):
    """Nothing can happen any more: whoever is left waits for what never comes."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that never blocks. `time` is in seconds since it was made, and virtual."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        super().__init__(_Jumping(self))
        self._clock_resolution = _RESOLUTION

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._elapsed

    def pass_time(self, seconds: float) -> None:
        """Let time pass at once."""
        self._elapsed += seconds


class _Jumping(selectors.BaseSelector):
    """Knows of no files that become ready: to wait is to jump to the end of the wait."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._keys: dict[Any, selectors.SelectorKey] = {}
        # rounds since time has passed
        self._still = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 - as in its base
        self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401 - as in its base
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("everybody waits for somebody else")
        self._still = 0 if timeout > _NEXT_TO_NONE else self._still + 1
        self._loop.pass_time(max(timeout, 0.0))
        if self._still > _RESTLESS:
            self._still = 0
            raise DeadlockError("something goes on and on, and no time passes")
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a loop of its own, and return what comes of it.

    What is still under way then is cancelled. Raises `DeadlockError` where it can't end.
    """
    return run_on(VirtualLoop(), main)


def run_on(loop: VirtualLoop, main: Coroutine[Any, Any, T]) -> T:
    """Do the same on a loop that is there already, and close it."""
    try:
        return loop.run_until_complete(main)
    finally:
        _end(loop)
        loop.close()


def _end(loop: VirtualLoop) -> None:
    """Cancel what is left, and what that leads to."""
    while left := asyncio.all_tasks(loop):
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
