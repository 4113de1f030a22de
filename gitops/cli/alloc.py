"""`orch alloc …`: one allocation, looked at and handled."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import ByJob, Escape, Json, Stdin, Tty, Verbose, terminal
from gitops.cli.say import say, say_json

if TYPE_CHECKING:
    from executors.logs import Tail

TaskArgument = Annotated[str, typer.Argument(metavar="[TASK]", help="Only this task.")]
TaskFlag = Annotated[str, typer.Option("--task", metavar="TASK", help="Only this task.")]
Lines = Annotated[
    int | None, typer.Option("-n", min=0, metavar="LINES", help="How many lines of the end.")
]
Bytes = Annotated[
    int | None, typer.Option("-c", min=0, metavar="BYTES", help="How many bytes of the end.")
]
Alloc = Annotated[str, typer.Argument(metavar="ALLOC", help="The start of its id.")]


def status(
    alloc: Alloc,
    short: Annotated[bool, typer.Option("--short", help="Only the tasks' last events.")] = False,
    stats: Annotated[bool, typer.Option("--stats", help="What tasks use, in detail.")] = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show an allocation: addresses, checks, what its tasks use."""
    from gitops.cli import reading_alloc
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose, short=short, stats=stats)
    answer = finished(reading_alloc.alloc(alloc, view))
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)


def fs(
    alloc: Alloc,
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="Below its directory; none: all of that.")
    ] = "",
    exact: Annotated[bool, typer.Option("-H", help="Sizes in bytes.")] = False,
    stat: Annotated[
        bool, typer.Option("--stat", help="What it is, instead of its content.")
    ] = False,
    follow: Annotated[bool, typer.Option("-f", help="A file: go on as it grows.")] = False,
    tail: Annotated[bool, typer.Option("--tail", help="A file: only the end, 10 lines.")] = False,
    lines: Lines = None,
    size: Bytes = None,
    job: ByJob = False,
    json: Annotated[
        bool,
        typer.Option("--json", envvar="ORCH_JSON", help="Print JSON; of a file what it is."),
    ] = False,
) -> None:
    """List its directory, or print a file in it."""
    from executors.alloc_files import What
    from gitops.cli import files

    shows = What.FOLLOW if follow else What.DESCRIBE if json else What.SHOW
    wanted = files.Wanted(
        name=alloc,
        path=path,
        by_job=job,
        what=What.STAT if stat else shows,
        tail=_end(tail, lines, size),
        exact=exact,
        json=json,
    )
    finished(files.show(wanted))


def checks(alloc: Alloc, json: Json = False) -> None:
    """Make the checks of its services once, and show what each says."""
    from gitops.cli import reading_alloc

    answer = finished(reading_alloc.checks(alloc))
    say_json(answer.data) if json else say(answer.text)
    raise typer.Exit(answer.exit_code)


def restart(
    alloc: Alloc,
    task: TaskArgument = "",
    only: TaskFlag = "",
    everything: Annotated[
        bool, typer.Option("--all-tasks", help="Those too that have ended.")
    ] = False,
) -> None:
    """Restart its running tasks, or one of them."""
    from gitops.cli import handling

    finished(handling.restart(alloc, only or task, everything=everything))


def signal(
    alloc: Alloc,
    task: TaskArgument = "",
    only: TaskFlag = "",
    signal: Annotated[str, typer.Option("-s", metavar="SIGNAL", help="Which one.")] = "SIGKILL",
) -> None:
    """Send a signal to its running tasks, or to one."""
    from gitops.cli import handling

    finished(handling.send(alloc, only or task, signal))


def stop(alloc: Alloc, json: Json = False, verbose: Verbose = False) -> None:
    """Stop it, and place another one of its name."""
    from gitops.cli import handling
    from gitops.cli.look import Look

    raise typer.Exit(finished(handling.stop(alloc, Look(json=json, verbose=verbose))))


def execute(
    words: Annotated[
        list[str], typer.Argument(metavar="ALLOC COMMAND...", help="Its id's start; the command.")
    ],
    task: TaskFlag = "",
    job: ByJob = False,
    stdin: Stdin = True,
    tty: Tty = None,
    escape: Escape = "~",
) -> None:
    """Run a command beside a task, as that task."""
    from gitops.cli import executing

    name, *argv = words[:1] + (words[2:] if words[1:2] == ["--"] else words[1:])
    wanted = executing.Wanted(
        name=name,
        task=task,
        by_job=job,
        argv=argv,
        stdin=stdin,
        terminal=terminal(tty, stdin),
        escape=escape,
    )
    raise typer.Exit(finished(executing.execute(wanted)))


def logs(
    alloc: Alloc,
    task: TaskArgument = "",
    only: TaskFlag = "",
    job: ByJob = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="stdout (the default).")] = False,
    stderr: Annotated[bool, typer.Option("--stderr", help="stderr.")] = False,
    follow: Annotated[bool, typer.Option("-f", help="Go on as it comes; both streams.")] = False,
    tail: Annotated[bool, typer.Option("--tail", help="Only the end: 10 lines.")] = False,
    lines: Lines = None,
    size: Bytes = None,
) -> None:
    """Print what one task has written, or follow it."""
    from executors.logs import LogStream
    from gitops.cli import output, sources

    both = stdout == stderr
    named = ((LogStream.STDOUT, stdout), (LogStream.STDERR, stderr))
    chosen = tuple(s for s, wanted in named if wanted or (both and (follow or stdout)))
    streams = chosen or (LogStream.STDOUT,)
    wanted = sources.Wanted(
        name=alloc,
        task=only or task,
        follow=follow,
        tail=_end(tail, lines, size),
        streams=streams,
        one=True,
        by_job=job,
    )
    # One stream alone is what was asked for: it is data.
    outs = {LogStream.STDERR: sys.stderr.buffer, LogStream.STDOUT: sys.stdout.buffer}
    if len(streams) == 1:
        outs = {streams[0]: sys.stdout.buffer}
    finished(output.show(wanted, outs))


def _end(tail: bool, lines: int | None, size: int | None) -> Tail | None:
    """Return how much of the end is wanted, or None for all."""
    from executors.logs import Tail

    if not tail and lines is None and size is None:
        return None
    return Tail(lines=lines if size or lines is not None else 10, size=size)
