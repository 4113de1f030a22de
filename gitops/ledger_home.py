"""Finds where the ledger of a workspace is: in the settings, at the origin, or on a host."""

from __future__ import annotations

from executors.home import at_home
from gitops.known import Known
from gitops.ledger.opening import Address, open_ledger
from gitops.ledger.ref_ledger import RefLedger
from gitops.workspace import Workspace
from planner.errors import OrchError


def ledger_address(workspace: Workspace) -> Address:
    """Say where the ledger is: `[ledger] url`, else the origin of the repository.

    Raises `OrchError` where there is neither, or where a host is named that nobody knows.
    """
    config = workspace.config
    url = workspace.environment.get("ORCH_LEDGER_URL") or config.ledger.url or _origin(workspace)
    if url.startswith("host:"):
        return _on_host(workspace, url)
    if "://" not in url and ":" not in url.partition("/")[0]:
        url = str((workspace.root / at_home(url)).resolve())
    return Address(
        url=url,
        cluster=config.cluster,
        prefix=config.ledger.prefix,
        cache=workspace.cache / "ledger",
    )


def ledger_of(workspace: Workspace) -> RefLedger:
    """Return the ledger of a workspace, not read yet; what is read is kept for completion too.

    Raises as `ledger_address`.
    """
    known = Known(workspace.root, workspace.cache)
    return open_ledger(ledger_address(workspace), noted=known.note_records)


def _on_host(workspace: Workspace, url: str) -> Address:
    """Return the address of a repository on an inventory host, reached as orch reaches it."""
    from gitops.ledger.ssh_place import SshPlace, host_place
    from gitops.ssh_setup import routes_of

    host, path = host_place(url)
    config = workspace.config
    inventory = workspace.inventory()
    if host not in inventory.hosts:
        raise OrchError(
            f"the ledger is to be on host {host!r}, which is not in the inventory",
            "correct [ledger] url in orch.toml, or add the host",
        )
    target = inventory.hosts[host].ssh
    place = SshPlace(
        hops=routes_of(workspace, inventory).route(host).hops,
        path=path,
        become_user=target.become_user if target.become else "",
    )
    return Address(
        url=url,
        cluster=config.cluster,
        prefix=config.ledger.prefix,
        cache=workspace.cache / "ledger",
        place=place,
    )


def _origin(workspace: Workspace) -> str:
    from gitops.repo import Repository

    if origin := Repository.find(workspace.root).origin:
        return origin
    raise OrchError(
        "there is no place for the ledger: the repository has no remote 'origin'",
        "Add one (git remote add origin URL), or set [ledger] url in orch.toml, "
        'for example url = ".orch/ledger.git".',
    )
