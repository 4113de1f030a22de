"""`orch job tag …`: names for versions, by which they are kept and can be reverted to."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops.cli.options import JobId, Json
from gitops.cli.say import say, say_json

Name = Annotated[str, typer.Option("--name", metavar="NAME", help="The tag.")]


def apply(
    job: JobId,
    name: Name = "",
    version: Annotated[
        int | None, typer.Option("--version", min=0, help="That version; the newest.")
    ] = None,
    description: Annotated[
        str, typer.Option("--description", metavar="WORDS", help="What is to be said of it.")
    ] = "",
    json: Json = False,
) -> None:
    """Give a version of a job a name; it is kept for it."""
    from gitops.cli import tagging

    answer = tagging.tag(job, _given(name), version, (description, time.time_ns()))
    say_json(answer.data) if json else say(answer.text)


def unset(job: JobId, name: Name = "", json: Json = False) -> None:
    """Take a name from the version that has it."""
    from gitops.cli import tagging

    answer = tagging.untag(job, _given(name))
    say_json(answer.data) if json else say(answer.text)


def _given(name: str) -> str:
    if not name:
        raise typer.BadParameter("a tag has a name: -name NAME")
    return name
