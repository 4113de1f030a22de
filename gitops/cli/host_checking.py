"""What `orch host check` does: look at hosts of a pattern, say what they lack. Writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from executors.findings import Result
from executors.ssh import SshConnector
from executors.transport import HostError
from gitops.cli.look import workspace
from gitops.cli.progress import probing
from gitops.cli.say import note, say, say_json
from gitops.exit_codes import INCOMPLETE
from gitops.host_reports import Examination, HostReport, drivers_of_jobs, recorded_by, reports
from gitops.ssh_setup import connector_of
from gitops.view import findings_text
from gitops.workspace import Workspace
from inventory.model import Inventory
from planner.errors import OrchError
from planner.observed import NodeStatus
from planner.recorded import Recorded


async def check(pattern: str, *, verbose: bool, json: bool) -> int:
    """Say what hosts have and lack; return 0, 1 where one can't be used, 4 where one is away."""
    ws = workspace()
    found = await examined(ws, pattern)
    if json:
        say_json(findings_text.data(found))
    else:
        say(findings_text.host_checks(found, verbose=verbose))
    note(findings_text.summary(found))
    return exit_code(found)


async def examined(ws: Workspace, pattern: str) -> list[HostReport]:
    """Look at the hosts of a pattern, held against what jobs ask for where that can be read."""
    inventory = ws.inventory(pattern)
    drivers = await asyncio.to_thread(drivers_of_jobs, ws)
    connector = connector_of(ws, inventory)
    try:
        return await looked_at(ws, connector, inventory, drivers=drivers)
    finally:
        await connector.close()


async def looked_at(
    ws: Workspace, connector: SshConnector, inventory: Inventory, *, drivers: frozenset[str] | None
) -> list[HostReport]:
    """Look at hosts, held against the ledger where it can be read."""
    recorded = await asyncio.to_thread(recorded_by, ws)
    if isinstance(recorded, OrchError):
        note(f"The ledger was not read, so nodes are not compared with it: {recorded.message}")
        recorded = Recorded()
    wanted = Examination(
        cluster=ws.config.cluster,
        recorded=recorded,
        drivers=drivers,
        where={name: _where(connector, name) for name in inventory.hosts},
    )
    told = probing(len(inventory.hosts))
    hosts = list(inventory.hosts.values())
    return await reports(connector, hosts, wanted, lambda host: told(host, NodeStatus.READY))


def _where(connector: SshConnector, host: str) -> str:
    try:
        route = connector.routes.route(host)
    except HostError:
        return ""  # told when it is connected to
    through = "".join(f" through {hop.name}" for hop in route.jumps[-1:])
    return f"{route.target.user} at {route.target.where}{through}"


def exit_code(found: Sequence[HostReport]) -> int:
    """Return 1 where a host was reached and can't be used, 4 where one was not reached, else 0."""
    if any(r.reached and r.result is Result.FAILED for r in found):
        return 1
    return INCOMPLETE if any(not r.reached for r in found) else 0
