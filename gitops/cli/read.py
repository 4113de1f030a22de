"""Commands that only read: status, logs, history, inspect."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import (
    ByJob,
    Escape,
    Evals,
    Interval,
    JobId,
    Json,
    Short,
    Stdin,
    Tty,
    Verbose,
    Watch,
    ago,
    terminal,
    watched,
)
from gitops.cli.say import say, say_json


def status(
    job: Annotated[
        str, typer.Argument(metavar="[ID]", help="Of anything, or its start; none: all jobs.")
    ] = "",
    short: Short = False,
    evals: Evals = False,
    json: Json = False,
    verbose: Verbose = False,
    watch: Watch = False,
    interval: Interval = 0.0,
) -> None:
    """Show all jobs, or whatever an id is the id of."""
    from gitops.cli.status import Asked, show_status

    asked = Asked(name=job, short=short, evals=evals, verbose=verbose)
    raise typer.Exit(show_status(asked, watched(watch, interval), json=json))


def logs(
    job: Annotated[str, typer.Argument(metavar="JOB|ALLOC", help="Id, or the start of one.")],
    task: Annotated[str, typer.Argument(metavar="[TASK]", help="Only this task.")] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it comes.")] = False,
    lines: Annotated[
        int | None, typer.Option("-n", "--tail", min=0, help="Only the last lines.")
    ] = None,
    since: Annotated[
        int,
        typer.Option("--since", parser=ago, metavar="DURATION", help="Not what is older: 10m."),
    ] = 0,
    stderr: Annotated[bool, typer.Option("--stderr", help="stderr instead of stdout.")] = False,
) -> None:
    """Print what tasks have written, or follow it."""
    from executors.logs import LogStream, Tail
    from gitops.cli import output, sources

    stream = LogStream.STDERR if stderr else LogStream.STDOUT
    wanted = sources.Wanted(
        name=job,
        task=task,
        follow=follow,
        tail=None if lines is None and not since else Tail(lines=lines, since=since),
        streams=(stream,),
    )
    finished(output.show(wanted, {stream: sys.stdout.buffer}))


def execute(
    words: Annotated[
        list[str],
        typer.Argument(metavar="ALLOC [TASK] -- COMMAND...", help="Where, and what to run there."),
    ],
    task: Annotated[str, typer.Option("--task", metavar="TASK", help="Only this task.")] = "",
    job: ByJob = False,
    stdin: Stdin = True,
    tty: Tty = None,
    escape: Escape = "~",
) -> None:
    """Run a command beside a task, as that task."""
    from gitops.cli import executing

    at = words.index("--") if "--" in words else 1
    if at > 2:  # noqa: PLR2004
        raise typer.BadParameter("write ALLOC [TASK] -- COMMAND...")
    place, argv = words[:at], words[at + (words[at : at + 1] == ["--"]) :]
    wanted = executing.Wanted(
        name=place[0],
        task=task or "".join(place[1:]),
        by_job=job,
        argv=argv,
        stdin=stdin,
        terminal=terminal(tty, stdin),
        escape=escape,
    )
    raise typer.Exit(finished(executing.execute(wanted)))


def history(
    job: JobId,
    diffs: Annotated[
        bool, typer.Option("-p", "--diffs", help="What each version changed.")
    ] = False,
    version: Annotated[
        int | None, typer.Option("--version", min=0, help="Only that version.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the versions of a job."""
    from gitops.cli import job_reading

    answer = job_reading.history(job, diffs=diffs, version=version)
    say_json(answer.data) if json else say(answer.text)


def inspect(
    job: JobId,
    version: Annotated[int | None, typer.Option("--version", min=0, help="That version.")] = None,
    json: Json = False,
) -> None:
    """Print the recorded spec of a job as JSON."""
    from gitops.cli import reading

    del json  # it is JSON anyway
    say_json(reading.inspect(job, version))
