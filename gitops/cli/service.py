"""`orch service …`: what runs under which name."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json, Verbose
from gitops.cli.say import say, say_json


def listed(json: Json = False) -> None:
    """Show the services of all allocations that run."""
    from gitops.cli import reading_services

    answer = finished(reading_services.services())
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)


def info(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Name, or the start of one.")],
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show where a service runs: addresses, allocations, nodes."""
    from gitops.cli import reading_services
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose)
    answer = finished(reading_services.service(service, view))
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)
