"""`orch deployment …`: the rolling out of job versions."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops.cli.asked import look_of
from gitops.cli.loop import finished
from gitops.cli.options import Detach, Json, NoColor, Verbose
from gitops.cli.say import say, say_json

DeploymentId = Annotated[str, typer.Argument(metavar="DEPLOYMENT", help="The start of its id.")]
Groups = Annotated[
    list[str] | None,
    typer.Option("--group", metavar="GROUP", help="Only this group; may be repeated."),
]


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


def promote(
    deployment: DeploymentId,
    group: Groups = None,
    detach: Detach = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Find the canaries of a deployment good, and roll on, without asking."""
    from gitops.cli import intervening

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    raise typer.Exit(finished(intervening.promote(deployment, group or (), look, detach=detach)))


def fail(
    deployment: DeploymentId,
    detach: Detach = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """End a deployment as failed; back to the last stable version where auto_revert says so."""
    from gitops.cli import intervening
    from planner.request import Verb

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    work = intervening.intervene(Verb.FAIL, deployment, look, detach=detach)
    raise typer.Exit(finished(work))


def pause(
    deployment: DeploymentId,
    detach: Detach = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Let a deployment rest: what it has begun goes on, and nothing more is begun."""
    from gitops.cli import intervening
    from planner.request import Verb

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    work = intervening.intervene(Verb.PAUSE, deployment, look, detach=detach)
    raise typer.Exit(finished(work))


def resume(
    deployment: DeploymentId,
    detach: Detach = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Let a deployment go on, and drive it to its end."""
    from gitops.cli import intervening
    from planner.request import Verb

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    work = intervening.intervene(Verb.RESUME, deployment, look, detach=detach)
    raise typer.Exit(finished(work))


def health(
    deployment: DeploymentId,
    healthy: Annotated[
        list[str] | None,
        typer.Option("--healthy", metavar="ALLOC", help="It is; may be repeated."),
    ] = None,
    unhealthy: Annotated[
        list[str] | None,
        typer.Option("--unhealthy", metavar="ALLOC", help="It is not; may be repeated."),
    ] = None,
    detach: Detach = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Say whether allocations are healthy, and roll on: for health_check = "manual"."""
    from gitops.cli import intervening

    if not healthy and not unhealthy:
        raise typer.BadParameter("name allocations with -healthy or -unhealthy")
    look = look_of(json=json, verbose=verbose, no_color=no_color)
    work = intervening.health(deployment, healthy or (), unhealthy or (), look, detach=detach)
    raise typer.Exit(finished(work))
