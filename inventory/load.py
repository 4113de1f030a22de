"""Ansible's YAML inventory → `Inventory`. Text in, values or all errors with their places out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeVar, cast

from inventory.errors import InventoryError, Problem
from inventory.marked import Item, Value, parse
from inventory.model import Host, HostGroup, HostVolume, Inventory, Reserved, SshTarget
from inventory.ranges import expanded
from inventory.variables import checked, free, suggestion

T = TypeVar("T")

HOST_LIMIT = 100_000
_SECTIONS = ("hosts", "children", "vars")


@dataclass(slots=True)
class _Group:
    """A group while it is read."""

    name: str
    item: Item
    hosts: dict[str, None] = field(default_factory=dict[str, None])
    children: dict[str, None] = field(default_factory=dict[str, None])
    parents: set[str] = field(default_factory=set[str])
    vars: dict[str, object] = field(default_factory=dict[str, object])
    depth: int = 0

    @property
    def rank(self) -> tuple[int, int, str]:
        """Later ranks override earlier ones."""
        return self.depth, _given(self.vars, "ansible_group_priority", 1), self.name


def load(text: str, *, path: str) -> Inventory:
    """Read an inventory; `path` names it in errors and is what relative key paths start from.

    Raises `InventoryError` with every problem found.
    """
    reader = _Reader()
    reader.read(parse(text, path, reader.problems))
    reader.finish()
    if reader.problems:
        raise InventoryError(path, reader.problems)
    return reader.inventory(path)


class _Reader:
    """Collects groups, hosts and problems from the tree."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.groups: dict[str, _Group] = {}
        self.hosts: dict[str, dict[str, object]] = {}

    def read(self, root: Value) -> None:
        """Take in the groups at the top of the file."""
        for name, item in self._table(root, "an inventory is a mapping of groups").items():
            self._group(name, item, parent="")

    def _table(self, value: Value, text: str) -> dict[str, Item]:
        if isinstance(value.data, dict):
            return value.data
        if value.data is not None:
            self.problems.append(value.problem(text))
        return {}

    def _group(self, name: str, item: Item, parent: str) -> None:
        group = self.groups.setdefault(name, _Group(name, item))
        if parent:
            group.parents.add(parent)
            self.groups[parent].children[name] = None
        body = self._table(item.value, f"group {name!r}: expected {', '.join(_SECTIONS)}")
        for section, part in body.items():
            if section not in _SECTIONS:
                near = suggestion(section, list(_SECTIONS))
                text = f"group {name!r}: unknown key {section!r}{near}"
                self.problems.append(part.problem(text))
        self._sections(group, body)

    def _sections(self, group: _Group, body: dict[str, Item]) -> None:
        for section in _SECTIONS:
            if (part := body.get(section)) is None:
                continue
            where = f"group {group.name!r}: {section} is a mapping"
            table = self._table(part.value, where)
            if section == "vars":
                group.vars.update(checked(table, self.problems))
            elif section == "hosts":
                self._hosts(group, table)
            else:
                for name, item in table.items():
                    self._group(name, item, parent=group.name)

    def _hosts(self, group: _Group, table: dict[str, Item]) -> None:
        for entry, item in table.items():
            try:
                names = expanded(entry)
            except ValueError as e:
                self.problems.append(item.problem(str(e)))
                continue
            given = self._table(item.value, f"host {entry!r}: expected a mapping of variables")
            variables = checked(given, self.problems)
            for name in names:
                self.hosts.setdefault(name, {}).update(variables)
                group.hosts[name] = None
            if len(self.hosts) > HOST_LIMIT:
                self.problems.append(item.problem(f"more than {HOST_LIMIT} hosts"))
                return

    def finish(self) -> None:
        """Put every group below ``all`` and find depths; cycles are problems."""
        top = self.groups.setdefault("all", _Group("all", Item(Value(None, 1, 1), 1, 1)))
        for group in self.groups.values():
            if not group.parents and group is not top:
                group.parents.add("all")
                top.children[group.name] = None
        for name in set(self.groups) - self._set_depths():
            text = f"group {name!r} is inside itself, or inside a group that is"
            self.problems.append(self.groups[name].item.problem(text))

    def _set_depths(self) -> set[str]:
        """Walk down from ``all``, parents first; return the groups that were reached."""
        ready, reached = ["all"], set[str]()
        waiting = {g.name: len(g.parents) for g in self.groups.values()}
        while ready:
            group = self.groups[ready.pop()]
            reached.add(group.name)
            for child in group.children:
                below = self.groups[child]
                below.depth = max(below.depth, group.depth + 1)
                waiting[child] -= 1
                if waiting[child] == 0:
                    ready.append(child)
        return reached

    def inventory(self, path: str) -> Inventory:
        """Return the values; call only without problems."""
        members = self._memberships()
        hosts = {name: self._host(name, members[name], path) for name in self.hosts}
        within: dict[str, list[str]] = {name: [] for name in self.groups}
        for host in hosts.values():
            for name in host.groups:
                within[name].append(host.name)
        groups = {
            g.name: HostGroup(
                name=g.name, hosts=tuple(within[g.name]), children=tuple(sorted(g.children))
            )
            for g in self.groups.values()
        }
        return Inventory(path=path, hosts=hosts, groups=groups)

    def _memberships(self) -> dict[str, list[_Group]]:
        out: dict[str, set[str]] = {name: {"all"} for name in self.hosts}
        for group in self.groups.values():
            above = self._above(group.name)
            for host in group.hosts:
                out[host] |= above
        return {
            host: sorted((self.groups[n] for n in names), key=lambda g: g.rank)
            for host, names in out.items()
        }

    def _above(self, name: str) -> set[str]:
        seen, ready = {name}, [name]
        while ready:
            new = self.groups[ready.pop()].parents - seen
            seen |= new
            ready.extend(new)
        return seen

    def _host(self, name: str, groups: list[_Group], path: str) -> Host:
        merged: dict[str, object] = {}
        for group in groups:
            merged.update(group.vars)
        merged.update(self.hosts[name])
        return _host(name, tuple(g.name for g in groups), merged, path)


