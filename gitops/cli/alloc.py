"""`orch alloc …`: one allocation, looked at and handled."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from gitops.cli.options import Json, Verbose
from gitops.cli.say import say, say_json

app = typer.Typer(
    name="alloc",
    help="Allocations: look at one, and handle it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Alloc = Annotated[str, typer.Argument(metavar="ALLOC", help="The start of its id.")]


@app.callback()
def alloc() -> None:
    """Allocations: look at one, and handle it."""


@app.command("status")
def status(
    alloc: Alloc,
    short: Annotated[bool, typer.Option("--short", help="Only the tasks' last events.")] = False,
    stats: Annotated[bool, typer.Option("--stats", help="What tasks use, in detail.")] = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show an allocation: addresses, checks, and each task's use and events."""
    from gitops.cli import reading_alloc
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose, short=short, stats=stats)
    answer = asyncio.run(reading_alloc.alloc(alloc, view))
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)
