"""`orch doctor`: whether all is there that orch needs, here and on hosts."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json, Limit


def doctor(
    limit: Limit = "",
    write: Annotated[
        bool, typer.Option("--write", help="Try writing to the ledger too; removed again.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what orch lacks, here and on hosts, and how to mend it."""
    from gitops.cli import diagnosis

    raise typer.Exit(finished(diagnosis.diagnose(limit, write=write, json=json)))
