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
from gitops.cli.exit_codes import CHANGES
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
from gitops.cli.say import hide
from gitops.digests import Digests, resolved
from gitops.jobspec.unsupported import unsupported
from gitops.planning import Desired, plan_of, stopping
from gitops.request import SpecRequest
from gitops.resolve import job_named
from gitops.saved import saved
from gitops.sealing import Vault
from gitops.specs import read_specs, vault_of
from gitops.view.plan_text import PlanView
from planner.errors import OrchError
from planner.explanation import Explainer
from planner.recorded import JobState, JobVersion


async def plan(request: SpecRequest, look: Look, out: str = "", parallelism: int = 0) -> int:
    """Print the plan; return 4 if it is incomplete, 2 if there are changes, else 0.

    With `out`, save it there too.
    """
    ws = workspace()
    specs = read_specs(ws, request)
    hide(specs.vault.words())
    if out and specs.source.dirty:
        raise OrchError(
            "a plan of changes that are not committed can't be saved",
            "Commit them: a saved plan names the commit that is to run.",
        )
    async with session(ws, request.limit, parallelism) as ties:
        read = await ties.look(last=not out)
        explainer = Explainer() if look.explain else None
        made = plan_of(specs.desired(), read, ws.config.cluster, explainer)
        more = [*narrowed(request.targets), *ineligible(made, read.observed.nodes.values())]
        advise(ties, more)
        images: Digests = {}
        if out:
            images = await resolved(ties.connector, made.jobs, read, specs.vault)
    if out:
        plan_file.write(saved(made, basis(ws, read, images), request), ws.cwd / out)
    explanations = explainer.explanations if explainer else ()
    view = PlanView(flags=flags_of(request, specs.sensitive), saved=out, explanations=explanations)
    show_plan(made, look, view)
    return incomplete(made) or (0 if made.empty else CHANGES)


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
    async with session(ws, request.limit, parallelism) as ties:
        applying = Applying(
            ties=ties,
            look=look,
            approval=approval,
            request=request,
            at=at,
            parallelism=parallelism,
            bound=bound,
        )
        return await applying.run(specs.desired())


def _refuse_narrowing(request: SpecRequest, planned: SpecRequest) -> None:
    """Refuse what would narrow a saved plan; what it was made with may be said again."""
    told = {
        "-limit": (request.limit, planned.limit),
        "-target": (request.targets, planned.targets),
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
        versions = [_stopped(recorded.job(key)) for key in keys]
        vaults = [vault_of(ws, v) for v in versions]
        desired = Desired(
            jobs=tuple((v.path, replace(v.job, stop=False)) for v in versions),
            vault=Vault({key: each for vault in vaults for key, each in vault.jobs.items()}),
        )
        # What the jobs were applied without, they go on without.
        ignored = {block for v in versions for block in unsupported(v.job)}
        applying = Applying(
            ties=ties,
            look=look,
            approval=Approval(auto_approve=True, ignored=tuple(sorted(ignored))),
            request=SpecRequest(),
        )
        return await applying.run(desired)


def _stopped(state: JobState) -> JobVersion:
    """Return the newest version of a job; `OrchError` where it is not known, or not stopped."""
    if state.current is None:
        raise OrchError(
            f"job {state.key!r} was found on its hosts, and its spec is not known",
            "Apply its file.",
        )
    if not state.current.job.stop:
        raise OrchError(
            f"job {state.key!r} is not stopped",
            f"See 'orch status {state.key}'; 'orch apply' brings back what is missing of it.",
        )
    return state.current
