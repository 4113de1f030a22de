"""`orch ledger …`: where decisions are recorded, whether that works, and what to do if not."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json, Yes
from gitops.cli.say import say, say_json

Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without", metavar="HOST", help="Go on though this host can't be asked; may repeat."
    ),
]


def status(json: Json = False) -> None:
    """Show where the ledger is, and the runs in progress."""
    from gitops.cli import ledger_reading

    answer = ledger_reading.status(time.time_ns())
    say_json(answer.data) if json else say(answer.text)


def check(json: Json = False) -> None:
    """Try whether the place can carry a ledger."""
    from gitops.cli import ledger_reading

    answer = ledger_reading.check()
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)


def repair(
    accept: Annotated[
        bool, typer.Option("--accept", help="Go on from what is there; what was lost stays lost.")
    ] = False,
    without: Without = None,
    yes: Yes = False,
) -> None:
    """Show lost decisions; put them back, or accept the loss."""
    from gitops.cli import ledger_repair

    finished(ledger_repair.repair(tuple(without or ()), accept=accept, ask=not yes))


def rebuild(
    without: Without = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if the ledger is sound, or can be put back.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Write a new ledger from what the hosts know."""
    from gitops.cli import ledger_repair

    finished(ledger_repair.rebuild(tuple(without or ()), force=force, ask=not yes))
