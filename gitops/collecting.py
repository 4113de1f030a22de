"""Removes what nothing needs: the ledger forgets first, then hosts; what fails is found again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from executors.guard import Guard as HostGuard
from executors.refusals import GuardError
from executors.transport import HostError
from gitops.garbage import Item, Kind, Left
from gitops.ledger.protocol import Guard
from gitops.session import Session
from planner.recorded import JobChange

# In one step: a command has its length, and others wait for the host's lock meanwhile.
_AT_ONCE = 50


@dataclass(slots=True, kw_only=True)
class Collected:
    """What has gone, and why what has not."""

    gone: list[Item] = field(default_factory=list[Item])
    problems: list[str] = field(default_factory=list[str])


async def collect(ties: Session, left: Left, items: Sequence[Item]) -> Collected:
    """Remove the items.

    Raises a `ConflictError` where a job has moved since it was looked at; no host was touched then.
    """
    done = Collected()
    await asyncio.to_thread(_in_ledger, ties, left, items)
    done.gone += [i for i in items if i.kind is Kind.RUN]
    hosts = sorted({i.host for i in items if i.host})
    await asyncio.gather(
        *(_on_host(ties, left, h, [i for i in items if i.host == h], done) for h in hosts)
    )
    return done


def _in_ledger(ties: Session, left: Left, items: Sequence[Item]) -> None:
    for item in items:
        if item.run is not None:
            ties.ledger.drop_run(item.run)
    jobs = sorted({i.job for i in items if i.recorded})
    if not jobs:
        return
    recorded = left.snapshot.recorded
    ties.ledger.commit(
        left.snapshot,
        [
            JobChange(key=key, forget=tuple(i.id for i in items if i.recorded and i.job == key))
            for key in jobs
        ],
        message="Collect garbage",
        guards=[Guard(key=key, modify_index=recorded.job(key).modify_index) for key in jobs],
    )


async def _on_host(
    ties: Session, left: Left, host: str, items: Sequence[Item], done: Collected
) -> None:
    try:
        guard = HostGuard(
            transport=await ties.connector.connect(host),
            cluster=left.cluster,
            node_id=left.observed.nodes[host].id,
            data_dir=left.probes[host].data_dir,
        )
    except HostError as e:
        done.problems.append(e.message)
        return
    for item in items:
        if item.kind is Kind.ALLOCATION and item.fence is not None:
            try:
                await guard.remove(item.fence, item.id)
                done.gone.append(item)
            except GuardError as e:
                done.problems.append(e.message)
            except HostError as e:  # no use in asking it for the others
                done.problems.append(e.message)
                return
    await _drop(guard, [i for i in items if i.kind is not Kind.ALLOCATION], done)


async def _drop(guard: HostGuard, items: Sequence[Item], done: Collected) -> None:
    for start in range(0, len(items), _AT_ONCE):
        part = items[start : start + _AT_ONCE]
        fences = [i.fence for i in part if i.kind is Kind.FENCE and i.fence is not None]
        containers = [i.id for i in part if i.kind is Kind.CONTAINER]
        try:
            await guard.collect(fences, containers)
        except (HostError, GuardError) as e:
            done.problems.append(e.message)
            return
        done.gone += part
