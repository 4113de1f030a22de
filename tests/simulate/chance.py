"""Every draw of one simulation comes from one seed, in streams by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Chance:
    """Draws that are the same for the same seed and name."""

    seed: int
    name: str = ""
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/{self.name}")  # noqa: S311 - it is to be repeatable

    def stream(self, name: str) -> Chance:
        return Chance(self.seed, f"{self.name}/{name}")

    def happens(self, probability: float) -> bool:
        return self._random.random() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random.random()

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def one_of(self, items: Sequence[T]) -> T:
        return items[int(self._random.random() * len(items))]

    def some_of(self, items: Sequence[T], most: int) -> list[T]:
        return self._random.sample(items, min(len(items), self.number(0, most)))

    def id(self) -> str:
        text = f"{self._random.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
