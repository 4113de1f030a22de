"""What plan, show, apply, stop and start do, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from executors.boundary import Passing, pass_by
from gitops.cli import plan_file
from gitops.cli.advice import ineligible, narrowed
from gitops.cli.applying import Applying
from gitops.cli.draining import drain_advice, go_on
from gitops.cli.driving import Driven, Manner, changed, drive, known_version
from gitops.cli.look import (
    Approval,
    Look,
    advise,
    basis,
    flags_of,
    incomplete,
    session,
    show_plan,
    workspace,
)
from gitops.cli.say import hide, note
from gitops.cli.unreachable import advice, refuse_unreachable, with_lost
from gitops.digests import Digests, resolved
from gitops.draining import DrainWatches
from gitops.exit_codes import CHANGES, INTERRUPTED, first_of
from gitops.planning import plan_of, stopping
from gitops.repository_hooks import hooks_of
from gitops.request import SpecRequest
from gitops.resolve import job_named
from gitops.saved import saved
from gitops.specs import read_specs
from gitops.view.plan_text import PlanView
from gitops.what_if import WhatIf, what_if, with_counts, with_hosts
from planner.errors import OrchError
from planner.explanation import Explainer
from planner.recorded import JobState


async def plan(
    request: SpecRequest, look: Look, out: str = "", parallelism: int = 0, suppose: str = ""
) -> int:
    """Print the plan; return 4 if it is incomplete, 2 if there are changes, else 0.

    With `out`, save it there too. What it is to `suppose` is as `-what-if` has it.
    """
    supposed = what_if(suppose)
    ws = workspace()
    specs = read_specs(ws, request)
    hide(specs.vault.words())
    if out:
        _refuse_saving(supposed, dirty=specs.source.dirty)
    async with session(ws, request.limit, parallelism, order=request.order) as ties:
        read = with_lost(await ties.look(last=not out), request.lost)
        read = with_hosts(read, supposed.hosts)
        explainer = Explainer() if look.explain else None
        desired = with_counts(specs.desired(), supposed.counts)
        made = plan_of(desired, read, ws.config.cluster, explainer)
        refuse_unreachable(made, request)
        more = [
            *narrowed(request.targets),
            *advice(request.lost),
            *ineligible(made, read.observed.nodes.values()),
            *drain_advice(read.recorded),
        ]
        advise(ties, more)
        images: Digests = {}
        if out:
            images = await resolved(ties.connector, made.jobs, read, specs.vault)
    if out:
        plan_file.write(saved(made, basis(ws, read, images), request), ws.cwd / out)
    explanations = explainer.explanations if explainer else ()
    view = PlanView(
        flags=flags_of(request, specs.sensitive),
        saved=out,
        advises=not suppose,
        explanations=explanations,
        supposed=supposed.words,
    )
    show_plan(made, look, view)
    return incomplete(made) or (0 if made.empty else CHANGES)


def _refuse_saving(supposed: WhatIf, *, dirty: bool) -> None:
    if supposed.words:
        raise OrchError("a plan with -what-if can't be saved", "It is not about what is so.")
    if dirty:
        raise OrchError(
            "a plan of changes that are not committed can't be saved",
            "Commit them: a saved plan names the commit that is to run.",
        )


def show(name: str, look: Look) -> None:
    """Print a saved plan."""
    found = plan_file.read(Path.cwd() / name, name)
    if found is None:
        raise OrchError(f"{name}: not a saved plan", "Make one with 'orch plan -out FILE'.")
    show_plan(found.plan, look, PlanView(saved=name))


async def apply(
    request: SpecRequest,
    approval: Approval,
    look: Look,
    at: Passing = pass_by,
    parallelism: int = 0,
) -> int:
    """Plan, check, ask, carry out; return the exit code. `at` is told of each boundary."""
    ws = workspace()
    bound = None
    if len(request.files) == 1:
        bound = plan_file.read(ws.cwd / request.files[0], request.files[0])
    if bound is not None:
        _refuse_narrowing(request, bound.request)
        request = replace(
            bound.request,
            variables=request.variables,
            var_files=request.var_files,
            rev=bound.plan.source.commit,
        )
        approval = replace(approval, auto_approve=True)
    specs = read_specs(ws, request)
    if specs.source.dirty and not approval.allow_dirty:
        raise OrchError(
            "the working tree has changes that are not committed; nothing was touched",
            "Commit them (what runs should be what a commit says), or give -allow-dirty.",
        )
    hooks = None
    if not approval.no_hooks:
        hooks = hooks_of(ws, specs.source, note, allow_dirty=approval.allow_dirty)
    async with session(ws, request.limit, parallelism, order=request.order) as ties:
        applying = Applying(
            ties=ties,
            hooks=hooks,
            look=look,
            approval=approval,
            request=request,
            at=at,
            parallelism=parallelism,
            bound=bound,
        )
        code = await applying.run(specs.desired())
        if code == INTERRUPTED or not _is_whole(request, approval):
            return code
        return first_of(code, await go_on(ties, look, DrainWatches()))


def _is_whole(request: SpecRequest, approval: Approval) -> bool:
    """Whether an apply is of the whole repository, on all hosts."""
    narrowed = request.files or request.targets or request.limit
    return not narrowed and approval.check_index is None


def _refuse_narrowing(request: SpecRequest, planned: SpecRequest) -> None:
    """Refuse what would narrow a saved plan; what it was made with may be said again."""
    told = {
        "-limit": (request.limit, planned.limit),
        "-target": (request.targets, planned.targets),
        "-lost": (request.lost, planned.lost),
        "-update-order": (request.order, planned.order),
    }
    given = [flag for flag, (now, then) in told.items() if now and now != then]
    if given:
        raise OrchError(
            f"{' and '.join(given)}: a saved plan is carried out as it is, or not at all",
            f"Give {' and '.join(given)} to 'orch plan -out', and apply what that saves.",
        )


async def stop(names: Sequence[str], look: Look, *, purge: bool, ask: bool) -> int:
    """Stop jobs; with `purge`, forget them, and what their hosts keep of them."""
    ws = workspace()
    async with session(ws) as ties:
        read = await ties.look()
        keys = [job_named(name, read.recorded) for name in names]
        desired = stopping(dict.fromkeys(keys), read.recorded)
        approval = Approval(auto_approve=not ask, remedy="Give -yes.")
        applying = Applying(
            ties=ties, look=look, approval=approval, request=SpecRequest(), purges=purge
        )
        return await applying.run(desired)


async def start(names: Sequence[str], look: Look) -> int:
    """Run stopped jobs again, as they are recorded."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = (await asyncio.to_thread(ties.ledger.read)).folded()
        keys = dict.fromkeys(job_named(name, recorded) for name in names)
        return await drive(ties, look, [_started(recorded.job(k)) for k in keys], Manner())


def _started(state: JobState) -> Driven:
    """Return a job that runs again; `OrchError` where it is not known, or not stopped."""
    job = known_version(state).job
    if not job.stop:
        raise OrchError(
            f"job {state.key!r} is not stopped",
            f"See 'orch status {state.key}'; 'orch apply' brings back what is missing of it.",
        )
    return changed(state, replace(job, stop=False))
