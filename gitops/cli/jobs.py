"""Commands on recorded jobs: their status, allocations and deployments; stop and start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.asked import look_of
from gitops.cli.loop import finished
from gitops.cli.options import (
    Evals,
    Interval,
    JobId,
    JobIds,
    Json,
    NoColor,
    Short,
    Verbose,
    Watch,
    watched,
)
from gitops.cli.say import say, say_json

if TYPE_CHECKING:
    from gitops.view.options import StatusView


def status(
    job: Annotated[
        str, typer.Argument(metavar="[JOB]", help="Id, or the start of one; none: all jobs.")
    ] = "",
    short: Short = False,
    evals: Evals = False,
    json: Json = False,
    verbose: Verbose = False,
    watch: Watch = False,
    interval: Interval = 0.0,
) -> None:
    """Show all jobs, or one with its allocations."""
    from gitops.cli.status import Asked, show_status

    asked = Asked(name=job, short=short, evals=evals, verbose=verbose, jobs_only=True)
    raise typer.Exit(show_status(asked, watched(watch, interval), json=json))


def allocs(job: JobId, json: Json = False, verbose: Verbose = False) -> None:
    """Show the allocations of a job, those too that have ended."""
    from gitops.cli import reading

    answer = finished(reading.allocations(job, _view(verbose=verbose)))
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)


def deployments(
    job: JobId,
    latest: Annotated[bool, typer.Option("--latest", help="Only the latest, in full.")] = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show the deployments of a job, newest first."""
    from gitops.cli import reading_decisions

    answer = reading_decisions.deployments_of(job, _view(verbose=verbose), latest=latest)
    say_json(answer.data) if json else say(answer.text)


def stop(
    jobs: JobIds,
    purge: Annotated[
        bool, typer.Option("--purge", help="Forget the job and its history too.")
    ] = False,
    auto_approve: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", "--auto-approve", envvar="ORCH_AUTO_APPROVE", help="Do not ask."
        ),
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Stop jobs and all their allocations."""
    from gitops.cli import flow

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    raise typer.Exit(finished(flow.stop(jobs, look, purge=purge, ask=not auto_approve)))


def start(
    jobs: JobIds, json: Json = False, verbose: Verbose = False, no_color: NoColor = False
) -> None:
    """Run stopped jobs again as they are recorded, without asking."""
    from gitops.cli import flow

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    raise typer.Exit(finished(flow.start(jobs, look)))


def _view(*, verbose: bool, short: bool = False, evals: bool = False) -> StatusView:
    from gitops.view.options import StatusView

    return StatusView(now=time.time_ns(), verbose=verbose, short=short, evals=evals)
