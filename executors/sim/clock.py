"""A clock whose time passes only by sleeping."""

from __future__ import annotations

from dataclasses import dataclass

from planner.job import SECOND

# 2026-01-01T00:00:00Z, where virtual time begins.
EPOCH = 1_767_225_600 * SECOND


@dataclass(slots=True)
class VirtualClock:
    """Time that passes only by sleeping."""

    nanoseconds: int = EPOCH

    def now(self) -> int:
        """Wall clock in nanoseconds since the epoch."""
        return self.nanoseconds

    def monotonic(self) -> float:
        """Seconds since virtual time began."""
        return (self.nanoseconds - EPOCH) / SECOND

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.nanoseconds += max(int(seconds * SECOND), 1)
