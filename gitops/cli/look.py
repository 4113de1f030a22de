"""What commands share: the open workspace, how results are shown, and their exit codes."""

from __future__ import annotations

import shlex
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gitops.cli.progress import probing
from gitops.cli.say import say, say_advice, say_json
from gitops.digests import Digests
from gitops.exit_codes import INCOMPLETE
from gitops.jobspec.marks import SHOWN
from gitops.known import Known
from gitops.planning import Look as Read
from gitops.request import SpecRequest
from gitops.saved import Basis
from gitops.session import Session
from gitops.view import plan_json, plan_text
from gitops.view.plan_text import PlanView
from gitops.workspace import Workspace, open_workspace
from planner.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How results are shown."""

    json: bool = False
    markdown: bool = False
    verbose: bool = False
    colour: bool = False
    explain: bool = False
    # whether stdout is for something else
    quiet: bool = False

    def silent(self) -> Look:
        """Return the look of what is done on the way to something else, which has stdout."""
        return replace(self, json=False, markdown=False, quiet=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What allows an apply to go on."""

    check_index: int | None = None
    auto_approve: bool = False
    allow_dirty: bool = False
    # blocks that orch does not honour yet, and that the user can do without
    ignored: tuple[str, ...] = ()
    # whether the repository's hooks do not run
    no_hooks: bool = False
    # what to do where nobody can be asked
    remedy: str = "Give -auto-approve, or -check-index N from the plan."


def workspace() -> Workspace:
    """Open the workspace that the user stands in."""
    return open_workspace(Path.cwd())


def session(
    ws: Workspace,
    limit: str = "",
    parallelism: int = 0,
    *,
    order: str = "",
    stays: bool = False,
) -> Session:
    """Open the ledger and the fleet; progress of probing goes to stderr.

    With `parallelism`, so many hosts are logged in to at a time, whatever `orch.toml` says; with
    `order`, that comes first in updates. One that `stays`, for look after look, keeps its
    connections, and is quiet.
    """
    if parallelism:
        ssh = replace(ws.config.ssh, concurrency=parallelism)
        ws = replace(ws, config=replace(ws.config, ssh=ssh))
    if order:
        scheduler = replace(ws.config.scheduler, update_order=order)
        ws = replace(ws, config=replace(ws.config, scheduler=scheduler))
    inventory = ws.inventory(limit)
    if not limit:
        Known(ws.root, ws.cache).note_hosts(inventory)
    return Session(
        workspace=ws,
        inventory=inventory,
        now=time.time_ns,
        on_host=None if stays else probing(len(inventory.hosts)),
        stays=stays,
    )


def advise(ties: Session, more: Iterable[str] = ()) -> None:
    """Say on stderr what to do about hosts that could not be used, and what else is to say.

    What was said before is not said again.
    """
    for hint in (*ties.hints(), *more):
        say_advice(hint)


def basis(ws: Workspace, read: Read, images: Digests) -> Basis:
    """Return what a plan that was made from `read` hangs on; the key is ``ORCH_KEY``."""
    key = ws.environment.get("ORCH_KEY", "")
    return Basis(look=read, inventory=ws.inventory_text(), key=key, images=images)


def incomplete(made: Plan) -> int:
    """Return 4 where hosts are unknown or a group can't be placed in full, else 0."""
    unplaced = any(g.failure is not None for p in made.jobs for g in p.groups)
    return INCOMPLETE if made.unknown or unplaced else 0


def show_plan(made: Plan, look: Look, view: PlanView) -> None:
    """Print a plan as text, JSON or Markdown."""
    if look.quiet:
        return
    if look.markdown:
        from gitops.view.plan_markdown import markdown

        told = f"> {plan_text.supposition(view.supposed)}\n\n" if view.supposed else ""
        say(told + markdown(made))
    elif look.json:
        data = plan_json.data(made, view.explanations, verbose=look.verbose)
        say_json({**data, "what_if": list(view.supposed)} if view.supposed else data)
    else:
        say(plan_text.text(made, replace(view, verbose=look.verbose, colour=look.colour)))


def flags_of(request: SpecRequest, sensitive: Collection[str] = ()) -> tuple[str, ...]:
    """Return the flags that a job is to be run with, as a shell takes them, to be suggested.

    Values of `sensitive` variables are left out.
    """
    return (
        *(f"-var={shlex.quote(_told(v, sensitive))}" for v in request.variables),
        *(f"-var-file={shlex.quote(v)}" for v in request.var_files),
        *(() if request.strict else ("-hcl2-strict=false",)),
        *((f"-limit={shlex.quote(request.limit)}",) if request.limit else ()),
    )


def _told(variable: str, sensitive: Collection[str]) -> str:
    name = variable.partition("=")[0]
    return f"{name}={SHOWN}" if name in sensitive else variable
