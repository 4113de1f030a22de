"""Carrying a begun run out: enrol and fence hosts, then roll every job, each at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from executors.boundary import Boundary
from executors.rollout import Outcome, Rollout
from executors.run import Run
from executors.transport import HostError
from planner.observed import Node, NodeStatus
from planner.plan import JobPlan
from planner.recorded import NodeRecord


def hosts_of(run: Run, plan: JobPlan) -> frozenset[str]:
    """Return the hosts where a job is recorded to run, or planned to."""
    recorded = {a.node for a in run.state(plan.key).allocs if not a.terminal}
    return frozenset(recorded | {c.node for c in plan.changes if c.node})


async def carry_out(
    run: Run, plans: Sequence[JobPlan], nodes: Iterable[NodeRecord]
) -> tuple[Outcome, ...]:
    """Do what the begun jobs need on the hosts; return each job's outcome, in the order given.

    `nodes` are those whose ids the begin of this run recorded. Raises a `ConflictError` where a
    host or the ledger has seen a newer decision: nothing of the job goes on then.
    """
    await asyncio.gather(*(_enrol(run, n) for n in nodes))
    run.at(Boundary.ENROLLED)
    await asyncio.gather(*(run.prepare(p.key, hosts_of(run, p)) for p in plans))
    run.at(Boundary.FENCED)
    ends = await asyncio.gather(
        *(Rollout(run=run, key=p.key, job=p.job).drive() for p in plans), return_exceptions=True
    )
    # Every rollout has come to its own end before the first error is told.
    return tuple(_outcome(end) for end in ends)


def _outcome(end: Outcome | BaseException) -> Outcome:
    if isinstance(end, BaseException):
        raise end
    return end


async def _enrol(run: Run, record: NodeRecord) -> None:
    node: Node = run.node(record.name)
    if node.status is not NodeStatus.READY:
        return
    try:
        standing = await run.fleet.enrol(node, record.id)
    except HostError as e:
        run.lost(record.name, e.message)
        return
    if standing != record.id:
        run.lost(record.name, f"it is enrolled as node {standing[:8]}, not {record.id[:8]}")
