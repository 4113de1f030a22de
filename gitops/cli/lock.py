"""`orch lock …`: which runs hold jobs, and ending one that does not end by itself."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json
from gitops.cli.say import say, say_json


def status(json: Json = False) -> None:
    """Show runs that hold jobs: holder, commit, age, last entry."""
    from gitops.cli import locking

    answer = locking.status(time.time_ns())
    say_json(answer.data) if json else say(answer.text)


def break_(
    name: Annotated[
        str, typer.Argument(metavar="[JOB|RUN]", help="The run, or a job it holds; the only run.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """End a run for good, and let its jobs go."""
    from gitops.cli import locking
    from gitops.cli.asking import can_ask

    answer = finished(locking.break_(name, force=force, ask=can_ask()))
    say_json(answer.data) if json else say(answer.text)
