"""Hosts are made ready before their first apply: a data directory and a node id.

The same step on the host as the first apply's; what it writes, the next apply puts on record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from executors import observe
from executors.findings import Finding, Result
from executors.probe import Probe
from executors.refusals import GuardError
from executors.ssh_fleet import SshFleet
from executors.transport import Connector, HostError
from gitops.host_reports import HostReport
from inventory.model import Host


class Outcome(StrEnum):
    """What became of a host."""

    PLANNED = "to be enrolled"
    ENROLLED = "enrolled"
    UNCHANGED = "already enrolled"
    REFUSED = "refused"
    NOT_REACHED = "not reached"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What is to be done on a host, or was; `trouble` is what kept it from being done."""

    host: str
    outcome: Outcome
    steps: tuple[str, ...] = ()
    node_id: str = ""
    trouble: tuple[Finding, ...] = ()


def planned(report: HostReport) -> Enrolment:
    """Return what a host needs, by what was found there."""
    trouble = tuple(f for f in report.findings if f.result is Result.FAILED)
    seen = report.seen
    if not report.reached:
        return Enrolment(host=report.host, outcome=Outcome.NOT_REACHED, trouble=trouble)
    if trouble or seen is None or isinstance(seen.probe, HostError):
        return Enrolment(host=report.host, outcome=Outcome.REFUSED, trouble=trouble)
    if seen.probe.node_id:
        node_id = seen.probe.node_id
        return Enrolment(host=report.host, outcome=Outcome.UNCHANGED, node_id=node_id)
    data = seen.probe.data_dir
    making = [] if seen.probe.format else [f"make {data} (mode 0711, of {seen.user})"]
    steps = (*making, "write a random node id")
    return Enrolment(host=report.host, outcome=Outcome.PLANNED, steps=steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolling:
    """Enrols hosts that were looked at; `fresh_id` draws a node's id."""

    connector: Connector
    cluster: str
    hosts: Mapping[str, Host]
    fresh_id: Callable[[], str]

    async def all(
        self, wanted: Sequence[Enrolment], reports: Sequence[HostReport]
    ) -> list[Enrolment]:
        """Carry out what was planned, everywhere at once; return what became of every host."""
        probes = {
            r.host: r.seen.probe for r in reports if r.seen and isinstance(r.seen.probe, Probe)
        }
        fleet = SshFleet(
            connector=self.connector, cluster=self.cluster, hosts=self.hosts, probes=probes
        )
        return list(await asyncio.gather(*(self._one(fleet, e) for e in wanted)))

    async def _one(self, fleet: SshFleet, wanted: Enrolment) -> Enrolment:
        if wanted.outcome is not Outcome.PLANNED:
            return wanted
        host = wanted.host
        node = observe.node(self.hosts[host], fleet.probes[host])
        try:
            node_id = await fleet.enrol(node, self.fresh_id())
        except (HostError, GuardError) as e:
            detail = e.message.removeprefix(f"{host}: ")
            trouble = Finding(name="enrol", result=Result.FAILED, detail=detail, remedy=e.hint)
            return Enrolment(
                host=host, outcome=Outcome.FAILED, steps=wanted.steps, trouble=(trouble,)
            )
        return Enrolment(host=host, outcome=Outcome.ENROLLED, steps=wanted.steps, node_id=node_id)
