"""What hosts lack, all looked at at once, and whether they are the nodes on record. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors import observe
from executors.findings import Finding, Result, worst
from executors.host_findings import Case, findings, unreached
from executors.probe import Probe
from executors.readiness import Readiness, ShellError, look
from executors.transport import Connector, HostError
from gitops.request import SpecRequest
from gitops.workspace import Workspace
from inventory.errors import InventoryError
from inventory.model import Host
from planner.errors import OrchError
from planner.nodes import verified
from planner.observed import NodeStatus, Observed
from planner.recorded import Recorded

_STRANGER = (
    "Correct its address, or put its data directory back; of two copies, empty the data directory "
    "of one. Nothing is done there before."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """What was found on one host; `seen` is None where it was not reached, and `error` says why."""

    host: str
    findings: tuple[Finding, ...]
    seen: Readiness | None = None
    error: HostError | None = None

    @property
    def reached(self) -> bool:
        """Whether somebody was let in."""
        return self.seen is not None or isinstance(self.error, ShellError)

    @property
    def result(self) -> Result:
        """The worst of it."""
        return worst(self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What hosts are held against: the records, where they are known, and what jobs ask for."""

    cluster: str
    recorded: Recorded = field(default_factory=Recorded)
    drivers: frozenset[str] | None = None
    # how each host is reached, in words
    where: Mapping[str, str] = field(default_factory=dict[str, str])


async def reports(
    connector: Connector,
    hosts: Sequence[Host],
    wanted: Examination,
    done: Callable[[str], None] = lambda _: None,
) -> list[HostReport]:
    """Return what every host has and lacks, in order; `done` is told of each one's end."""

    async def on(host: Host) -> HostReport:
        try:
            seen = await look(connector, host, wanted.cluster)
        except HostError as e:
            found = HostReport(host=host.name, findings=unreached(e), error=e)
        else:
            where = wanted.where.get(host.name, "")
            case = Case(host=host, seen=seen, where=where, drivers=wanted.drivers)
            found = HostReport(host=host.name, findings=findings(case), seen=seen)
        await connector.hang_up(host.name)
        done(host.name)
        return found

    found = list(await asyncio.gather(*(on(h) for h in hosts)))
    strangers = _strangers(hosts, found, wanted.recorded)
    return [_with_stranger(r, strangers.get(r.host, "")) for r in found]


def _strangers(
    hosts: Sequence[Host], found: Collection[HostReport], recorded: Recorded
) -> Mapping[str, str]:
    """Return the hosts that are not who they are on record, each with the reason."""
    by_name = {h.name: h for h in hosts}
    probes = {
        r.host: r.seen.probe
        for r in found
        if r.seen is not None and isinstance(r.seen.probe, Probe)
    }
    nodes = {name: observe.node(by_name[name], probe) for name, probe in probes.items()}
    ready = {n: node for n, node in nodes.items() if node.status is NodeStatus.READY}
    judged = verified(Observed(nodes=ready), recorded).nodes
    return {n: node.reason for n, node in judged.items() if node.status is not NodeStatus.READY}


def _with_stranger(report: HostReport, reason: str) -> HostReport:
    if not reason:
        return report
    bad = Finding(name="node", result=Result.FAILED, detail=reason, remedy=_STRANGER)
    return replace(report, findings=tuple(bad if f.name == "node" else f for f in report.findings))


def drivers_of_jobs(workspace: Workspace) -> frozenset[str] | None:
    """Return the drivers that the repository's jobs name; None where they can't be read."""
    from gitops.specs import NoSpecsError, read_specs

    try:
        loaded = read_specs(workspace, SpecRequest()).loaded
    except NoSpecsError:
        return frozenset()
    except (OrchError, InventoryError):
        return None
    return frozenset(
        task.driver for spec in loaded for group in spec.job.task_groups for task in group.tasks
    )


def recorded_by(workspace: Workspace) -> Recorded | OrchError:
    """Return what the ledger has, or why it can't be read."""
    from gitops.ledger.opening import open_ledger
    from gitops.ledger_home import ledger_address

    try:
        return open_ledger(ledger_address(workspace)).read().folded()
    except OrchError as e:
        return e
