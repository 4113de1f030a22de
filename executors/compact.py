"""Values of which a fleet has tens of thousands, in little memory: equal to the plain ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from struct import pack, unpack
from typing import TypeVar, overload

from planner.observed import TaskEvent

T = TypeVar("T")


class Entry(Mapping[str, T]):
    """A mapping with one key."""

    __slots__ = ("_key", "_value")

    def __init__(self, key: str, value: T) -> None:
        self._key = key
        self._value = value

    def __getitem__(self, key: str) -> T:
        if key != self._key:
            raise KeyError(key)
        return self._value

    def __iter__(self) -> Iterator[str]:
        yield self._key

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return repr(dict(self))


def compact(values: Mapping[str, T]) -> Mapping[str, T]:
    """Return an equal mapping that takes less memory, where it has a single key."""
    if len(values) != 1:
        return values
    ((key, value),) = values.items()
    return Entry(key, value)


def ports_of(pairs: Sequence[tuple[str, int]]) -> Mapping[str, int]:
    """Return the mapping; of one port it is the same one for all that have it, on any host."""
    return _one_port(*pairs[0]) if len(pairs) == 1 else dict(pairs)


@lru_cache(maxsize=16_384)
def _one_port(label: str, port: int) -> Mapping[str, int]:
    return Entry(label, port)


class Events(Sequence[TaskEvent]):
    """A task's events, made when somebody asks for them. Their words are shared by all tasks."""

    __slots__ = ("_times", "_words")

    def __init__(self, times: Sequence[int], words: tuple[tuple[str, ...], ...]) -> None:
        self._times = pack(f"{len(times)}Q", *times)
        self._words = _shared(words)

    @classmethod
    def of(cls, told: Iterable[Sequence[str]]) -> Events:
        """Take each event's words: any one, the time in ns, the type, the message, details."""
        return cls([int(w[1]) for w in told], tuple([tuple(w[2:]) for w in told]))

    def _events(self) -> tuple[TaskEvent, ...]:
        times = unpack(f"{len(self._words)}Q", self._times)
        return tuple(map(_event, times, self._words))

    @overload
    def __getitem__(self, index: int) -> TaskEvent: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[TaskEvent, ...]: ...
    def __getitem__(self, index: int | slice) -> TaskEvent | tuple[TaskEvent, ...]:
        return self._events()[index]

    def __iter__(self) -> Iterator[TaskEvent]:
        return iter(self._events())

    def __len__(self) -> int:
        return len(self._words)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Events):
            return self._times == other._times and self._words == other._words
        return isinstance(other, tuple) and self._events() == other

    def __hash__(self) -> int:
        return hash(self._events())

    def __repr__(self) -> str:
        return repr(self._events())


@lru_cache(maxsize=4096)
def _shared(words: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Return the first one of those that are equal."""
    return words


def _event(time: int, words: tuple[str, ...]) -> TaskEvent:
    kind, message, *details = words
    pairs = (word.split("=", 1) for word in details if "=" in word)
    return TaskEvent(time=time, type=kind, message=message, details=dict(pairs))
