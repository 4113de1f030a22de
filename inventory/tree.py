"""Groups and hosts as the files of an inventory have them, before variables get their types."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from inventory.errors import Problem
from inventory.marked import Item, Value, placed
from inventory.ranges import expanded
from inventory.variables import BadValueError, converted, suggestion

HOST_LIMIT = 100_000
_SECTIONS = ("hosts", "children", "vars")
_PRIORITY = "ansible_group_priority"
_WITH_PORT = re.compile(r"(?P<host>(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>\d{1,5})")

Table = dict[str, Item]


@dataclass(slots=True)
class Group:
    """A group while it is read. `hosts` and `children` are those it names itself, in order."""

    name: str
    item: Item
    hosts: dict[str, None] = field(default_factory=dict[str, None])
    children: dict[str, None] = field(default_factory=dict[str, None])
    parents: set[str] = field(default_factory=set[str])
    vars: Table = field(default_factory=dict[str, Item])
    priority: int = 1
    depth: int = 0

    @property
    def rank(self) -> tuple[int, int, str]:
        """Later ranks override earlier ones."""
        return self.depth, self.priority, self.name


class Tree:
    """Collects groups, hosts, their variables and problems from any number of files."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.groups: dict[str, Group] = {}
        self.hosts: dict[str, Table] = {}

    def add(self, root: Value) -> None:
        """Take in the groups at the top of one file."""
        for name, item in self._table(root, "an inventory is a mapping of groups").items():
            self._group(name, item, parent="")

    def finish(self) -> None:
        """Put every group below ``all`` and find depths; cycles are problems."""
        nowhere = Value(None, 1, 1).item()
        top = self.groups.setdefault("all", Group("all", nowhere))
        alone = self.groups.setdefault("ungrouped", Group("ungrouped", nowhere))
        self.groups = {top.name: top, alone.name: alone, **self.groups}
        alone.parents.add(top.name)
        top.children = {alone.name: None, **top.children}
        for group in self.groups.values():
            if not group.parents and group is not top:
                group.parents.add("all")
                top.children[group.name] = None
        self._leave_alone(top, alone)
        for name in set(self.groups) - self._set_depths():
            text = f"group {name!r} is inside itself, or inside a group that is"
            self.problems.append(self.groups[name].item.problem(text))

    def _leave_alone(self, top: Group, alone: Group) -> None:
        """Put hosts of no group into ``ungrouped``; Ansible takes a group of that name for one."""
        grouped = {
            h for g in self.groups.values() if g is not top and g is not alone for h in g.hosts
        }
        named = alone.hosts
        alone.hosts = {}
        for host in {**named, **dict.fromkeys(self.hosts)}:
            if host in grouped:
                continue
            if host in named or host not in self.groups:
                alone.hosts[host] = None
            else:
                alone.children[host] = None
                self.groups[host].parents.add(alone.name)

    def memberships(self) -> dict[str, list[Group]]:
        """Return for each host all groups it is in, weakest first; call after `finish`."""
        out: dict[str, set[str]] = {name: {"all"} for name in self.hosts}
        for group in self.groups.values():
            above = self._above(group.name)
            for host in group.hosts:
                out[host] |= above
        return {
            host: sorted((self.groups[n] for n in names), key=lambda g: g.rank)
            for host, names in out.items()
        }

    def members(self, name: str) -> list[str]:
        """Return the hosts of a group: its own, then its children's, then theirs."""
        found: dict[str, None] = {}
        level = {name: None}
        while level:
            for each in level:
                found.update(self.groups[each].hosts)
            level = {child: None for each in level for child in self.groups[each].children}
        return list(found)

    def _table(self, value: Value, text: str) -> Table:
        if isinstance(value.data, dict):
            return value.data
        if value.data is not None:
            self.problems.append(value.problem(text))
        return {}

    def _group(self, name: str, item: Item, parent: str) -> None:
        group = self.groups.setdefault(name, Group(name, item))
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

    def _sections(self, group: Group, body: Table) -> None:
        for section, part in body.items():
            if section not in _SECTIONS:
                continue
            table = self._section(group, section, part.value)
            if section == "vars":
                self._variables(group, table)
            elif section == "hosts":
                self._hosts(group, table)
            else:
                for name, item in table.items():
                    self._group(name, item, parent=group.name)

    def _section(self, group: Group, section: str, value: Value) -> Table:
        if isinstance(value.data, str):  # one name alone, without a colon
            return {value.data: placed(None, value).item()}
        return self._table(value, f"group {group.name!r}: {section} is a mapping")

    def _variables(self, group: Group, table: Table) -> None:
        group.vars.update(table)
        if (item := group.vars.pop(_PRIORITY, None)) is not None:
            try:
                group.priority = int(str(converted(_PRIORITY, item.value)))
            except BadValueError as e:
                self.problems.append(e.told(_PRIORITY))

    def _hosts(self, group: Group, table: Table) -> None:
        for entry, item in table.items():
            variables = self._table(item.value, f"host {entry!r}: expected a mapping of variables")
            pattern, port = entry, Table()
            if found := _WITH_PORT.fullmatch(entry):
                pattern = found["host"]
                port = {"ansible_port": placed(int(found["port"]), item.value).item()}
            try:
                names = expanded(pattern)
            except ValueError as e:
                self.problems.append(item.problem(str(e)))
                continue
            for name in names:
                # a port counts where the host is named first
                self.hosts.setdefault(name, port.copy())
                self._host(name, variables)
                group.hosts[name] = None
            if len(self.hosts) > HOST_LIMIT:
                self.problems.append(item.problem(f"more than {HOST_LIMIT} hosts"))
                return

    def _host(self, name: str, variables: Table) -> None:
        if name in self.groups:  # Ansible looks for a group of that name first
            self._variables(self.groups[name], variables)
        else:
            self.hosts[name].update(variables)

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

    def _above(self, name: str) -> set[str]:
        seen, ready = {name}, [name]
        while ready:
            new = self.groups[ready.pop()].parents - seen
            seen |= new
            ready.extend(new)
        return seen
