"""Hosts that do not answer: an error where that is wanted, or lost where somebody says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gitops.ledger.protocol import Ledger, Snapshot
from gitops.planning import Look
from gitops.request import SpecRequest
from planner.errors import OrchError
from planner.lost import declared, down, returned
from planner.node_record import NodeRecord
from planner.plan import Plan


def with_lost(look: Look, hosts: Collection[str]) -> Look:
    """Return the look in which these hosts are lost; `OrchError` where one of them answers."""
    if not hosts:
        return look
    records = declared(look.observed.nodes, look.recorded, hosts, look.now)
    nodes = {**look.recorded.nodes, **{r.name: r for r in records}}
    recorded = replace(look.recorded, nodes=nodes)
    return replace(look, recorded=recorded, observed=down(look.observed, recorded))


def refuse_unreachable(made: Plan, request: SpecRequest) -> None:
    """Raise an `OrchError` where hosts are unknown, if that is not to be."""
    if not request.fails_unreachable or not made.unknown:
        return
    told = "\n".join(f"host {u.host} is unknown: {u.reason}" for u in made.unknown)
    raise OrchError(
        f"{told}\nnothing was touched",
        "Bring it back; leave it alone with -on-unreachable=skip; or, if it is gone for good, name "
        "it: -lost HOST.",
    )


def advice(hosts: Collection[str]) -> list[str]:
    """Say what is decided about hosts that are declared lost."""
    return [
        f"Host {host} counts as lost: what ran there is replaced. If it answers again, what was "
        "replaced is stopped there before anything else happens, and the rest is taken back."
        for host in sorted(set(hosts))
    ]


def decide(ledger: Ledger, look: Look) -> Snapshot:
    """Record hosts that are lost, and those that were and answer again; return the state.

    Runs are as they were read: a plan, and the wait for one that is dead, are about those.
    """
    known = look.snapshot.recorded.nodes
    lost = [r for n, r in sorted(look.recorded.nodes.items()) if r.lost and not known[n].lost]
    back = returned(look.observed, look.snapshot.recorded)
    if not (lost or back):
        return look.snapshot
    message = "; ".join([_message("Lost", lost), _message("Back", back)]).strip("; ")
    after = ledger.commit(look.snapshot, [], [*lost, *back], message=message, guards=[])
    return replace(after, runs=look.snapshot.runs)


def _message(word: str, records: Collection[NodeRecord]) -> str:
    return f"{word}: {', '.join(r.name for r in records)}" if records else ""
