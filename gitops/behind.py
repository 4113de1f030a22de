"""A ledger that is behind what hosts have seen of it: decisions were lost, or it is another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from executors.probe import HostFence
from gitops.ledger.errors import RewoundError
from gitops.ledger.protocol import Snapshot

# What each host has seen of the ledger's decisions.
Decisions = Mapping[str, Iterable[HostFence]]


def ahead(snapshot: Snapshot, seen: Decisions) -> RewoundError | None:
    """Return the error for the first host that has seen a newer decision; None where none has."""
    now = (snapshot.recorded.epoch, snapshot.recorded.index)
    newer = ((n, f) for n, found in sorted(seen.items()) for f in found)
    first = next((x for x in newer if (x[1].epoch, x[1].index) > now), None)
    return _behind(snapshot, *first) if first else None


def _behind(snapshot: Snapshot, host: str, fence: HostFence) -> RewoundError:
    recorded = snapshot.recorded
    found = f"index {recorded.index} (epoch {recorded.epoch})" if snapshot.head else "empty"
    return RewoundError(
        f"the ledger is {found}, but {host} has seen index {fence.index} (epoch {fence.epoch})"
        " of it: decisions were lost, or this is another ledger",
        "nothing is written until that is settled; if the ledger is the right one:\n"
        "  orch ledger repair     where it was used lately: puts back what was lost\n"
        "  orch ledger rebuild    writes a new one from what the hosts know",
    )
