"""What is to happen at which virtual time, in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Agenda:
    """A clock that is told how late it is; what falls due until then happens on the way."""

    now: int
    _entries: list[tuple[int, int, Callable[[], None]]] = field(
        default_factory=list[tuple[int, int, Callable[[], None]]]
    )
    _count: int = 0

    def later(self, wait: int, act: Callable[[], None]) -> None:
        """Do something `wait` ns from now; what is due at one time keeps its order."""
        self._count += 1
        heapq.heappush(self._entries, (self.now + max(wait, 0), self._count, act))

    def until(self, time: int) -> None:
        """Let time pass up to `time` (ns); never back."""
        while self._entries and self._entries[0][0] <= time:
            due, _, act = heapq.heappop(self._entries)
            self.now = max(self.now, due)
            act()
        self.now = max(self.now, time)

    @property
    def next(self) -> int | None:
        """When something happens next; None for never."""
        return self._entries[0][0] if self._entries else None
