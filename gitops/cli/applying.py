"""One apply: the plan it makes, the checks before it, and its end as words and exit code."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from executors.boundary import Passing, pass_by
from executors.clock import SystemClock
from executors.driver import config_problems
from executors.outcome import OutcomeKind
from gitops.applying import Result
from gitops.applying import apply as carry_out
from gitops.begin import Beginning, tidy
from gitops.cli.advice import ineligible, narrowed
from gitops.cli.asking import can_ask, confirmed
from gitops.cli.holders import adoptable, refuse_others
from gitops.cli.hooking import after, before
from gitops.cli.look import Approval, Look, advise, basis, flags_of, incomplete, show_plan
from gitops.cli.progress import Progress
from gitops.cli.say import coloured, hide, note, say, say_interrupted, say_json
from gitops.cli.stopping import sigterm_as_sigint, stoppable
from gitops.cli.unreachable import advice, decide, refuse_unreachable, with_lost
from gitops.digests import Digests, resolved
from gitops.effects import Effects
from gitops.exit_codes import FAILED, INTERRUPTED
from gitops.ledger.journal import RunInfo
from gitops.ledger.process import is_gone, this_process
from gitops.ledger.surroundings import Surroundings
from gitops.orders import Orders
from gitops.planning import Desired, plan_of
from gitops.planning import Look as Read
from gitops.repository_hooks import Hooks
from gitops.request import SpecRequest
from gitops.saved import SavedPlan, bindings, refuse_if_moved
from gitops.sealing import Vault, marks_in
from gitops.session import Session, fresh_id
from gitops.view import plan_json
from gitops.view.plan_text import PlanView
from gitops.view.safe import clean
from gitops.way_back import WaysBack, ways_back
from planner.errors import ConflictError, OrchError
from planner.job import Job
from planner.nodes import to_enrol
from planner.plan import JobPlan, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """One apply: the plan it makes, the checks before it, and its end."""

    ties: Session
    look: Look
    approval: Approval
    request: SpecRequest
    at: Passing = pass_by
    # how many jobs, and steps on hosts, at a time; 0: all
    parallelism: int = 0
    bound: SavedPlan | None = None
    # whether the jobs, which are stopped, are to be forgotten
    purges: bool = False
    # what somebody has told beside the specs
    orders: Orders = field(default_factory=Orders)
    # programs of the repository that run before and after
    hooks: Hooks | None = None

    async def run(self, desired: Desired) -> int:
        """Plan, check, ask and carry out; return the exit code."""
        with sigterm_as_sigint():
            return await self._run(desired)

    async def _run(self, desired: Desired) -> int:
        hide(desired.vault.words())
        read, made = await self._planned(desired)
        dead = await adoptable(self.ties, made, read)
        if dead:
            read, made = await self._planned(desired)
            refuse_others(made, dead)
        stranded = ineligible(made, read.observed.nodes.values())
        more = [*narrowed(self.request.targets), *advice(self.request.lost), *stranded]
        advise(self.ties, more)
        images: Digests | None = None
        if self.bound is not None:
            images = await resolved(self.ties.connector, made.jobs, read, desired.vault)
            refuse_if_moved(self.bound, bindings(made, basis(self.ties.workspace, read, images)))
        self._check_index(made)
        _refuse_unsupported(made, self.approval.ignored)
        _refuse_configs(made, _opened(made, desired.vault))
        ways = ways_back(self.ties.workspace, made.jobs, read.recorded, desired.vault)
        hide(ways.vault.words())
        advise(self.ties, ways.warnings())
        if made.empty or not (self.look.json or self.orders.migrates):
            view = PlanView(flags=flags_of(self.request, desired.sensitive), advises=False)
            show_plan(made, self.look, view)
        if made.empty and not (self.purges or self.orders.anyway):
            return await self._idle(made, read)
        await self._approve()
        if images is None:
            images = await resolved(self.ties.connector, made.jobs, read, desired.vault)
        await before(self.hooks, made)
        result = await self._carry_out(made, read, images, ways)
        self._tell(made, result)
        if result.exit_code == INTERRUPTED:
            say_interrupted()
        code = result.exit_code or incomplete(made)
        await after(self.hooks, made, result, code)
        return code

    async def _idle(self, made: Plan, read: Read) -> int:
        """Record what is decided about hosts alone, where nothing else is to be done."""
        if self.request.lost:
            await self._approve()
        await asyncio.to_thread(decide, self.ties.ledger, read)
        await asyncio.to_thread(_tidy, self.ties, read)
        return _failed_before(made) or incomplete(made)

    async def _planned(self, desired: Desired) -> tuple[Read, Plan]:
        read = self.orders.upon(with_lost(await self.ties.look(), self.request.lost))
        made = plan_of(desired, read, self.ties.workspace.config.cluster)
        refuse_unreachable(made, self.request)
        return read, self.orders.noted(made)

    def _check_index(self, made: Plan) -> None:
        wanted = self.approval.check_index
        if wanted is None:
            return
        if len(made.jobs) != 1:
            raise OrchError(
                f"-check-index is for exactly one job, and these are {len(made.jobs)}",
                "Name the job's file.",
            )
        check_index(wanted, made.jobs[0].job_modify_index)

    async def _approve(self) -> None:
        if self.approval.auto_approve or self.approval.check_index is not None:
            return
        if not can_ask():
            raise OrchError(
                "without a terminal this needs approval; nothing was touched",
                self.approval.remedy,
            )
        if not await confirmed("Do you want to apply this plan?"):
            raise OrchError("not approved; nothing was touched")

    async def _carry_out(self, made: Plan, read: Read, images: Digests, ways: WaysBack) -> Result:
        whole = self.purges or self.orders.anyway
        plans = tuple(p for p in made.jobs if whole or not p.empty)
        abandoned = tuple(dict.fromkeys(p.held for p in plans if p.held))
        info = self._info(made, plans)
        live = coloured(sys.stderr)
        progress = Progress(verbose=self.look.verbose, live=live)
        with progress, stoppable(progress.say) as stopping:
            effects = Effects(
                ledger=self.ties.ledger,
                fleet=self.ties.fleet(read.recorded.epoch, info.commit, ways.vault, progress.say),
                clock=SystemClock(),
                ids=fresh_id,
                tell=progress.tell,
                at=self.at,
                can_open=ways.can_open,
                stopping=stopping,
                parallelism=self.parallelism,
                order=read.order,
            )
            beginning = Beginning(
                snapshot=await asyncio.to_thread(decide, self.ties.ledger, read),
                plans=plans,
                enrol=to_enrol(read.observed, read.recorded),
                abandoned=abandoned,
                purges=frozenset(p.key for p in plans) if self.purges else frozenset(),
                images=images,
            )
            await asyncio.to_thread(_tidy, self.ties, read)
            return await carry_out(effects, info, beginning, read.observed)

    def _info(self, made: Plan, plans: tuple[JobPlan, ...]) -> RunInfo:
        return RunInfo(
            id=fresh_id(),
            holder=Surroundings.real().who,
            process=this_process(),
            started=time.time_ns(),
            commit=made.source.commit,
            repository=made.source.repository,
            jobs=tuple(p.key for p in plans),
            base_index=made.index,
            ttl=int(self.ties.workspace.config.ledger.lease_ttl),
        )

    def _tell(self, made: Plan, result: Result) -> None:
        if self.look.json:
            say_json(plan_json.done(made, result.outcomes))
            return
        for outcome in result.outcomes:
            if outcome.kind is OutcomeKind.DONE:
                continue
            note(f'\nJob "{outcome.key}": {outcome.kind}: {outcome.detail}')
            if outcome.log:
                note("\nThe end of its log:")
                note("\n".join(clean(line) for line in outcome.log.splitlines()))
        if self.orders.migrates or self.look.quiet:
            return
        for outcome in result.outcomes:
            if self.purges and outcome.key not in result.purged:
                note(f'Job "{outcome.key}" was not purged: not all of it is known to be stopped.')
        done = sum(o.kind is OutcomeKind.DONE for o in result.outcomes)
        verb = _verb(made, self.orders)
        end = "stopped" if result.exit_code == INTERRUPTED else "finished"
        say(f"\n{verb} {end}: {done} of {len(result.outcomes)} jobs done.")


def check_index(wanted: int, found: int) -> None:
    """Raise a `ConflictError`, in Nomad's words, unless the job still stands at `wanted`."""
    if wanted == found:
        return
    if wanted == 0:
        why = "job already exists"
    elif found == 0:
        why = "job does not exist"
    else:
        why = f"job exists with conflicting job modify index: {found}"
    raise ConflictError(
        f"Enforcing job modify index {wanted}: {why}\nJob not updated", "Plan again."
    )


