"""Tries out whether a place can carry a ledger: create, refuse a conflict, delete."""

from __future__ import annotations

from gitops.ledger import layout
from gitops.ledger.errors import LedgerError
from gitops.ledger.journal import RunInfo
from gitops.ledger.ref_run import Journals
from gitops.ledger.store import Store
from gitops.ledger.surroundings import Surroundings


def probe(store: Store, journals: Journals, surroundings: Surroundings) -> None:
    """Make, contest and remove a journal of its own. Raises `LedgerError` for what failed."""
    info = RunInfo(id=f"check-{surroundings.nonce()[:16]}", holder=surroundings.who)
    ref = layout.run_ref(info.id)
    run = journals.open(info)
    first = store.heads().get(ref, "")
    if not first:
        raise _failed(store, "a ref that was created is not there")
    run.beat()
    second = store.heads().get(ref, "")
    conflicts = [store.swap(ref, old, first).done for old in ("", first)]
    if any(conflicts) or store.heads().get(ref, "") != second:
        raise _failed(store, "it lets a write pass that expects another state")
    run.close()
    if ref in store.heads():
        raise _failed(store, "a ref that was removed is still there")


def _failed(store: Store, reason: str) -> LedgerError:
    return LedgerError(
        f"{store.name} can't carry a ledger: {reason}",
        "use another place: `[ledger] url` in orch.toml",
    )
