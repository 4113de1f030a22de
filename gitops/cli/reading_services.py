"""Answers about services: the records, and the hosts of allocations that have not ended."""

from __future__ import annotations

from collections.abc import Sequence

from gitops.cli.answer import Answer, answered
from gitops.cli.look import advise, session, workspace
from gitops.planning import Look
from gitops.resolve import service_named
from gitops.services import Registration, registrations
from gitops.view.options import StatusView
from gitops.view.service_text import service_data, service_info, service_list, service_stubs


async def services() -> Answer:
    """Answer with all services."""
    look, found = await _registered()
    return answered(service_list(found), service_stubs(found), look)


async def service(name: str, view: StatusView) -> Answer:
    """Answer for one service: where it runs."""
    look, found = await _registered()
    wanted = service_named(name, {r.service for r in found})
    chosen = [r for r in found if r.service == wanted]
    return answered(service_info(chosen, view), service_data(chosen), look)


async def _registered() -> tuple[Look, Sequence[Registration]]:
    async with session(workspace()) as ties:
        recorded = ties.ledger.read().folded()
        live = {a.node for s in recorded.jobs.values() for a in s.allocs if not a.client.terminal}
        look = await ties.look(live, last=True)
        advise(ties)
    return look, registrations(look.recorded, look.observed)
