"""`orch reconcile` and `orch hook`: what is pushed runs."""

from __future__ import annotations

from typing import Annotated

import typer

from gitops.cli.options import seconds
from gitops.cli.say import say

_Ref = Annotated[
    str, typer.Option("--ref", envvar="ORCH_REF", metavar="REF", help="Branch or tag to follow.")
]


def reconcile(
    repository: Annotated[
        str,
        typer.Argument(metavar="[REPOSITORY]", help="URL or path; none: the one you stand in."),
    ] = "",
    ref: _Ref = "HEAD",
    once: Annotated[bool, typer.Option("--once", help="One turn; the default.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", parser=seconds, metavar="DURATION", help="For ever.")
    ] = 0.0,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Change nothing, whatever orch.toml allows.")
    ] = False,
) -> None:
    """Make the fleet what a ref of a repository says."""
    from gitops.cli import reconciling

    if once and interval:
        raise typer.BadParameter("'-once' and '-interval' exclude each other")
    raise typer.Exit(reconciling.reconcile(repository, ref, interval, plan_only=plan_only))


def install(
    repository: Annotated[str, typer.Argument(metavar="BARE_REPO", help="Its path on this host.")],
    ref: Annotated[str, typer.Option("--ref", metavar="BRANCH", help="Pushes to it count.")] = "",
) -> None:
    """Install a post-receive hook that reconciles."""
    from gitops import hooks

    path, branch = hooks.install(repository, ref)
    say(f"wrote {path}: a push to {branch} is reconciled, and the pusher is told")
