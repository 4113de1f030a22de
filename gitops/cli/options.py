"""The flags that commands share, each with its ORCH_ variable."""

from __future__ import annotations

import os
import sys
import time
from enum import StrEnum
from typing import Annotated, Literal

import typer

_INTERVAL = 2.0


def _index(text: str | int) -> int:
    if not str(text).isascii() or not str(text).isdigit():
        raise typer.BadParameter(f"{text!r} is not an index; 'orch plan' prints the job's")
    return int(text)


def watched(watch: bool, interval: float) -> float | None:
    """Return the seconds between two looks, by -watch and -interval; None for a single look."""
    if interval and not watch:
        raise typer.BadParameter("'-interval' goes with '-watch'")
    return (interval or _INTERVAL) if watch else None


Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Job files; none: every job of the repository."),
]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id, or the start of one.")]
JobIds = Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids, or the starts of ids.")]
Short = Annotated[bool, typer.Option("--short", help="Only the header.")]
Evals = Annotated[bool, typer.Option("--evals", help="Evaluations too.")]
Detach = Annotated[
    bool, typer.Option("--detach", help="Where a run holds the job, do not wait for its answer.")
]
Json = Annotated[bool, typer.Option("--json", envvar="ORCH_JSON", help="Print JSON.")]


class PlanFormat(StrEnum):
    """What a plan is printed as."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


Format = Annotated[
    PlanFormat,
    typer.Option(
        "--format",
        envvar="ORCH_FORMAT",
        metavar="text|json|markdown",
        help="Markdown is for comments of a forge.",
    ),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", envvar="ORCH_VERBOSE", help="Full ids, all fields.")
]
NoColor = Annotated[
    bool, typer.Option("--no-color", envvar="ORCH_NO_COLOR", help="No colour, even on a terminal.")
]
Var = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Set an HCL variable.")
]
VarFile = Annotated[
    list[str] | None, typer.Option("--var-file", metavar="FILE", help="Read HCL variables.")
]
Hcl2Strict = Annotated[
    Literal["true", "false"],
    typer.Option(
        "--hcl2-strict",
        metavar="true|false",
        help="-hcl2-strict=false: only warn of values for variables that no spec declares.",
    ),
]
Limit = Annotated[
    str, typer.Option("--limit", envvar="ORCH_LIMIT", metavar="PATTERN", help="Only these hosts.")
]
Target = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="ID", help="Only this job; may be repeated."),
]
NoHooks = Annotated[
    bool, typer.Option("--no-hooks", help="Do not run the programs in hooks of the repository.")
]
Lost = Annotated[
    list[str] | None,
    typer.Option(
        "--lost", metavar="HOST", help="It is gone for good: replace what ran there; may repeat."
    ),
]
OnUnreachable = Annotated[
    Literal["fail", "skip"],
    typer.Option(
        "--on-unreachable",
        envvar="ORCH_ON_UNREACHABLE",
        metavar="fail|skip",
        help="Of hosts that do not answer: end before anything, or leave them alone.",
    ),
]
Order = Annotated[
    Literal["", "auto", "start-first", "stop-first"],
    typer.Option(
        "--update-order",
        envvar="ORCH_UPDATE_ORDER",
        metavar="ORDER",
        help="auto, start-first or stop-first: what comes first in an update.",
    ),
]
Parallelism = Annotated[
    int,
    typer.Option(
        "--parallelism",
        min=0,
        max=1000,
        envvar="ORCH_PARALLELISM",
        metavar="N",
        help="So many hosts, jobs and steps at a time.",
    ),
]
Rev = Annotated[
    str, typer.Option("--rev", envvar="ORCH_REV", metavar="COMMIT", help="Read that commit.")
]
CheckIndex = Annotated[
    int | None,
    typer.Option(
        "--check-index",
        parser=_index,
        envvar="ORCH_CHECK_INDEX",
        metavar="N",
        help="Only if the job's modify index is still N (0: no such job).",
    ),
]
AutoApprove = Annotated[
    bool, typer.Option("--auto-approve", envvar="ORCH_AUTO_APPROVE", help="Do not ask.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", envvar="ORCH_AUTO_APPROVE", help="Do not ask.")]
AllowDirty = Annotated[
    bool,
    typer.Option("--allow-dirty", envvar="ORCH_ALLOW_DIRTY", help="Apply what is not committed."),
]
IgnoreUnsupported = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore-unsupported",
        envvar="ORCH_IGNORE_UNSUPPORTED",
        metavar="BLOCK",
        help="Apply without this block, which orch does not honour yet.",
    ),
]

ByJob = Annotated[bool, typer.Option("--job", help="ALLOC is a job: any that runs.")]
Stdin = Annotated[bool, typer.Option("-i/--no-stdin", help="Hand stdin on; -i=false: do not.")]
Tty = Annotated[
    bool | None,
    typer.Option("-t/--no-tty", help="Give it a terminal; by default where stdin is one."),
]


def _key(text: str) -> str:
    if text == "none":
        return ""
    if len(text) != 1 or not text.isascii() or not text.isprintable():
        raise typer.BadParameter(f"{text!r} is no key; give one character, or none")
    return text


Escape = Annotated[
    str,
    typer.Option(
        "-e",
        parser=_key,
        metavar="KEY",
        help="The key that, with a dot after it, leaves a terminal at the beginning of a line.",
    ),
]


def terminal(wanted: bool | None, stdin: bool) -> str:
    """Return the TERM of the terminal that a command gets, or nothing."""
    asked = sys.stdin.isatty() and sys.stdout.isatty() and stdin if wanted is None else wanted
    return (os.environ.get("TERM") or "dumb") if asked else ""


def seconds(text: str | float) -> float:
    """Return a duration (``90s``, ``10m``) in seconds."""
    if not isinstance(text, str):
        return text
    from gitops.jobspec.durations import parse_duration
    from gitops.jobspec.values import ValueFault

    try:
        found = parse_duration(text) / 1e9
    except ValueFault as e:
        raise typer.BadParameter(str(e)) from e
    if found <= 0:
        raise typer.BadParameter(f"{text!r} is not above 0")
    return found


Watch = Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")]
Interval = Annotated[
    float,
    typer.Option(
        "--interval",
        parser=seconds,
        metavar="DURATION",
        help="Between two looks of -watch; 2s.",
    ),
]


def ago(text: str | int) -> int:
    """Return when it was, in seconds since the epoch, so long ago (``10m``); 0 is never."""
    if isinstance(text, int):
        return text
    from gitops.jobspec.durations import parse_duration
    from gitops.jobspec.values import ValueFault

    try:
        return int(time.time() - abs(parse_duration(text)) / 1e9)
    except ValueFault as e:
        raise typer.BadParameter(str(e)) from e
