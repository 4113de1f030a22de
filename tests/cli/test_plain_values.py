"""Values that are taken as they are come out as typer would have read them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer

from gitops.cli.plain_values import plainly
from tests.cli.place import process_environment


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def _doubled(text: str) -> str:
    return text * 2


def _read(argv: Sequence[str], *, as_it_is: bool) -> object:
    """Return what a command is called with, or the error's words."""
    app = typer.Typer(add_completion=False)
    seen: list[dict[str, Any]] = []

    @app.command()
    def command(  # noqa: PLR0913  # pyright: ignore[reportUnusedFunction]
        words: list[str] | None = None,
        *,
        text: str = "",
        none: str | None = None,
        both: Annotated[list[str] | None, typer.Option()] = None,
        word: Literal["true", "false"] = "true",
        colour: Colour = Colour.RED,
        number: Annotated[int | None, typer.Option(min=1)] = None,
        half: float = 0.5,
        own: Annotated[str, typer.Option(parser=_doubled)] = "x",
        maybe: bool | None = None,
    ) -> None:
        seen.append(dict(locals()))

    built: Any = typer.main.get_command(app)
    if as_it_is:
        for parameter in built.params:
            plainly(parameter)
    try:
        built.main(args=list(argv), prog_name="p", standalone_mode=False)
    except Exception as e:
        return type(e), str(getattr(e, "message", ""))
    return {k: repr(v) for k, v in seen[0].items() if k != "seen"}


@pytest.mark.parametrize(
    "argv",
    [
        "",
        "--words a --words b",
        "--text a --none b --both c --both d",
        "--text= --none=",
        "--word false --colour blue --number 3 --half 2 --own ab --maybe",
        "--no-maybe --number 1",
        "--colour green",
        "--word maybe",
        "--number 0",
        "--number x",
        "--half x",
        "--frob",
    ],
)
def test_plain_values_are_what_typer_makes_of_them(argv: str) -> None:
    assert _read(argv.split(), as_it_is=True) == _read(argv.split(), as_it_is=False)


def test_a_command_does_without_the_library_that_converts_values(tmp_path: Path) -> None:
    """Importing it is more than half of what a short command takes."""
    (tmp_path / "a.hcl").write_text('a = "b"\n')
    program = (
        "import sys; from gitops.cli.program import run; "
        "code = run(['fmt', '-check', 'a.hcl']); "
        "sys.exit(code or sum(m.partition('.')[0] == 'pydantic' for m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=process_environment({}),
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
