"""Hosts of the inventory, and how commands ended on them, as text and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from executors.ad_hoc import Ran
from executors.ssh_hop import Hop, Route, Router
from executors.transport import HostError
from gitops.view.columns import table
from gitops.view.options import NONE, joined
from gitops.view.safe import clean
from inventory.model import Host

if TYPE_CHECKING:
    from gitops.view import fleet_shapes

_PASSED_OVER = ("all", "ungrouped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A host, and how it is reached; without a `route`, why it can't be."""

    host: Host
    route: Route | None = None
    error: str = ""

    @classmethod
    def of(cls, host: Host, router: Router) -> Self:
        """Find out how the host is reached; an error becomes part of the list."""
        try:
            return cls(host=host, route=router.route(host.name))
        except HostError as e:
            return cls(host=host, error=e.detail)


def host_list(hosts: Sequence[Listed]) -> str:
    """Return the table of hosts in the order of the inventory; with jump hosts where there are."""
    if not hosts:
        return "No hosts in the inventory\n"
    with_jumps = any(h.route and h.route.jumps for h in hosts)
    heads = ("Name", "Address", *(["Via"] if with_jumps else []), "Node Pool", "DC", "Groups")
    rows: list[tuple[str, ...]] = []
    for listed in hosts:
        host = listed.host
        via = (_via(listed),) if with_jumps else ()
        rows.append(
            (host.name, _address(listed), *via, host.node_pool, host.datacenter, _groups(host))
        )
    return joined([table(heads, rows)])


def _address(listed: Listed) -> str:
    if listed.route is None:
        return clean(listed.error)
    hop = listed.route.target
    return clean(f"{hop.user}@{hop.address}:{hop.port}")


def _via(listed: Listed) -> str:
    jumps = listed.route.jumps if listed.route else ()
    return clean(" → ".join(hop.name for hop in jumps)) or NONE


def _groups(host: Host) -> str:
    return ",".join(g for g in host.groups if g not in _PASSED_OVER) or NONE


def data(hosts: Iterable[Listed]) -> list[fleet_shapes.InventoryHost]:
    """Return hosts as JSON values; variables that mean nothing to orch are left out."""
    return [_data(listed.host, listed) for listed in hosts]


def _data(h: Host, listed: Listed) -> fleet_shapes.InventoryHost:
    return {
        "Name": h.name,
        **_way(listed),
        "Become": h.ssh.become,
        "Groups": list(h.groups),
        "Datacenter": h.datacenter,
        "NodeClass": h.node_class,
        "NodePool": h.node_pool,
        "Meta": dict(h.meta),
        "HostVolumes": {
            n: {"Path": v.path, "ReadOnly": v.read_only} for n, v in h.host_volumes.items()
        },
    }


def _way(listed: Listed) -> fleet_shapes.HostWay:
    if listed.route is None:
        ssh = listed.host.ssh
        return {
            "Address": ssh.address,
            "Port": ssh.port,
            "User": ssh.user,
            "SSH": None,
            "Error": listed.error,
        }
    hop = listed.route.target
    return {
        "Address": hop.address,
        "Port": hop.port,
        "User": hop.user,
        "SSH": {
            "Jumps": [_login(jump) for jump in listed.route.jumps],
            **_trust(hop),
            "Notes": list(listed.route.notes),
        },
        "Error": "",
    }


def _login(hop: Hop) -> fleet_shapes.Jump:
    return {
        "Name": hop.name,
        "Address": hop.address,
        "Port": hop.port,
        "User": hop.user,
        **_trust(hop),
    }


def _trust(hop: Hop) -> fleet_shapes.Trust:
    return {
        "IdentityFiles": list(hop.identities.files),
        "CertificateFiles": list(hop.identities.certificates),
        "IdentitiesOnly": hop.identities.only,
        "Agent": bool(hop.identities.agent),
        "KnownAs": hop.known_name,
        "KnownHostsFiles": [] if hop.known.keys else list(hop.known.files),
    }


def end(ran: Ran) -> str:
    """Return how it ended on one host: a heading, then its output, stderr last."""
    body = [readable(line) for out in (ran.stdout, ran.stderr) for line in out.splitlines()]
    return "\n".join([f"{ran.host} | {_outcome(ran)}", *body])


def failure(ran: Ran) -> str:
    """Return one line on how it failed."""
    said = [line for line in ran.stderr.splitlines() if line.strip()][-1:]
    return f"{ran.host} | {_outcome(ran)}" + "".join(f": {readable(line)}" for line in said)


def _outcome(ran: Ran) -> str:
    if ran.error is not None:
        return clean(ran.error.message.removeprefix(f"{ran.host}: "))
    if ran.truncated:
        return "cut off: it printed too much"
    return "ok" if ran.ok else f"exit {ran.exit_status}"


def summary(ends: Sequence[Ran]) -> str:
    """Return one line: how many hosts did it, failed, and were not reached."""
    lost = sum(e.error is not None for e in ends)
    done = sum(e.ok for e in ends)
    counts = {"ok": done, "failed": len(ends) - done - lost, "not reached": lost}
    told = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    return f"{len(ends)} host{'s' if len(ends) != 1 else ''}: {told}"


def ends_data(ends: Iterable[Ran], *, output: bool = True) -> list[fleet_shapes.HostEnd]:
    """Return the ends as JSON values; what is no UTF-8 is replaced."""
    return [_end(e, output=output) for e in ends]


def _end(ran: Ran, *, output: bool) -> fleet_shapes.HostEnd:
    end: fleet_shapes.HostEnd = {
        "Host": ran.host,
        "ExitStatus": ran.exit_status,
        "Stderr": ran.stderr.decode(errors="replace"),
        "Truncated": ran.truncated,
        "Error": ran.error.message if ran.error else "",
    }
    return {**end, "Stdout": ran.stdout.decode(errors="replace")} if output else end


def readable(line: bytes) -> str:
    """Return a line of output that cannot steer a terminal; tabs stay."""
    return "\t".join(clean(part) for part in line.decode(errors="replace").split("\t"))
