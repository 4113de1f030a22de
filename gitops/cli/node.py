"""`orch node …`: hosts as the scheduler sees them."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json, Limit, Short, Verbose
from gitops.cli.say import say, say_json


def status(
    name: Annotated[
        str, typer.Argument(metavar="[NODE]", help="Host name, or the start of an id; none: all.")
    ] = "",
    limit: Limit = "",
    short: Short = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show all nodes, or one with its resources and allocations."""
    from gitops.cli import reading_node
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose, short=short)
    answer = finished(reading_node.nodes(name, limit, view))
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)
