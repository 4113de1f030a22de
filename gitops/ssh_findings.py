"""What logins go by: the agent, key files, trusted host keys. Asks no host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from executors.findings import Finding, Result
from executors.ssh_agent import Agent
from executors.ssh_hop import Hop
from executors.ssh_keys import KeyRing
from executors.transport import HostError
from gitops.self_findings import told, trusted_files
from gitops.ssh_setup import config_files, routes_of
from gitops.workspace import Workspace
from inventory.errors import InventoryError
from planner.errors import OrchError

_START_AGENT = "Start one: eval $(ssh-agent) && ssh-add"


async def ssh(ws: Workspace) -> tuple[Finding, ...]:
    """Return how it stands with what the hosts of the inventory are reached by."""
    agent = await _agent(ws.environment.get("SSH_AUTH_SOCK", ""))
    try:
        inventory = ws.inventory()
    except (OrchError, InventoryError):
        return (agent,)  # told elsewhere
    try:
        routes = routes_of(ws, inventory)
    except OrchError as e:
        return (agent, told(e, "configuration"))
    names = ", ".join(f.path for f in config_files(ws)) or "none"
    hops: list[Hop] = []
    found = [agent, Finding(name="configuration", detail=f"by {names}")]
    for host in inventory.hosts:
        try:
            hops += routes.route(host).hops
        except HostError as e:
            found.append(_of_host(host, e))
            break  # one is enough: the check of the hosts names them all
    files = tuple(dict.fromkeys(f for hop in hops for f in hop.known.files))
    known = (trusted_files(files),) if files else ()
    return (*found, *await _keys(hops), *known)


async def _agent(path: str) -> Finding:
    if not path:
        detail = "none: SSH_AUTH_SOCK is not set"
        return Finding(name="agent", result=Result.NOT_NEEDED, detail=detail)
    agent = Agent(path)
    try:
        count = len(await agent.pairs())
    finally:
        await agent.close()
    if count:
        return Finding(name="agent", detail=f"{count} key{'s' if count != 1 else ''}")
    detail = f"{path} has no keys, or does not answer"
    return Finding(name="agent", result=Result.WARNING, detail=detail, remedy=_START_AGENT)


async def _keys(hops: Sequence[Hop]) -> list[Finding]:
    """Return what is offered, once for all hosts that are offered the same."""
    ring = KeyRing()
    found: dict[str, Finding] = {}
    try:
        for hop in _each(hops):
            finding = await _offered(ring, hop)
            found.setdefault(finding.detail, finding)
    finally:
        await ring.close()
    return list(found.values())


def _each(hops: Iterable[Hop]) -> Iterable[Hop]:
    """Return the first hop of those that are offered the same."""
    return {hop.identities: hop for hop in reversed(list(hops))}.values()


async def _offered(ring: KeyRing, hop: Hop) -> Finding:
    try:
        identity = await ring.identity(hop.name, hop.identities)
    except HostError as e:
        return _of_host(hop.name, e)
    if identity.offers:
        return Finding(name="keys", detail=identity.description)
    detail = f"{hop.name}: {identity.description}"
    remedy = "Make one (ssh-keygen -t ed25519), or name it: ansible_ssh_private_key_file."
    return Finding(name="keys", result=Result.FAILED, detail=detail, remedy=remedy)


def _of_host(host: str, error: HostError) -> Finding:
    return Finding(
        name="keys",
        result=Result.FAILED,
        detail=f"{host}: {error.fault}: {error.detail}",
        remedy=error.hint,
    )
