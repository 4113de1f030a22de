"""Carrying a begun run out: enrol and fence hosts, then roll every job, each at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace

from executors.boundary import Boundary
from executors.outcome import Outcome, OutcomeKind, interrupted
from executors.refusals import FencedError, GuardError
from executors.rollout import Rollout
from executors.run import Run
from executors.transport import HostError
from planner.events import Message
from planner.node_record import NodeRecord
from planner.observed import Node, NodeStatus
from planner.plan import JobPlan
from planner.recorded import AllocRecord, JobChange
from planner.retention import forgettable


def hosts_of(run: Run, plan: JobPlan) -> frozenset[str]:
    """Return the hosts where a job is recorded to run, or planned to.

    What is to stop counts until it was seen to have ended: who decided that may be at it still.
    """
    recorded = {a.node for a in run.state(plan.key).allocs if not a.client.terminal}
    return frozenset(recorded | {c.node for c in plan.changes if c.node})


async def enrol(run: Run, proposed: Iterable[NodeRecord]) -> tuple[NodeRecord, ...]:
    """Give hosts their ids, unless they have one by now; return the nodes as they stand there.

    What the host says is recorded afterwards, never before: of two runs that meet, or after a
    crash, both read the same there. A host that fails is taken as unknown, and is left out.
    """
    standing = await asyncio.gather(*(_enrol(run, n) for n in proposed))
    run.at(Boundary.ENROLLED)
    return tuple(n for n in standing if n is not None)


async def carry_out(run: Run, plans: Sequence[JobPlan]) -> tuple[Outcome, ...]:
    """Do what the begun jobs need on the hosts; return each job's outcome, in the order given.

    One job's end does not touch the others'. Raises a `ConflictError` where the run was taken
    over.
    """
    ends = await asyncio.gather(*(_rolled(run, p) for p in plans), return_exceptions=True)
    # Every rollout has come to its own end before the first error is told.
    return tuple(_outcome(end) for end in ends)


def standing(run: Run, plan: JobPlan) -> JobPlan:
    """Return the plan with the spec that its job has by now: it may have gone back."""
    current = run.state(plan.key).current
    return replace(plan, job=current.job) if current is not None else plan


async def forget(run: Run, plans: Sequence[JobPlan], purges: Collection[str]) -> None:
    """Drop what is too old to keep of jobs that are done, and all of those in `purges`.

    An allocation is forgotten on its host first. Where that fails it stays on record, and is
    tried again by the next apply.
    """
    dropped = await asyncio.gather(*(_forget(run, p.key, p.key in purges) for p in plans))
    changes = [JobChange(key=p.key, forget=ids) for p, ids in zip(plans, dropped, strict=True)]
    if changes := [c for c in changes if c.forget]:
        await run.journalled("forget", changes)


async def _forget(run: Run, key: str, whole: bool) -> tuple[str, ...]:
    state = run.state(key)
    old = tuple(a for a in state.allocs if a.terminal) if whole else forgettable(state)
    gone = await asyncio.gather(*(_removed(run, key, a) for a in old))
    return tuple(a.id for a, is_gone in zip(old, gone, strict=True) if is_gone)


async def _removed(run: Run, key: str, alloc: AllocRecord) -> bool:
    node = run.node(alloc.node)
    if node.status is not NodeStatus.READY:
        return False
    try:
        await run.prepare(key, [alloc.node])
        await run.fleet.remove(node, run.fence(key), alloc.id)
    except (HostError, GuardError) as e:
        told = f"{alloc.name} is over, but its files stay on {alloc.node}: {e.message}"
        run.tell(Message(time=run.clock.now(), text=told))
        return False
    return True


async def _rolled(run: Run, plan: JobPlan) -> Outcome:
    async with run.jobs_at_once or nullcontext():
        return interrupted(plan.key) if run.stopping() else await _driven(run, plan)


async def _driven(run: Run, plan: JobPlan) -> Outcome:
    try:
        await run.prepare(plan.key, hosts_of(run, plan))
        run.at(Boundary.FENCED)
        return await Rollout(run=run, key=plan.key, job=plan.job).drive()
    except FencedError as e:
        return Outcome(key=plan.key, kind=OutcomeKind.CONFLICT, detail=f"{e.message}\n{e.hint}")


def _outcome(end: Outcome | BaseException) -> Outcome:
    if isinstance(end, BaseException):
        raise end
    return end


async def _enrol(run: Run, proposed: NodeRecord) -> NodeRecord | None:
    node: Node = run.node(proposed.name)
    if node.status is not NodeStatus.READY:
        return None
    try:
        standing = await run.fleet.enrol(node, proposed.id)
    except (HostError, GuardError) as e:
        run.lost(proposed.name, e.message, e.hint)
        return None
    if node.id and standing != node.id:
        run.lost(proposed.name, f"it was node {node.id[:8]}, and now is {standing[:8]}")
        return None
    known = run.recorded.nodes
    others = [n for n in known if n in run.observed.nodes and n != proposed.name]
    if any(known[n].id == standing for n in others):
        run.lost(proposed.name, f"its node id {standing[:8]} is also that of another host")
        return None
    return replace(proposed, id=standing)
