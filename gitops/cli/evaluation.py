"""`orch eval …`: the planner's looks at jobs, with what each decided and could not place."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops.cli.options import Json, Verbose
from gitops.cli.say import say, say_json


def listed(
    job: Annotated[str, typer.Option("--job", metavar="JOB", help="Only of this job.")] = "",
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show all evaluations, newest first."""
    from gitops.cli import reading_decisions
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose)
    answer = reading_decisions.evaluations(job, reading_decisions.read(), view)
    say_json(answer.data) if json else say(answer.text)


def status(
    evaluation: Annotated[str, typer.Argument(metavar="EVAL", help="The start of its id.")],
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show what an evaluation counted, and what was not placed."""
    from gitops.cli import reading_decisions
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose)
    answer = reading_decisions.evaluation(evaluation, reading_decisions.read(), view)
    say_json(answer.data) if json else say(answer.text)
