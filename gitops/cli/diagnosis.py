"""What `orch doctor` does: look at all that orch needs on this side, then at the hosts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from executors.findings import Finding, Result, worst
from gitops import fleet_findings, ledger_findings, self_findings, ssh_findings
from gitops.cli.host_checking import examined
from gitops.cli.say import note, say, say_json
from gitops.config import NAME, ConfigError
from gitops.host_reports import HostReport
from gitops.self_findings import told
from gitops.view import findings_text
from gitops.workspace import Workspace, open_workspace
from inventory.errors import InventoryError, PatternError
from planner.errors import OrchError

Parts = dict[str, tuple[Finding, ...]]


async def diagnose(limit: str, *, write: bool, json: bool) -> int:
    """Print what was found; return 1 where something failed, else 0."""
    parts = await _parts(limit, write=write)
    findings = [f for found in parts.values() for f in found]
    if json:
        result = worst(findings)
        say_json({"Result": result, "Sections": findings_text.sections_data(parts)})
    else:
        say(findings_text.sections(parts))
    note(findings_text.outcome(findings))
    return 1 if worst(findings) is Result.FAILED else 0


async def _parts(limit: str, *, write: bool) -> Parts:
    machine = await asyncio.to_thread(self_findings.machine, os.environ)
    try:
        ws = open_workspace(Path.cwd())
    except ConfigError as e:
        return {"This machine": machine, "Repository": (told(e, NAME),)}
    repository = await asyncio.to_thread(self_findings.repository, ws)
    ledger = await asyncio.to_thread(ledger_findings.ledger, ws, write=write)
    reports, trouble = await _hosts(ws, limit)
    machine = (*machine, fleet_findings.clock(reports))
    hosts = trouble or fleet_findings.hosts(reports)
    return {
        "This machine": machine,
        "Repository": repository,
        "SSH": await ssh_findings.ssh(ws),
        "Ledger": ledger,
        "Hosts": hosts,
    }


async def _hosts(ws: Workspace, limit: str) -> tuple[list[HostReport], tuple[Finding, ...]]:
    """Return what was found on hosts; an inventory that can't be read is told elsewhere."""
    try:
        if not ws.inventory().hosts:
            none = "there are none in the inventory"
            return [], (Finding(name="hosts", result=Result.NOT_NEEDED, detail=none),)
        return await examined(ws, limit), ()
    except PatternError as e:
        bad = Finding(name="-limit", result=Result.FAILED, detail=e.message, remedy=e.hint)
        return [], (bad,)
    except (OrchError, InventoryError):
        detail = "not looked at, for want of an inventory"
        return [], (Finding(name="hosts", result=Result.NOT_NEEDED, detail=detail),)
