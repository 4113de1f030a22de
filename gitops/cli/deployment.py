"""`orch deployment …`: the rolling out of job versions."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops.cli.options import Json, Verbose
from gitops.cli.say import say, say_json


def listed(json: Json = False, verbose: Verbose = False) -> None:
    """Show all deployments, newest first."""
    from gitops.cli import reading_decisions
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose)
    answer = reading_decisions.deployments(reading_decisions.read(), view)
    say_json(answer.data) if json else say(answer.text)


def status(
    deployment: Annotated[
        str, typer.Argument(metavar="[DEPLOYMENT]", help="The start of its id; none: all.")
    ] = "",
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show one deployment with the progress of each group."""
    from gitops.cli import reading_decisions
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose)
    recorded = reading_decisions.read()
    if deployment:
        answer = reading_decisions.deployment(deployment, recorded, view)
    else:
        answer = reading_decisions.deployments(recorded, view)
    say_json(answer.data) if json else say(answer.text)
