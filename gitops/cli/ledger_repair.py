"""`orch ledger repair` and `rebuild`: show what is lost, ask, decide."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping

from executors.probe import Probe
from gitops.cli.look import advise, session, workspace
from gitops.cli.say import note, say
from gitops.ledger.errors import LedgerError
from gitops.ledger.opening import open_ledger, open_repair
from gitops.ledger.repair import Finding, Rebuilt
from gitops.ledger_home import ledger_address
from gitops.planning import unknown_hosts
from gitops.view import ledger_text
from gitops.view.safe import clean
from gitops.workspace import Workspace
from planner.errors import OrchError
from planner.nodes import verified
from planner.observed import Observed
from planner.rebuilt import completed_jobs, rebuilt_jobs, rebuilt_nodes
from planner.recorded import Recorded


async def repair(without: Collection[str], *, accept: bool, ask: bool) -> None:
    """Put lost decisions back, or accept that they are lost."""
    ws = workspace()
    repairs = open_repair(ledger_address(ws))
    found = repairs.look()
    if found.problem and not found.rewound:
        raise LedgerError(
            f"the ledger can't be repaired: {found.problem}",
            "'orch ledger rebuild' writes a new one from what the hosts know",
        )
    say(ledger_text.losses(found))
    if not (found.rewound or (accept and found.meta)):
        say("There is nothing to repair.")
        return
    if found.restorable and not accept:
        _confirm("Put these decisions back?", ask=ask)
        repairs.restore(found)
        say("\nThe ledger is as it was.")
        return
    _accept_is_possible(found, accept=accept)
    observed, _ = await _observed(ws, without)
    if not found.rewound and not _unrecorded(ws, observed):
        say("There is nothing to accept: the records have all that runs on the hosts.")
        return
    _confirm("Go on from what is there? What was lost stays lost.", ask=ask)
    index = repairs.accept(found, lambda jobs, at: completed_jobs(jobs, observed, at))
    say(f"\nThe ledger goes on at index {index}, in a new epoch.")


def _unrecorded(ws: Workspace, observed: Observed) -> int:
    """Say what hosts have of this cluster that the records lack; return of how many jobs."""
    jobs = open_ledger(ledger_address(ws)).read().recorded.jobs
    completed = completed_jobs(jobs, observed, 0)
    for key, state in sorted(completed.items()):
        before = len(jobs[key].allocs) if key in jobs else 0
        say(f"  {clean(key)}: {len(state.allocs) - before} allocations on hosts are not recorded")
    return len(completed)


def _accept_is_possible(found: Finding, *, accept: bool) -> None:
    if found.meta is None:
        raise LedgerError(
            "the ledger is empty, and what was lost can't be put back from here",
            "try it on a machine that has used this ledger lately, or write a new one from what"
            " the hosts know: 'orch ledger rebuild'",
        )
    if not accept:
        raise LedgerError(
            "what was lost can't be put back from here: the ledger has gone another way",
            "if what it holds now is right: 'orch ledger repair -accept'; then see the plan",
        )


async def rebuild(without: Collection[str], *, force: bool, ask: bool) -> None:
    """Write a new state from the records of all hosts."""
    ws = workspace()
    repairs = open_repair(ledger_address(ws))
    found = repairs.look()
    if not force:
        _refuse_sound(found)
    observed, probes = await _observed(ws, without)
    known = _known(observed, probes)
    _show(known)
    _confirm("Write a new ledger from this?", ask=ask)
    index = repairs.rebuild(found, known)
    say(f"\nThe ledger goes on at index {index}, in a new epoch. Next: orch plan, orch apply")


async def _observed(
    ws: Workspace, without: Collection[str]
) -> tuple[Observed, Mapping[str, Probe]]:
    """Ask all hosts; refuse where one that is not given up does not answer."""
    async with session(ws) as ties:
        hosts = list(ties.inventory.hosts.values())
        # Without any record, only two hosts with one id are strangers.
        observed = verified(await ties.observer.observe(hosts), Recorded())
        advise(ties)
        _refuse_unknown(observed, without)
        return observed, ties.observer.probes


def _refuse_sound(found: Finding) -> None:
    if found.restorable:
        raise LedgerError(
            f"{len(found.lost)} decisions are gone from the ledger, and can be put back from here",
            "'orch ledger repair' brings all of it back, history too; -force rebuilds all the same",
        )
    if found.meta is not None and not found.problem:
        raise LedgerError(
            "the ledger can be read: there is nothing to rebuild",
            "-force replaces it all the same by what the hosts know",
        )


def _refuse_unknown(observed: Observed, without: Collection[str]) -> None:
    unknown = [u for u in unknown_hosts(observed) if u.host not in without]
    if not unknown:
        return
    said = "\n".join(f"host {clean(u.host)} is unknown: {clean(u.reason)}" for u in unknown)
    raise OrchError(
        f"{said}\nwhat runs there would be forgotten; nothing was changed",
        "bring it back; or, if it is gone for good, name it: -without HOST",
    )


def _known(observed: Observed, probes: Mapping[str, Probe]) -> Rebuilt:
    fences = [fence for probe in probes.values() for fence in probe.decisions]
    indexes = [a.index for a in observed.allocs.values()]
    return Rebuilt(
        jobs=lambda index: rebuilt_jobs(observed, index),
        nodes=rebuilt_nodes(observed),
        epoch=max((f.epoch for f in fences), default=0),
        index=max([*(f.index for f in fences), *indexes], default=0),
    )


def _show(known: Rebuilt) -> None:
    jobs = Recorded(jobs=known.jobs(1)).jobs
    allocs = sum(len(state.allocs) for state in jobs.values())
    say(f"Found on {len(known.nodes)} hosts: {len(jobs)} jobs with {allocs} allocations.")
    for key, state in sorted(jobs.items()):
        live = sum(not a.terminal for a in state.allocs)
        say(f"  {clean(key)}: {live} live, {len(state.allocs) - live} ended")
    note("Job specs come back by the next apply. History, deployments and evaluations do not.")


def _confirm(question: str, *, ask: bool) -> None:
    if not ask:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise OrchError("without a terminal this needs approval; nothing was changed", "Give -yes.")
    sys.stdout.write(f"\n{question} Only 'yes' will be accepted: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != "yes":
        raise OrchError("not approved; nothing was changed")
