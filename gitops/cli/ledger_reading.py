"""What `orch ledger status` and `orch ledger check` answer. Hosts are not asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gitops.cli.answer import Answer
from gitops.cli.look import workspace
from gitops.ledger.check import Trial
from gitops.ledger.errors import LedgerError
from gitops.ledger.locks import lock_files
from gitops.ledger.opening import Address, local_path, open_ledger
from gitops.ledger.process import is_gone, is_here
from gitops.ledger.protocol import RunHead, Snapshot
from gitops.ledger_home import ledger_address, ledger_of
from gitops.view import ledger_text
from planner.errors import OrchError

if TYPE_CHECKING:
    from gitops.view import fleet_shapes


def status(now: int) -> Answer:
    """Answer where the ledger is, and which runs are in progress; `now` in ns."""
    address = ledger_address(workspace())
    ledger = open_ledger(address)
    snapshot = ledger.read()
    facts = {
        "Place": ledger.place,
        "Prefix": address.prefix,
        "Cluster": address.cluster,
        "Head": snapshot.head,
        "Epoch": snapshot.recorded.epoch,
        "Index": snapshot.recorded.index,
        "Jobs": sum(bool(s.current) for s in snapshot.recorded.jobs.values()),
        "Nodes": len(snapshot.recorded.nodes),
    }
    runs = [run_data(run, snapshot) for run in snapshot.runs.values()]
    return Answer(
        text=ledger_text.status(facts, list(snapshot.runs.values()), now),
        data={**facts, "Runs": runs},
    )


def run_data(run: RunHead, snapshot: Snapshot) -> fleet_shapes.LedgerRun:
    """Return a run in progress, or one that was interrupted."""
    last = run.entries[-1] if run.entries else None
    held = sorted(k for k, s in snapshot.recorded.jobs.items() if s.run == run.id)
    return {
        "ID": run.id,
        "Holder": run.info.holder,
        "Started": run.info.started,
        "Commit": run.info.commit,
        "Jobs": list(run.info.jobs),
        "Holds": held,
        "Entries": len(run.entries),
        "LastEntry": {"Kind": last.kind, "Time": last.time} if last else None,
        "SealedBy": run.sealed_by,
    }


def members(now: int) -> Answer:
    """Answer with the ledger and the runs that hold jobs; `now` in ns."""
    ledger = ledger_of(workspace())
    snapshot = ledger.read()
    recorded = snapshot.recorded
    runs = sorted(snapshot.runs.values(), key=lambda r: (r.info.started, r.id))
    rows = [ledger_text.Member(name=ledger.place, role="ledger", status=f"index {recorded.index}")]
    rows += [
        ledger_text.Member(
            name=run.info.holder,
            role=f"run {run.id[:8]}",
            status=life(run),
            started=run.info.started,
            jobs=tuple(sorted(k for k, s in recorded.jobs.items() if s.run == run.id)),
        )
        for run in runs
    ]
    data: list[fleet_shapes.LedgerMember | fleet_shapes.RunMember] = [
        {"Name": ledger.place, "Role": "ledger", "Status": "alive", "Index": recorded.index},
        *(_member(run, snapshot) for run in runs),
    ]
    return Answer(text=ledger_text.members(rows, now), data=data)


def _member(run: RunHead, snapshot: Snapshot) -> fleet_shapes.RunMember:
    return {
        "Name": run.info.holder,
        "Role": "run",
        "Status": life(run),
        **run_data(run, snapshot),
    }


def life(run: RunHead) -> str:
    """Say whether the process of a run lives, as far as that can be told from here."""
    if run.sealed_by:
        return "taken over"
    if is_gone(run.info.process):
        return "dead"
    return "alive" if is_here(run.info.process) else "elsewhere"


def check() -> Answer:
    """Try the place step by step; the exit code is 1 where something failed."""
    address = ledger_address(workspace())
    ledger = open_ledger(address)
    found = [*ledger.trials()]
    found.append(Trial(name="no lock left behind", error=_locks(address)))
    found.append(Trial(name="nothing lost", error=_unreadable(ledger.read)))
    trials: list[fleet_shapes.LedgerTrial] = [
        {
            "Name": t.name,
            "Result": ledger_text.result(t),
            "Error": t.error.message if t.error else "",
            "Hint": t.error.hint if t.error else "",
        }
        for t in found
    ]
    passed = all(t.passed for t in found)
    return Answer(
        text=ledger_text.check(ledger.place, found),
        data={"Place": ledger.place, "Passed": passed, "Trials": trials},
        exit_code=0 if passed else 1,
    )


def _unreadable(read: Callable[[], object]) -> OrchError | None:
    try:
        read()
    except OrchError as e:
        return e
    return None


def _locks(address: Address) -> OrchError | None:
    """Return the error for lock files in a ledger on this machine."""
    path = local_path(address.url)
    left = [p for p in lock_files(path) if _age(p) > 1] if path else []
    if not left:
        return None
    names = ", ".join(str(p) for p in left)
    return LedgerError(
        f"git has left lock files behind: {names}",
        "if no git is running there, remove them; orch removes its own after two minutes",
    )


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
