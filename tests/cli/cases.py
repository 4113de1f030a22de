"""What a case of bad input is, and what must hold for every one of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.cli.place import Place, Said, assert_fit_to_read

# Said while a host takes its time.
_PATIENCE = re.compile(r"^Observed .*\n", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One bad input: how it comes about, the command, and what must be said about it.

    `words` must all be in what is printed; `out` are words of stdout, which else must be empty.
    """

    name: str
    argv: str | tuple[str, ...] = "plan"
    given: Callable[[Place], object] = lambda _: None
    words: tuple[str, ...]
    code: int = 1
    out: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def all_of(*steps: Callable[[Place], object]) -> Callable[[Place], None]:
    """Return one step that takes several."""

    def take(place: Place) -> None:
        for step in steps:
            step(place)

    return take


def cases(*those: Case) -> pytest.MarkDecorator:
    """Parametrise a test by cases."""
    assert len({c.name for c in those}) == len(those)
    return pytest.mark.parametrize("case", those, ids=str)


def check(case: Case, place: Place) -> Said:
    """Run the command: the message is there and nothing has moved."""
    case.given(place)
    before = place.print_of()
    said = place.orch(*(case.argv.split() if isinstance(case.argv, str) else case.argv))
    assert said.code == case.code, said
    assert_fit_to_read(said)
    for words in case.words:
        assert words in said.err, said.err
    for words in case.out:
        assert words in said.out, said.out
    if not case.out:
        assert said.out == ""
    if case.code == 1 and not case.out:
        assert _PATIENCE.sub("", said.err).startswith("Error: ")
    assert place.print_of() == before
    return said
