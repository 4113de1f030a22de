"""A value made in short is what the standard library would have made."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from inventory import values


@values.dataclass(frozen=True, slots=True)
class Ours:
    """Two, one with a default, one made anew, one that is not compared."""

    a: int
    b: str = "b"
    c: list[int] = dataclasses.field(default_factory=list[int], repr=False)
    d: int = dataclasses.field(default=0, compare=False)
    CLASS: ClassVar[int] = 1

    @property
    def twice(self) -> int:
        return self.a * 2


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    """Two, one with a default, one made anew, one that is not compared."""

    a: int
    b: str = "b"
    c: list[int] = dataclasses.field(default_factory=list[int], repr=False)
    d: int = dataclasses.field(default=0, compare=False)
    CLASS: ClassVar[int] = 1

    @property
    def twice(self) -> int:
        return self.a * 2


@values.dataclass(frozen=True, slots=True, kw_only=True)
class Named(Ours):
    e: int


@values.dataclass(frozen=True, slots=True)
class Nothing:
    pass


@values.dataclass(frozen=True, slots=True)
class Shown:
    """Has a form of its own."""

    a: int

    def __repr__(self) -> str:
        return "shown"

    def __hash__(self) -> int:
        return 7


USES: dict[str, Callable[[Any], Any]] = {
    "repr": lambda k: repr(k(1, "x")).replace("Theirs", "Ours"),
    "positions": lambda k: [getattr(k(1, "x", [2], 3), n) for n in "abcd"],
    "equal": lambda k: (k(1), k(1) == k(1), k(1) != k(2), k(1, d=5) == k(1), k(1) == 1)[1:],
    "other class": lambda k: k(1) == Named(a=1, e=2),
    "made anew": lambda k: k(1).c is k(1).c,
    "replace": lambda k: dataclasses.asdict(dataclasses.replace(k(1), b="z")),
    "names": lambda k: [f.name for f in dataclasses.fields(k)],
    "match": lambda k: k.__match_args__,
    "slots": lambda k: (k.__slots__, hasattr(k(1), "__dict__")),
    "copied": lambda k: dataclasses.asdict(copy.deepcopy(copy.copy(k(1, c=[1])))),
    "pickled": lambda k: dataclasses.asdict(pickle.loads(pickle.dumps(k(1, c=[1])))),  # noqa: S301
    "is one": dataclasses.is_dataclass,
    "about": lambda k: (k.__doc__, k.CLASS, k(2).twice),
    "set": lambda k: setattr(k(1), "a", 2),
    "delete": lambda k: delattr(k(1), "a"),
    "missing": lambda k: k(),
    "too many": lambda k: k(1, 2, 3, 4, 5),
    "unknown": lambda k: k(1, z=1),
    "unhashable": lambda k: hash(k(1)),
}


def _outcome(use: Callable[[Any], Any], kind: type[Any]) -> object:
    try:
        return use(kind)
    except (AttributeError, TypeError) as e:
        return type(e), str(e).replace("Theirs", "Ours")


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_value_behaves_as_one_of_the_standard_library(use: Callable[[Any], Any]) -> None:
    assert _outcome(use, Ours) == _outcome(use, Theirs)


def test_values_can_be_keys_be_inherited_and_have_a_form_of_their_own() -> None:
    assert {Nothing(): 1}[Nothing()] == 1
    assert (repr(Nothing()), repr(Shown(1)), hash(Shown(1))) == ("Nothing()", "shown", 7)
    assert Shown(1) == Shown(1)
    assert [getattr(Named(a=1, e=2), n) for n in "abe"] == [1, "b", 2]
    assert Named(a=1, e=2) != Ours(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Named(a=1, e=2).a = 2  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