def _refuse_unsupported(made: Plan, ignored: Collection[str]) -> None:
    from gitops.jobspec.features import WHY_NOT
    from gitops.jobspec.unsupported import unsupported

    for job in made.jobs:
        blocks = [b for b in unsupported(job.job) if b not in ignored]
        if blocks and not job.job.stop:
            yet = "" if set(blocks) <= set(WHY_NOT) else " yet"
            whys = "".join(f"\n{b}: {WHY_NOT[b]}." for b in blocks if b in WHY_NOT)
            raise OrchError(
                f"{job.path}: job {job.key!r} uses what orch does not honour{yet}: "
                f"{', '.join(blocks)}; nothing was touched{whys}",
                "Take it out of the job, or give -ignore-unsupported=BLOCK for each "
                "if the job may run without it.",
            )


def _opened(made: Plan, vault: Vault) -> dict[str, Job]:
    """Return the jobs with their sensitive values, those of which something is to be started.

    Raises `OrchError` where these are not known.
    """
    return {
        job.key: vault.opened(job.job)
        for job in made.jobs
        if not job.job.stop and (not job.empty or job.touches)
    }


def _refuse_configs(made: Plan, opened: Mapping[str, Job]) -> None:
    # A job of which nothing is started may have marks where its config has tables.
    problems = [
        f"{job.path}: {problem}"
        for job in made.jobs
        if not job.job.stop
        if job.key in opened or not marks_in(job.job)
        for problem in config_problems(opened.get(job.key, job.job))
    ]
    if problems:
        raise OrchError("\n".join(problems), "Nothing was touched. Correct the config.")


def _failed_before(made: Plan) -> int:
    """Return 5 where nothing is left to do only because the last deployment failed."""
    return FAILED if any(job.failed for job in made.jobs) else 0


def _verb(made: Plan, orders: Orders) -> str:
    """Name what was done; where nothing was to change, jobs were looked at."""
    if made.empty and orders.anyway and not orders.requests:
        return "Evaluation"
    changed = [p for p in made.jobs if not p.empty] or made.jobs
    return "Stop" if all(p.job.stop for p in changed) else "Apply"


def _tidy(ties: Session, read: Read) -> None:
    dead = {i for i, run in read.snapshot.runs.items() if is_gone(run.info.process)}
    tidy(ties.ledger, read.snapshot, dead, time.time_ns())
