"""`orch system …`: keeping hosts and ledger tidy."""

from __future__ import annotations

import time

import typer

from gitops.cli.loop import finished
from gitops.cli.options import Json, Limit, Verbose, Yes


def gc(yes: Yes = False, limit: Limit = "", json: Json = False, verbose: Verbose = False) -> None:
    """Remove what nothing needs any more from hosts and ledger.

    Ended allocations with their directories and containers, containers that were never started,
    fences of forgotten jobs, and runs that are over. It shows them first, and asks. As JSON it
    removes them only with -yes.
    """
    from gitops.cli import collecting
    from gitops.view.options import StatusView

    view = StatusView(now=time.time_ns(), verbose=verbose)
    wish = collecting.Wish(yes=yes, json=json, limit=limit, view=view)
    raise typer.Exit(finished(collecting.gc(wish)))
