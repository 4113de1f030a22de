"""Time as an argument: the wall clock for records, a monotonic one for waits."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Protocol

# Seconds that one look after another may count at most: whoever was away longer saw nothing.
_MOST = 5.0


class Clock(Protocol):
    """What the apply engine knows of time."""

    def now(self) -> int:
        """Wall clock in nanoseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Wall clock in nanoseconds since the epoch."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class WatchedTime:
    """Seconds for which somebody has watched; those do not count for which a process stood still.

    Time is read at each look; what lies between two of them counts up to a few seconds.
    """

    clock: Clock
    _seconds: float = field(init=False, default=0.0)
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.clock.monotonic()

    def seconds(self) -> float:
        """Return what was watched until now, this look included."""
        now = self.clock.monotonic()
        self._seconds += min(now - self._last, _MOST)
        self._last = now
        return self._seconds