def _given(variables: Mapping[str, object], name: str, default: T) -> T:
    return cast("T", variables.get(name, default))


def _host(name: str, groups: tuple[str, ...], variables: dict[str, object], path: str) -> Host:
    default = Host(name=name, ssh=_target(name, variables, path))
    return Host(
        name=name,
        ssh=default.ssh,
        groups=groups,
        datacenter=_given(variables, "orch_datacenter", default.datacenter),
        node_class=_given(variables, "orch_node_class", default.node_class),
        node_pool=_given(variables, "orch_node_pool", default.node_pool),
        address=_given(variables, "orch_address", default.address),
        data_dir=_given(variables, "orch_data_dir", default.data_dir),
        meta=_given(variables, "orch_meta", dict[str, str]()),
        host_volumes=_given(variables, "orch_host_volumes", dict[str, HostVolume]()),
        reserved=_given(variables, "orch_reserved", Reserved()),
        allow_privileged=_given(variables, "orch_allow_privileged", default.allow_privileged),
        vars=free(variables),
    )


def _target(name: str, variables: dict[str, object], path: str) -> SshTarget:
    return SshTarget(
        host=name,
        address=_given(variables, "ansible_host", name),
        port=_given(variables, "ansible_port", 22),
        user=_given(variables, "ansible_user", ""),
        key_path=_beside(path, _given(variables, "ansible_ssh_private_key_file", "")),
        host_keys=_given(variables, "orch_host_key", tuple[str, ...]()),
        become=_given(variables, "ansible_become", False),
        become_user=_given(variables, "ansible_become_user", "root"),
    )


def _beside(inventory: str, key: str) -> str:
    if not key or key.startswith(("~", "/")):
        return key
    return str(PurePosixPath(inventory).parent / key)
