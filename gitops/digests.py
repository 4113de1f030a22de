"""Digests of images for new versions of jobs, each job's by way of one host. Writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from executors.containers.client import Engine
from executors.containers.digests import digests
from executors.transport import Connector, HostError
from gitops.planning import Look
from gitops.sealing import Vault
from planner.images import Config, images_to_resolve
from planner.observed import NodeStatus, Observed
from planner.plan import JobPlan

# By job key, and by reference as written; empty for those that nobody knows a digest of.
Digests = Mapping[str, Mapping[str, str]]
# Hosts that are tried, one after the other, where one does not answer.
_HOSTS = 3
_DRIVER = "docker"


async def resolved(
    connector: Connector, plans: Sequence[JobPlan], look: Look, vault: Vault
) -> Digests:
    """Return what the references of the plans' new versions stand for now.

    `vault` has what registries ask for.
    References that keep the digest of an earlier version are not among them.
    """
    asking = _Asking(connector, look.observed)
    wanted = {
        p.key: {
            name: vault.opened_value(p.key, config)
            for name, config in images_to_resolve(p, look.recorded.job(p.key)).items()
        }
        for p in plans
    }
    asked = [p for p in plans if wanted[p.key]]
    found = await asyncio.gather(*(asking.of(p, wanted[p.key]) for p in asked))
    return {p.key: each for p, each in zip(asked, found, strict=True)}


class _Asking:
    """The ways to dockerds that are open for one command, and what has been learnt by them."""

    def __init__(self, connector: Connector, observed: Observed) -> None:
        self._connector = connector
        self._observed = observed
        self._engines: dict[str, Engine] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        # what each reference stands for, and the credentials by which none was told
        self._told: dict[str, str] = {}
        self._untold: dict[str, list[object]] = {}

    async def of(self, plan: JobPlan, wanted: Mapping[str, Config]) -> dict[str, str]:
        """Ask for one job, where it is to run if possible, what no other job has asked for."""
        hosts = _candidates(plan, self._observed)
        found = await asyncio.gather(*(self._once(hosts, r, c) for r, c in wanted.items()))
        return dict(zip(wanted, found, strict=True))

    async def _once(self, hosts: Sequence[str], reference: str, config: Config) -> str:
        login = config.get("auth"), config.get("auth_soft_fail")
        untold = self._untold.setdefault(reference, [])
        async with self._locks.setdefault(reference, asyncio.Lock()):
            if reference not in self._told and login not in untold:
                digest = await self._asked(hosts, reference, config)
                if digest:
                    self._told[reference] = digest
                else:
                    untold.append(login)
            return self._told.get(reference, "")

    async def _asked(self, hosts: Sequence[str], reference: str, config: Config) -> str:
        for host in hosts:
            try:
                found = await digests(await self._engine(host), {reference: config})
            except HostError:
                # The apply itself will say what is wrong with it.
                continue
            return found[reference]
        return ""

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
