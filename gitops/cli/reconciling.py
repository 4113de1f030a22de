"""What `orch reconcile` does: follow a ref, plan, apply within limits, and say so in log lines."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from executors.home import at_home
from gitops.caches import cache_folder
from gitops.checkout import Checkout, Commit
from gitops.cli.applying import Applying
from gitops.cli.check_watching import CheckWatch
from gitops.cli.draining import go_on
from gitops.cli.look import (
    Approval,
    Look,
    incomplete,
    session,
    show_plan,
    workspace,
)
from gitops.cli.say import coloured, note
from gitops.draining import DrainWatches
from gitops.exit_codes import FAILED, INCOMPLETE, INTERRUPTED, first_of
from gitops.ledger_home import ledger_address
from gitops.planning import Desired, plan_of
from gitops.repo import Repository
from gitops.repository_hooks import hooks_of
from gitops.request import SpecRequest
from gitops.session import Session
from gitops.silence import Silence
from gitops.specs import read_specs
from gitops.view.moment import timestamp
from gitops.view.names import few
from gitops.view.plan_text import PlanView
from gitops.view.safe import clean
from gitops.workspace import Workspace
from inventory.errors import InventoryError
from planner.errors import OrchError
from planner.job import SECOND
from planner.job_key import job_key
from planner.plan import Plan
from planner.recorded import Recorded
from planner.way_back import taken_back

# Seconds that a single turn waits for another reconcile of the same ref: it may be rolling out.
_PATIENCE = 1800.0
_NAMED = 5


def reconcile(repository: str, ref: str, interval: float, *, plan_only: bool) -> int:
    """Reconcile once or, with an interval in seconds, until interrupted; return the exit code."""
    # they are relative to where the user stands, which is about to change
    if inventory := os.environ.get("ORCH_INVENTORY"):
        os.environ["ORCH_INVENTORY"] = str(Path(inventory).absolute())
    if (config := os.environ.get("ORCH_SSH_CONFIG")) and config != "none":
        os.environ["ORCH_SSH_CONFIG"] = str(at_home(config).absolute())
    checkout = Checkout(url=_url(repository), ref=ref, folder=_folder())
    turns = Turns(checkout=checkout, plan_only=plan_only)
    if not interval:
        with checkout.held(_PATIENCE, lambda: log("another reconcile is at work; waiting")):
            return _once(turns)
    with checkout.held(0, lambda: None):
        return _forever(turns, interval)


def _once(turns: Turns) -> int:
    try:
        return turns.turn()
    except (OrchError, InventoryError):
        log(turns.refusal())
        raise


def _forever(turns: Turns, interval: float) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            try:
                if turns.turn() == INTERRUPTED:
                    raise KeyboardInterrupt
            except (OrchError, InventoryError) as e:  # the next commit may mend it
                turns.tell(f"{turns.refusal()}\n{e.message}")
            time.sleep(interval)
    except KeyboardInterrupt:
        log("ended; what runs goes on running")
        return INTERRUPTED


def log(text: str) -> None:
    """Write one entry of the log to stderr; further lines of it are indented."""
    first, *more = (clean(line) for line in text.splitlines())
    note("\n".join([f"{timestamp(time.time_ns())} {first}", *(f"    {line}" for line in more)]))


def _folder() -> Path:
    return cache_folder(os.environ).absolute() / "reconcile"


def _url(repository: str) -> str:
    if not repository:
        here = Repository.find(Path.cwd())
        return here.origin or str(here.top)
    path = Path(repository)
    return str(path.absolute()) if path.exists() else repository


@dataclass(slots=True, kw_only=True)
class Turns:
    """Turn after turn over one checkout; what was told last is not told again."""

    checkout: Checkout
    plan_only: bool = False
    _at: str = field(default="", init=False)
    _seen: str = field(default="", init=False)
    _told: str = field(default="", init=False)
    _silence: Silence = field(default_factory=Silence, init=False)
    _checks: CheckWatch = field(default_factory=lambda: CheckWatch(tell=log), init=False)
    # what is known of the drains that are under way
    _drains: DrainWatches = field(default_factory=DrainWatches, init=False)

    def tell(self, text: str) -> bool:
        """Log something unless it was the last thing told; return whether it was new."""
        if text == self._told:
            return False
        self._told = text
        log(text)
        return True

    def turn(self) -> int:
        """Fetch, plan and apply; return the exit code of that, or raise what an apply raises."""
        self._at = f"{self.checkout.ref} of the repository"
        commit = self.checkout.update()
        self._at = commit.short
        if commit.id != self._seen:
            self._seen = commit.id
            ref, who = self.checkout.ref, commit.author
            log(f'{ref} is at {commit.short} "{commit.subject}" ({who})')
        return asyncio.run(self._reconcile(commit))

    def refusal(self) -> str:
        """Return what a turn that raised comes to."""
        return f"{self._at} can't be applied; what runs goes on running"

    async def _reconcile(self, commit: Commit) -> int:
        os.chdir(self.checkout.tree)
        ws = workspace()
        self._refuse_passing_ledger(ws)
        desired = read_specs(ws, SpecRequest()).desired()
        limits = ws.config.reconcile
        self._silence.grace = round(limits.lost_after * SECOND)
        async with session(ws) as ties:
            ties.silence = self._silence
            code = await self._carry_out(commit, ties, desired)
            if code == INTERRUPTED or self.plan_only or not limits.auto_apply:
                return code
            look = Look(colour=coloured(sys.stdout))
            return first_of(code, await go_on(ties, look, self._drains))

    async def _carry_out(self, commit: Commit, ties: Session, desired: Desired) -> int:
        """Carry out what there is to do for the jobs of a commit; return the exit code."""
        ws, limits = ties.workspace, ties.workspace.config.reconcile
        read = await ties.look()
        made = plan_of(desired, read, ws.config.cluster)
        if (left := _left(made, desired)) and not limits.allow_deletions:
            self.tell(f"{commit.short} lacks {_few(left)}; allow_deletions is off: left running")
            desired = replace(desired, whole=False)
            made = plan_of(desired, read, ws.config.cluster)
        if tried := _taken_back(made, read.recorded):
            self.tell(f"{commit.short}: {'; '.join(tried.values())}; push another spec")
            others = tuple(p.key for p in made.jobs if p.key not in tried)
            if not others:
                return FAILED
            desired = replace(desired, targets=others)
            made = plan_of(desired, read, ws.config.cluster)
        applies = limits.auto_apply and not self.plan_only
        if made.empty:
            if applies:
                await self._checks.look(ties, read)
            return FAILED if tried else self._idle(commit, made)
        if not applies:
            return self._would(commit, made)
        log(f"{commit.short} changes {_few(_changed(made))}")
        return await self._apply(commit, ties, desired)

    def _refuse_passing_ledger(self, ws: Workspace) -> None:
        """A path relative to the clone would be another ledger, and gone with the next turn."""
        url = ledger_address(ws).url
        if Path(url).is_relative_to(self.checkout.tree.resolve()):
            raise OrchError(
                f"the ledger would be {Path(url).relative_to(self.checkout.tree.resolve())} in a "
                "clone of the repository, which is cleaned at each turn",
                "Give a Git URL or an absolute path as [ledger] url in orch.toml, or leave it out "
                "for the repository's origin; ORCH_LEDGER_URL overrides it.",
            )

    async def _apply(self, commit: Commit, ties: Session, desired: Desired) -> int:
        started = time.monotonic()
        applying = Applying(
            ties=ties,
            hooks=hooks_of(ties.workspace, desired.source, log),
            look=Look(colour=coloured(sys.stdout)),
            approval=Approval(auto_approve=True),
            request=SpecRequest(),
        )
        code = await applying.run(desired)
        end = {0: "done", INCOMPLETE: "incomplete", FAILED: "failed"}.get(code, "ended")
        log(f"{commit.short} {end} after {time.monotonic() - started:.0f} s (exit code {code})")
        return code

    def _would(self, commit: Commit, made: Plan) -> int:
        why = "-plan-only" if self.plan_only else "auto_apply is off"
        if self.tell(f"{commit.short} would change {_few(_changed(made))}; {why}"):
            show_plan(made, Look(colour=coloured(sys.stdout)), PlanView(advises=False))
        return incomplete(made)

    def _idle(self, commit: Commit, made: Plan) -> int:
        failed = [p.key for p in made.jobs if p.failed]
        unknown = [u.host for u in made.unknown]
        told = f"{commit.short}: nothing to do"
        if failed:
            told += f"; the last deployment of {_few(failed)} failed"
        if unknown:
            told += f"; unknown: {_few(unknown)}"
        self.tell(told)
        return FAILED if failed else incomplete(made)


def _taken_back(made: Plan, recorded: Recorded) -> dict[str, str]:
    """Name the jobs whose spec has failed and was taken back: a loop leaves them alone."""
    found = {p.key: taken_back(recorded.job(p.key), p.job) for p in made.jobs if p.registers}
    return {
        key: f"job {key} failed as version {version.version} and was taken back: left as it is"
        for key, version in found.items()
        if version is not None
    }


def _left(made: Plan, desired: Desired) -> list[str]:
    """Return the jobs that are to stop because the repository has them no more."""
    here = {job_key(j.id, j.namespace) for _, j in desired.jobs}
    return [p.key for p in made.jobs if p.key not in here]


def _changed(made: Plan) -> list[str]:
    return [p.key for p in made.jobs if not p.empty]


def _few(names: Sequence[str]) -> str:
    return few(names, _NAMED)
