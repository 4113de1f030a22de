"""`orch node …`: hosts as the scheduler sees them."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json, Limit, NoColor, Short, Verbose, Yes, seconds
from gitops.cli.say import coloured, say, say_json


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


NodeName = Annotated[str, typer.Argument(metavar="NODE", help="Host name, or the start of an id.")]
Enable = Annotated[bool, typer.Option("--enable", help="Begin; or take new allocations.")]
Disable = Annotated[bool, typer.Option("--disable", help="End; or take none.")]


def eligibility(
    node: NodeName, enable: Enable = False, disable: Disable = False, json: Json = False
) -> None:
    """Say whether a node takes new allocations; what runs there stays."""
    from gitops.cli import draining

    _one_of(enable, disable)
    answer = draining.set_eligibility(node, eligible=enable)
    say_json(answer.data) if json else say(answer.text)


def drain(
    node: NodeName,
    enable: Enable = False,
    disable: Disable = False,
    deadline: Annotated[
        float,
        typer.Option(
            "--deadline", parser=seconds, metavar="DURATION", help="Then all go at once; 1h."
        ),
    ] = 3600.0,
    force: Annotated[bool, typer.Option("--force", help="All go at once.")] = False,
    no_deadline: Annotated[
        bool, typer.Option("--no-deadline", help="However long batch jobs take.")
    ] = False,
    ignore_system: Annotated[
        bool, typer.Option("--ignore-system", help="System jobs stay.")
    ] = False,
    keep_ineligible: Annotated[
        bool, typer.Option("--keep-ineligible", help="With -disable: take nothing new.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Move away what runs on a node, at its jobs' pace."""
    from gitops.cli import draining
    from gitops.cli.look import Look
    from planner.node_record import DrainStrategy

    _one_of(enable, disable)
    if force and no_deadline:
        raise typer.BadParameter("-force and -no-deadline exclude each other")
    if disable:
        answer = draining.disable(node, keep_ineligible=keep_ineligible)
        say_json(answer.data) if json else say(answer.text)
        return
    nanoseconds = 0 if force else -1 if no_deadline else int(deadline * 1e9)
    strategy = DrainStrategy(
        deadline=nanoseconds, ignore_system=ignore_system, started=time.time_ns()
    )
    look = Look(json=json, verbose=verbose, colour=coloured(sys.stdout, no_color))
    raise typer.Exit(finished(draining.drain(node, strategy, look, ask=not yes)))


def _one_of(enable: bool, disable: bool) -> None:
    if enable == disable:
        raise typer.BadParameter("give either -enable or -disable")
