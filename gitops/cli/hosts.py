"""`orch hosts …`: the inventory as it is read, and commands and files on its hosts."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json, seconds

_Pattern = Annotated[
    str, typer.Argument(metavar="PATTERN", help="Hosts: web*, group, a:&b, a:!b, ~regex, @file.")
]
_Parallelism = Annotated[
    int,
    typer.Option(
        "--parallelism", envvar="ORCH_PARALLELISM", min=1, metavar="N", help="Hosts at a time."
    ),
]


def list_(
    pattern: Annotated[
        str, typer.Argument(metavar="[PATTERN]", help="Which; none: all of the inventory.")
    ] = "",
    json: Json = False,
) -> None:
    """Show what the inventory says of hosts; no host is asked."""
    from gitops.cli import ad_hoc

    ad_hoc.show(pattern, json=json)


def execute(
    words: Annotated[
        list[str], typer.Argument(metavar="PATTERN -- COMMAND...", help="Where, and what to run.")
    ],
    stream: Annotated[
        bool, typer.Option("--stream", help="Lines as they come, each with its host.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", parser=seconds, metavar="DURATION", help="On each host.")
    ] = 600.0,
    parallelism: _Parallelism = 32,
    json: Json = False,
) -> None:
    """Run a command on hosts; output is shown host by host."""
    from gitops.cli import ad_hoc

    words = [w for i, w in enumerate(words) if w != "--" or i != 1]
    wanted = ad_hoc.Command(
        pattern=words[0],
        argv=words[1:],
        stream=stream,
        deadline=timeout,
        most=parallelism,
        json=json,
    )
    raise typer.Exit(finished(ad_hoc.execute(wanted)))


def copy(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A file, or PATTERN:/PATH.")],
    to: Annotated[str, typer.Argument(metavar="TARGET", help="PATTERN:/PATH, or a folder.")],
    parallelism: _Parallelism = 32,
    json: Json = False,
) -> None:
    """Copy a file to hosts, or from hosts into FOLDER/HOST/NAME."""
    from gitops.cli import ad_hoc

    raise typer.Exit(finished(ad_hoc.copy(source, to, parallelism, json=json)))
