"""Answers about one allocation: its records, and what its host shows of it right now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from executors.checks import BoundCheck, bound_checks, failure
from executors.stats import usage
from executors.transport import HostError, Transport
from gitops.cli.answer import Answer, answered
from gitops.cli.look import advise, session, workspace
from gitops.cli.say import note
from gitops.resolve import Found, alloc_named
from gitops.sealing import is_sealed
from gitops.session import Session
from gitops.view import status_json
from gitops.view.alloc_text import AllocCase, alloc_status, check_list
from gitops.view.live import CheckResult, Live
from gitops.view.moment import timestamp
from gitops.view.options import StatusView
from planner.observed import Node, NodeStatus, Observed
from planner.recorded import AllocRecord, ClientStatus, JobState
from planner.status import statuses

if TYPE_CHECKING:
    from gitops.view import shapes


async def alloc(prefix: str, view: StatusView) -> Answer:
    """Answer for the allocation whose id begins so."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = ties.ledger.read().folded()
        return await about(ties, alloc_named(prefix, recorded), view)


async def checks(prefix: str) -> Answer:
    """Answer with the service checks of an allocation, made once."""
    ws = workspace()
    async with session(ws) as ties:
        found = alloc_named(prefix, ties.ledger.read().folded())
        look = await ties.look({found.alloc.node})
        advise(ties)
        node = look.observed.nodes.get(found.alloc.node)
        made: tuple[CheckResult, ...] = ()
        runs = statuses(found.state, look.observed).get(found.alloc.id) is ClientStatus.RUNNING
        if runs and node is not None and node.status is NodeStatus.READY:
            transport = await ties.connector.connect(found.alloc.node)
            data_dir = ties.observer.probes[found.alloc.node].data_dir
            bound = _bound(found.state, found.alloc, node)
            made = await _checked(bound, transport, data_dir)
    text = check_list(found.alloc, made, timestamp(ties.now()))
    return answered(text, [status_json.check_data(c) for c in made], look)


async def about(ties: Session, found: Found, view: StatusView) -> Answer:
    """Answer for one allocation; its host is looked at, and no other."""
    look = await ties.look({found.alloc.node})
    advise(ties)
    state = look.recorded.job(found.state.key)
    record = state.alloc(found.alloc.id) or found.alloc
    status = statuses(state, look.observed)
    live = Live()
    if status.get(record.id) is ClientStatus.RUNNING and not view.short:
        live = await _live(ties, state, record, look.observed)
    case = AllocCase(
        state=state,
        alloc=record,
        seen=look.observed.allocs.get(record.id),
        live=live,
    )
    data: shapes.AllocationStatus = {
        **status_json.alloc_data(state, record, status),
        **status_json.live_data(case.tasks, live),
    }
    return answered(alloc_status(case, view, status), data, look)


async def _live(ties: Session, state: JobState, record: AllocRecord, observed: Observed) -> Live:
    node = observed.nodes.get(record.node)
    if node is None or node.status is not NodeStatus.READY:
        return Live()
    try:
        transport = await ties.connector.connect(record.node)
        data_dir = ties.observer.probes[record.node].data_dir
        used, checks = await asyncio.gather(
            usage(transport, data_dir, [record.id]),
            _checked(_bound(state, record, node), transport, data_dir),
        )
    except HostError as e:
        note(e.message)
        return Live()
    return Live(usage=used.of(record.id), node=node, checks=checks)


async def _checked(
    checks: Sequence[BoundCheck], transport: Transport, data_dir: str
) -> tuple[CheckResult, ...]:
    """Make an allocation's checks once, at the same time."""
    why = await asyncio.gather(*(_failure(c, transport, data_dir) for c in checks))
    return tuple(_result(c, w) for c, w in zip(checks, why, strict=True))


async def _failure(check: BoundCheck, transport: Transport, data_dir: str) -> str:
    if is_sealed(check.check):
        return "it has sensitive values, which are recorded as hashes only"
    return await failure(check, transport, data_dir)


def _bound(state: JobState, record: AllocRecord, node: Node) -> tuple[BoundCheck, ...]:
    version = state.version(record.job_version)
    group = version.job.group(record.group) if version else None
    return bound_checks(group, record, node.address) if group else ()


def _result(bound: BoundCheck, why: str) -> CheckResult:
    ignored = bound.check.on_update == "ignore"
    return CheckResult(
        service=bound.service,
        task=bound.task,
        name=bound.name,
        mode="readiness" if ignored else "healthiness",
        kind=bound.check.type,
        why=why,
    )
