"""Digests of images for new versions of jobs, each job's by way of one host. Writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from executors.containers.client import Engine
from executors.containers.digests import digests
from executors.transport import Connector, HostError
from gitops.planning import Look
from planner.images import Config, images_to_resolve
from planner.observed import NodeStatus, Observed
from planner.plan import JobPlan

# By job key, and by reference as written; empty for those that nobody knows a digest of.
Digests = Mapping[str, Mapping[str, str]]
# Hosts that are tried, one after the other, where one does not answer.
_HOSTS = 3
_DRIVER = "docker"


async def resolved(connector: Connector, plans: Sequence[JobPlan], look: Look) -> Digests:
    """Return what the references of the plans' new versions stand for now.

    References that keep the digest of an earlier version are not among them.
    """
    asking = _Asking(connector, look.observed)
    wanted = {p.key: images_to_resolve(p, look.recorded.job(p.key)) for p in plans}
    asked = [p for p in plans if wanted[p.key]]
    found = await asyncio.gather(*(asking.of(p, wanted[p.key]) for p in asked))
    return {p.key: each for p, each in zip(asked, found, strict=True)}


class _Asking:
    """The ways to dockerds that are open for one command."""

    def __init__(self, connector: Connector, observed: Observed) -> None:
        self._connector = connector
        self._observed = observed
        self._engines: dict[str, Engine] = {}

    async def of(self, plan: JobPlan, wanted: Mapping[str, Config]) -> dict[str, str]:
        """Ask for one job, where it is to run if possible."""
        for host in _candidates(plan, self._observed):
            try:
                return await digests(await self._engine(host), wanted)
            except HostError:
                # The apply itself will say what is wrong with it.
                continue
        return dict.fromkeys(wanted, "")

    async def _engine(self, host: str) -> Engine:
        transport = await self._connector.connect(host)
        return self._engines.setdefault(host, Engine(transport))


def _candidates(plan: JobPlan, observed: Observed) -> Sequence[str]:
    def names() -> Iterator[str]:
        yield from (c.node for c in plan.changes if c.node)
        yield from sorted(observed.nodes)

    ready = {
        n.name
        for n in observed.nodes.values()
        if n.status is NodeStatus.READY and _DRIVER in n.drivers
    }
    return [n for n in dict.fromkeys(names()) if n in ready][:_HOSTS]
