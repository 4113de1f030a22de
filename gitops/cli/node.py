"""`orch node …`: hosts as the scheduler sees them."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from gitops.cli.options import Json, Limit, Verbose
from gitops.cli.say import say, say_json

app = typer.Typer(
    name="node",
    help="Hosts as the scheduler sees them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def node() -> None:
    """Hosts as the scheduler sees them."""


@app.command("status")
def status(
    name: Annotated[
        str, typer.Argument(metavar="[NODE]", help="Host name, or the start of an id; none: all.")
    ] = "",
    limit: Limit = "",
    short: Annotated[bool, typer.Option("--short", help="Only the header.")] = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show all nodes, or one with its resources and allocations."""
    from gitops.cli import reading_node
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose, short=short)
    answer = asyncio.run(reading_node.nodes(name, limit, view))
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)
