"""Help as it is printed: the same text everywhere, 80 columns wide, kept in `help/`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops.cli import program
from gitops.cli.words import every_word

HELP = Path(__file__).parent / "help"
FIRST = ("", *dict.fromkeys(word.partition(" ")[0] for word in every_word()))


def page(first: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The help of a word, and of all that begin with it."""
    words = [w for w in ("", *every_word()) if w == first or (first and w.startswith(f"{first} "))]
    texts: list[str] = []
    for word in words:
        assert program.run([*word.split(), "-h"]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        texts.append(f"$ {f'orch {word}'.strip()} -h\n{said.out}")
    return "\n".join(texts)


@pytest.mark.parametrize("first", FIRST)
def test_help_is_as_it_was(first: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = HELP / f"{first or 'orch'}.txt"
    if os.environ.get("ORCH_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(first, capsys))

    # If it differs: make golden, and read the diff.
    assert path.read_text() == page(first, capsys)


def test_nothing_else_is_kept() -> None:
    assert {p.stem for p in HELP.iterdir()} == {f or "orch" for f in FIRST}


@pytest.mark.parametrize("first", FIRST)
def test_help_is_fit_for_a_terminal(first: str) -> None:
    text = (HELP / f"{first or 'orch'}.txt").read_text()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text.isprintable() or set(text) - {"\n"} <= set(map(chr, range(32, 127)))
    assert "  \n" not in text
    assert "TEXT" not in text, "say what a value is"


def test_the_first_help_fits_a_screen() -> None:
    _, *lines = (HELP / "orch.txt").read_text().splitlines()
    assert len(lines) <= 40


@pytest.mark.parametrize(
    "environment",
    [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"FORCE_COLOR": "1"}, {"COLUMNS": "40"}, {"LINES": "5"}],
)
def test_help_is_the_same_everywhere(
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for first in ("", "plan", "alloc"):
        assert page(first, capsys) == (HELP / f"{first or 'orch'}.txt").read_text()
