"""How many allocations have which value of a property, while one plan stops and places some.

Counts as Nomad does: a value that all have left is still known, with none; and once something was
placed at a value that several have left, one of these is counted on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import ItemsView, Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Uses:
    """The counts by value; None stands for a node that lacks the property, and is not counted."""

    _standing: Counter[str] = field(default_factory=Counter[str])
    _placed: Counter[str] = field(default_factory=Counter[str])
    _left: Counter[str] = field(default_factory=Counter[str])
    _now: dict[str, int] = field(default_factory=dict[str, int])

    def __getitem__(self, value: str) -> int:
        return self._now.get(value, 0)

    def __bool__(self) -> bool:
        return bool(self._now)

    def items(self) -> ItemsView[str, int]:
        """The values that are known, with their counts."""
        return self._now.items()

    def counts(self) -> Iterable[int]:
        """The counts of the known values."""
        return self._now.values()

    def stand(self, value: str | None, number: int = 1) -> None:
        """Count what stood there before."""
        self._change(self._standing, value, number)

    def place(self, value: str | None, number: int = 1) -> None:
        """Count what this plan places, or keeps in place."""
        self._change(self._placed, value, number)

    def leave(self, value: str | None, number: int = 1) -> None:
        """Count what this plan stops; a negative number takes that back."""
        self._change(self._left, value, number)

    def _change(self, counter: Counter[str], value: str | None, number: int) -> None:
        if value is None or not number:
            return
        counter[value] += number
        left = self._left[value]
        if left > 1 and self._placed[value]:
            left -= 1
        self._now[value] = max(self._standing[value] + self._placed[value] - left, 0)
