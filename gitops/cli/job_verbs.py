"""Commands that decide something about a recorded job beside its file, and drive it on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.asked import look_of
from gitops.cli.deployment import Groups
from gitops.cli.loop import finished
from gitops.cli.options import CheckIndex, Detach, JobId, Json, NoColor, Verbose, Yes, seconds
from gitops.cli.say import say, say_json

if TYPE_CHECKING:
    from gitops.cli.restarting import BatchSize


def _pause(text: str | float) -> float:
    """Return a duration in seconds, which may be 0."""
    if text == "ask":
        raise typer.BadParameter("nobody is asked between two batches; give a duration")
    return 0.0 if text in ("0", "0s") else seconds(text)


def _only_fail(text: str) -> str:
    if text != "fail":
        raise typer.BadParameter(f"{text!r}: nobody is asked midway; the first error ends it: fail")
    return text


def _batch_size(text: str) -> BatchSize:
    from gitops.cli.restarting import BatchSize

    number = text.removesuffix("%")
    percent = number != text
    known = number.isascii() and number.isdecimal() and int(number) > 0
    if not known or (percent and int(number) > 100):  # noqa: PLR2004 - of a hundred
        raise typer.BadParameter(f"{text!r} is neither a number nor a percentage of allocations")
    return BatchSize(number=int(number), percent=percent)


def revert(
    job: JobId,
    version: Annotated[
        str, typer.Argument(metavar="VERSION|TAG", help="As 'orch history' shows it.")
    ],
    check_index: CheckIndex = None,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Run an older version of a job again, without asking."""
    from gitops.cli import changing

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    raise typer.Exit(finished(changing.revert(job, version, look, check_index)))


def rollback(
    job: Annotated[
        str, typer.Argument(metavar="[JOB]", help="None: all that are not stable, or -to.")
    ] = "",
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="VERSION|COMMIT", help="What to go back to; the last stable version."
        ),
    ] = "",
    check_index: CheckIndex = None,
    yes: Yes = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Run what ran before, and say what to revert in Git."""
    from gitops.cli import changing
    from gitops.cli.driving import Manner

    if to and not job and to.isdecimal():
        raise typer.BadParameter("a version is one of a job: name the job too, or give a commit")
    look = look_of(json=json, verbose=verbose, no_color=no_color)
    manner = Manner(check_index=check_index, asks=not yes)
    raise typer.Exit(finished(changing.rollback(job, to, look, manner)))


def scale(
    words: Annotated[
        list[str], typer.Argument(metavar="JOB [GROUP] COUNT", help="The group may be left out.")
    ],
    check_index: CheckIndex = None,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Run a job with another count, without asking."""
    from gitops.cli import changing

    *place, count = words
    if len(place) not in (1, 2):
        raise typer.BadParameter("write JOB [GROUP] COUNT")
    if not count.isascii() or not count.isdecimal():
        raise typer.BadParameter(f"{count!r} is not a count")
    look = look_of(json=json, verbose=verbose, no_color=no_color)
    raise typer.Exit(finished(changing.scale(place, int(count), look, check_index)))


def evaluate(
    job: JobId,
    force_reschedule: Annotated[
        bool,
        typer.Option("--force-reschedule", help="Do not wait for the delay of reschedules."),
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Look at a job anew, and bring back what is missing."""
    from gitops.cli import changing

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    raise typer.Exit(finished(changing.evaluate(job, look, force=force_reschedule)))


def restart(
    job: JobId,
    group: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="GROUP", help="Only of this group; may repeat."),
    ] = None,
    task: Annotated[str, typer.Option("--task", metavar="TASK", help="Only this task.")] = "",
    everything: Annotated[
        bool, typer.Option("--all-tasks", help="Those too that have ended.")
    ] = False,
    batch_size: Annotated[
        str, typer.Option("--batch-size", metavar="N|P%", help="So many at a time.")
    ] = "1",
    batch_wait: Annotated[
        float,
        typer.Option(
            "--batch-wait", parser=_pause, metavar="DURATION", help="Between two batches; 0s."
        ),
    ] = 0.0,
    reschedule: Annotated[
        bool, typer.Option("--reschedule", help="Stop them, and place others.")
    ] = False,
    on_error: Annotated[
        str, typer.Option("--on-error", parser=_only_fail, metavar="fail", help="End there.")
    ] = "fail",
    yes: Yes = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Restart its running allocations, in batches, each when the last is well."""
    from gitops.cli import restarting

    del on_error  # there is one way
    if reschedule and (task or everything):
        raise typer.BadParameter("-reschedule is for whole allocations, without -task, -all-tasks")
    if task and everything:
        raise typer.BadParameter("-all-tasks is not for one task")
    wish = restarting.Wish(
        groups=tuple(group or ()),
        task=task,
        everything=everything,
        size=_batch_size(batch_size),
        wait=batch_wait,
        reschedules=reschedule,
    )
    look = look_of(json=json, verbose=verbose, no_color=no_color)
    raise typer.Exit(finished(restarting.restart_job(job, wish, look, ask=not yes)))


def promote(
    job: JobId,
    group: Groups = None,
    detach: Detach = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Find the canaries of a job's latest deployment good, and roll on, without asking."""
    from gitops.cli import intervening

    look = look_of(json=json, verbose=verbose, no_color=no_color)
    raise typer.Exit(finished(intervening.promote_job(job, group or (), look, detach=detach)))


def scaling_events(job: JobId, json: Json = False, verbose: Verbose = False) -> None:
    """Show by whose hand counts have changed, newest first."""
    from gitops.cli import job_reading

    del verbose  # there is no more to show
    answer = job_reading.scaling_events(job)
    say_json(answer.data) if json else say(answer.text)
