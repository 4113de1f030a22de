"""`orch host …`: what hosts lack, and making them fit."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json, Yes

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


def trust(
    pattern: _Pattern = "",
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Changed keys too, of hosts that PATTERN names one by one."),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", envvar="ORCH_VERBOSE", help="Keys that are trusted too.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Show the host keys of hosts, and write those that are new to known_hosts."""
    from gitops.cli import host_trusting

    wanted = host_trusting.Trusting(
        pattern=pattern, replace=replace, ask=not yes, verbose=verbose, json=json
    )
    raise typer.Exit(finished(host_trusting.trust(wanted)))


def setup(
    pattern: _Pattern = "",
    profile: Annotated[
        bool, typer.Option("--profile", help="Print what hosts have to grant; ask none of them.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Enrol hosts: their data directory and node id, shown first."""
    from gitops.cli import host_setup

    if profile:
        host_setup.show_profile(pattern, json=json)
    else:
        raise typer.Exit(finished(host_setup.set_up(pattern, ask=not yes, json=json)))
