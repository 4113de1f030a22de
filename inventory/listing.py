"""An inventory as `ansible-inventory --list` prints it: groups, and the variables of each host."""

from __future__ import annotations

from inventory.load import Fleet
from inventory.marked import plain


def listing(fleet: Fleet) -> dict[str, object]:
    """Return groups with their own hosts and children, and ``_meta.hostvars`` as written.

    Groups without hosts and children, and hosts without variables, are left out.
    """
    out: dict[str, object] = {}
    for group in fleet.tree.groups.values():
        hosts = [] if group.name == "all" else list(group.hosts)
        body = {"hosts": hosts, "children": list(group.children)}
        if kept := {k: v for k, v in body.items() if v}:
            out[group.name] = kept
    variables = {
        host: {name: plain(item.value) for name, item in table.items()}
        for host, table in fleet.variables.items()
        if table
    }
    return {**out, "_meta": {"hostvars": variables}}
