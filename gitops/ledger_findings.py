"""Whether the ledger can be read, and written as far as that shows; writes only if told to."""

from __future__ import annotations

from executors.findings import Finding, Result
from gitops.ledger.opening import Address, open_ledger, open_store
from gitops.ledger.surroundings import Surroundings
from gitops.ledger_home import ledger_address
from gitops.self_findings import told
from gitops.workspace import Workspace
from planner.errors import OrchError

_CHECK = "orch ledger check"


def ledger(ws: Workspace, *, write: bool) -> tuple[Finding, ...]:
    """Return how it stands with the ledger; with `write`, everything is tried on it."""
    try:
        address = ledger_address(ws)
        found = open_ledger(address)
        place = Finding(name="place", detail=found.place)
    except OrchError as e:
        return (told(e, "place"),)
    try:
        read = found.read().recorded
    except OrchError as e:
        return (place, told(e, "reading"))
    jobs, nodes = sum(bool(s.current) for s in read.jobs.values()), len(read.nodes)
    counts = (f"{n} {word}{'s' if n != 1 else ''}" for n, word in ((jobs, "job"), (nodes, "node")))
    detail = ", ".join((f"index {read.index}", *counts))
    rest = _tried(address) if write else _rights(address)
    return (place, Finding(name="reading", detail=detail), rest)


def _rights(address: Address) -> Finding:
    try:
        refusal = open_store(address, Surroundings.real()).refusal()
    except OrchError as e:
        return told(e, "writing")
    if refusal is None:
        detail = "not known before the first decision; 'orch doctor -write' tries it"
        return Finding(name="writing", result=Result.NOT_NEEDED, detail=detail)
    if refusal:
        remedy = f"Use an account that may push there, then try it: {_CHECK}"
        return Finding(name="writing", result=Result.FAILED, detail=refusal, remedy=remedy)
    return Finding(name="writing", detail="nothing speaks against it (nothing was written)")


def _tried(address: Address) -> Finding:
    trials = list(open_ledger(address).trials())
    failed = next((t for t in trials if t.error is not None), None)
    if failed is None or failed.error is None:
        return Finding(name="writing", detail=f"tried: {', '.join(t.name for t in trials)}")
    bad = told(failed.error, "writing")
    detail = f"{failed.name}: {bad.detail}"
    return Finding(name="writing", result=Result.FAILED, detail=detail, remedy=bad.remedy or _CHECK)
