"""`orch host …`: hosts that orch can use: what they lack."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json

_Pattern = Annotated[
    str, typer.Argument(metavar="[PATTERN]", help="Which hosts; none: all of the inventory.")
]


def check(
    pattern: _Pattern = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", envvar="ORCH_VERBOSE", help="All that was looked at.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what hosts lack, and how to mend it; changes nothing."""
    from gitops.cli import host_checking

    raise typer.Exit(finished(host_checking.check(pattern, verbose=verbose, json=json)))
