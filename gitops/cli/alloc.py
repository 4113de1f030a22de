"""`orch alloc …`: one allocation, looked at and handled."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Escape, Json, Stdin, Tty, Verbose, terminal
from gitops.cli.say import say, say_json

TaskArgument = Annotated[str, typer.Argument(metavar="[TASK]", help="Only this task.")]
TaskFlag = Annotated[str, typer.Option("--task", metavar="TASK", help="Only this task.")]
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
    job: Annotated[bool, typer.Option("--job", help="ALLOC is a job: any that runs.")] = False,
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
    job: Annotated[bool, typer.Option("--job", help="ALLOC is a job: any that runs.")] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="stdout (the default).")] = False,
    stderr: Annotated[bool, typer.Option("--stderr", help="stderr.")] = False,
    follow: Annotated[bool, typer.Option("-f", help="Go on as it comes; both streams.")] = False,
    tail: Annotated[bool, typer.Option("--tail", help="Only the end: 10 lines.")] = False,
    lines: Annotated[
        int | None, typer.Option("-n", min=0, metavar="LINES", help="How many lines of it.")
    ] = None,
    size: Annotated[
        int | None, typer.Option("-c", min=0, metavar="BYTES", help="How many bytes of it.")
    ] = None,
) -> None:
    """Print what one task has written, or follow it."""
    from executors.logs import LogStream, Tail
    from gitops.cli import output, sources

    both = stdout == stderr
    named = ((LogStream.STDOUT, stdout), (LogStream.STDERR, stderr))
    chosen = tuple(s for s, wanted in named if wanted or (both and (follow or stdout)))
    streams = chosen or (LogStream.STDOUT,)
    ends = tail or lines is not None or size is not None
    wanted = sources.Wanted(
        name=alloc,
        task=only or task,
        follow=follow,
        tail=Tail(lines=lines if size or lines is not None else 10, size=size) if ends else None,
        streams=streams,
        one=True,
        by_job=job,
    )
    # One stream alone is what was asked for: it is data.
    outs = {LogStream.STDERR: sys.stderr.buffer, LogStream.STDOUT: sys.stdout.buffer}
    if len(streams) == 1:
        outs = {streams[0]: sys.stdout.buffer}
    finished(output.show(wanted, outs))
