"""Taking over an abandoned run: seal its journal, then fold it and take its jobs in one commit."""

from __future__ import annotations

from collections.abc import Collection

from gitops.ledger.errors import LedgerError
from gitops.ledger.journal import held_changes
from gitops.ledger.protocol import Guard, Ledger, RunHead, Snapshot
from planner.recorded import JobChange


def adopted(
    ledger: Ledger,
    snapshot: Snapshot,
    run_id: str,
    new_run: str,
    keys: Collection[str] | None = None,
) -> Snapshot:
    """Return the state in which `new_run` holds the jobs (or `keys` of them) of `run_id`.

    The caller has found the run abandoned. A run without a journal has recorded all it decided.
    Raises `ConflictError` where its writer goes on, or where another adopter was first.
    """
    if run_id == new_run:
        raise LedgerError(f"run {run_id} can't adopt itself")
    run = snapshot.runs.get(run_id)
    # One that is sealed already has been left by its adopter too; the commit decides who wins.
    if run is not None and not run.sealed_by:
        run = ledger.seal(run, new_run)
    changes = _taken(snapshot, run_id, run, new_run, keys)
    guards = tuple(
        Guard(key=key, modify_index=snapshot.recorded.job(key).modify_index)
        for key in dict.fromkeys(c.key for c in changes)
    )
    if changes:
        holder = f" of {run.info.holder}" if run else ""
        message = f"take over run {run_id}{holder}"
        snapshot = ledger.commit(snapshot, changes, message=message, guards=guards)
    if run is not None:
        ledger.drop_run(run)
    left = {k: v for k, v in snapshot.runs.items() if k != run_id}
    return Snapshot(recorded=snapshot.recorded, head=snapshot.head, runs=left)


def _taken(
    snapshot: Snapshot,
    run_id: str,
    run: RunHead | None,
    new_run: str,
    keys: Collection[str] | None,
) -> tuple[JobChange, ...]:
    recorded = snapshot.recorded
    held = [key for key, state in recorded.jobs.items() if state.run == run_id]
    journalled = held_changes(recorded, run_id, run.entries) if run else ()
    takes = (JobChange(key=key, run=new_run if keys is None or key in keys else "") for key in held)
    return (*journalled, *takes)
