"""Hosts of the inventory, and how commands ended on them, as text and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from executors.ad_hoc import Ran
from gitops.view.columns import table
from gitops.view.options import NONE, joined
from gitops.view.safe import clean
from inventory.model import Host

_PASSED_OVER = ("all", "ungrouped")


def host_list(hosts: Iterable[Host]) -> str:
    """Return the table of hosts in the order of the inventory."""
    rows = [(h.name, _address(h), h.node_pool, h.datacenter, _groups(h)) for h in hosts]
    if not rows:
        return "No hosts in the inventory\n"
    return joined([table(("Name", "Address", "Node Pool", "DC", "Groups"), rows)])


def _address(host: Host) -> str:
    user = f"{host.ssh.user}@" if host.ssh.user else ""
    return f"{user}{host.ssh.address}:{host.ssh.port}"


def _groups(host: Host) -> str:
    return ",".join(g for g in host.groups if g not in _PASSED_OVER) or NONE


def data(hosts: Iterable[Host]) -> list[dict[str, object]]:
    """Return hosts as JSON values; variables that mean nothing to orch are left out."""
    return [
        {
            "Name": h.name,
            "Address": h.ssh.address,
            "Port": h.ssh.port,
            "User": h.ssh.user,
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
        for h in hosts
    ]


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


def ends_data(ends: Iterable[Ran], *, output: bool = True) -> list[dict[str, object]]:
    """Return the ends as JSON values; what is no UTF-8 is replaced."""
    return [
        {
            "Host": e.host,
            "ExitStatus": e.exit_status,
            **({"Stdout": e.stdout.decode(errors="replace")} if output else {}),
            "Stderr": e.stderr.decode(errors="replace"),
            "Truncated": e.truncated,
            "Error": e.error.message if e.error else "",
        }
        for e in ends
    ]


def readable(line: bytes) -> str:
    """Return a line of output that cannot steer a terminal; tabs stay."""
    return "\t".join(clean(part) for part in line.decode(errors="replace").split("\t"))
