"""The texts of an inventory → `Inventory`. Values, or all errors with their places, come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar, cast

from inventory import ini, script
from inventory.errors import InventoryError, Problem
from inventory.layers import Layers
from inventory.marked import Item, Value, parse, plain
from inventory.model import Host, HostGroup, HostVolume, Inventory, Reserved, SshTarget
from inventory.source import Format, InventoryFile, Sources
from inventory.template import Templates, has_template
from inventory.tree import Table, Tree
from inventory.variables import (
    BadValueError,
    converted,
    is_read,
    problem_with_name,
    spellings,
)

T = TypeVar("T")

_YAML = (".yml", ".yaml", ".json")
_PLUGIN = "the configuration of an inventory plugin; orch runs none: give an executable inventory \
that prints what `ansible-inventory --list` does"


def load(text: str, *, path: str) -> Inventory:
    """Read an inventory that is one text; `path` says its format, and names it in errors.

    Raises `InventoryError` with every problem found.
    """
    return load_sources(Sources(path=path, files=(InventoryFile(path=path, text=text),)))


def load_sources(sources: Sources) -> Inventory:
    """Read an inventory of any number of files and folders of variables.

    Raises `InventoryError` with every problem found.
    """
    fleet = resolve(sources)
    problems = [*fleet.problems]
    hosts = _Typist(fleet, sources.path).hosts(problems) if not fleet.is_broken else {}
    if problems:
        raise InventoryError(sources.path, problems)
    return Inventory(path=sources.path, hosts=hosts, groups=_groups(fleet.tree, hosts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Groups and hosts with their variables as written: `variables` by host, merged.

    `tables` are the tables of variables that these were merged from. A fleet that `is_broken` has
    groups inside themselves: no host can be told its groups.
    """

    tree: Tree
    groups_of: Mapping[str, tuple[str, ...]]
    variables: Mapping[str, Table]
    tables: Sequence[Mapping[str, Item]]
    problems: Sequence[Problem]
    encrypted: Sequence[str] = ()
    is_broken: bool = False


def resolve(sources: Sources) -> Fleet:
    """Return who there is and what is said of each, before any of it is interpreted.

    Raises `InventoryError` where a text is not readable at all.
    """
    tree = Tree()
    for file in sources.files:
        tree.add(_root(file, tree))
    before = len(tree.problems)
    tree.finish()
    if len(tree.problems) > before:
        return Fleet(
            tree=tree, groups_of={}, variables={}, tables=(), problems=tree.problems, is_broken=True
        )
    layers = Layers(tree, sources.folders)
    own = {name: layers.host(name) for name in tree.hosts}
    members = tree.memberships()
    return Fleet(
        tree=tree,
        groups_of={name: tuple(g.name for g in groups) for name, groups in members.items()},
        variables={name: layers.groups(members[name]) | own[name] for name in tree.hosts},
        tables=(*layers.of_groups(), *own.values()),
        problems=(*tree.problems, *layers.problems),
        encrypted=tuple(dict.fromkeys(layers.encrypted)),
    )


def _root(file: InventoryFile, tree: Tree) -> Value:
    """Return the tree of one file, by its format."""
    if file.format is Format.SCRIPT:
        return script.parse(file.text, file.path, tree.problems)
    suffix = PurePosixPath(file.path).suffix
    if suffix in _YAML:
        return _checked(parse(file.text, file.path, tree.problems), tree)
    if suffix == "" and (root := _as_yaml(file, tree)) is not None:
        return root
    return ini.parse(file.text, file.path, tree.groups, tree.problems)


def _as_yaml(file: InventoryFile, tree: Tree) -> Value | None:
    problems: list[Problem] = []
    try:
        root = parse(file.text, file.path, problems)
    except InventoryError:
        return None
    if not isinstance(root.data, dict):
        return None
    tree.problems.extend(problems)
    return _checked(root, tree)


def _checked(root: Value, tree: Tree) -> Value:
    if isinstance(root.data, dict) and isinstance(
        (plugin := root.data.get("plugin", root.item())).value.data, str
    ):
        tree.problems.append(plugin.problem(_PLUGIN))
        return Value({}, root.line, root.column, path=root.path)
    return root


def _groups(tree: Tree, hosts: Mapping[str, Host]) -> dict[str, HostGroup]:
    return {
        g.name: HostGroup(
            name=g.name,
            hosts=tuple(h for h in tree.members(g.name) if h in hosts),
            children=tuple(sorted(g.children)),
        )
        for g in tree.groups.values()
    }


class _Typist:
    """Gives the variables that orch reads their types: at each definition, else where rendered."""

    def __init__(self, fleet: Fleet, path: str) -> None:
        self._fleet = fleet
        self._path = path
        self._typed: dict[int, object] = {}
        self._groups = {g.name: sorted(g.hosts) for g in fleet.tree.groups.values()}

    def hosts(self, problems: list[Problem]) -> dict[str, Host]:
        """Return all hosts; add what is wrong with any definition, used or not."""
        for table in self._fleet.tables:
            self._check(table, problems)
        if problems:
            return {}
        return {name: self._host(name, problems) for name in self._fleet.tree.hosts}

    def _check(self, table: Mapping[str, Item], problems: list[Problem]) -> None:
        for name, item in table.items():
            if (problem := problem_with_name(name, item)) is not None:
                problems.append(problem)
            elif is_read(name) and not has_template(item.value):
                self._convert(name, item.value, problems)

    def _convert(self, name: str, value: Value, problems: list[Problem]) -> object:
        try:
            found = self._typed[id(value)] = converted(name, value)
        except BadValueError as e:
            problems.append(e.told(name))
            return None
        return found

    def _host(self, name: str, problems: list[Problem]) -> Host:
        given = self._fleet.variables[name]
        templates: Templates | None = None
        read: dict[str, object] = {}
        for meant, others in spellings().items():
            for spelling in others:
                if (item := given.get(spelling)) is None:
                    continue
                if id(item.value) in self._typed:
                    read[meant] = self._typed[id(item.value)]
                    continue
                templates = templates or Templates(given, self._magic(name))
                read[meant] = self._rendered(spelling, item.value, templates, problems)
        read = {k: v for k, v in read.items() if v is not None}
        rest = {k: plain(i.value) for k, i in given.items() if not is_read(k)}
        return _host(name, self._fleet.groups_of[name], read, rest, self._path)

    def _rendered(
        self, name: str, value: Value, templates: Templates, problems: list[Problem]
    ) -> object:
        try:
            return converted(name, templates.rendered(value))
        except BadValueError as e:
            problem = e.told(name)
            if self._fleet.encrypted and "undefined" in problem.text:
                files = ", ".join(self._fleet.encrypted[:3])
                problem = value.problem(f"{problem.text}; encrypted files are not read: {files}")
            problems.append(problem)
            return None

    def _magic(self, name: str) -> dict[str, object]:
        return {
            "inventory_hostname": name,
            "inventory_hostname_short": name.partition(".")[0],
            "group_names": sorted(g for g in self._fleet.groups_of[name] if g != "all"),
            "groups": self._groups,
            "inventory_dir": str(PurePosixPath(self._path).parent),
        }


def _given(variables: Mapping[str, object], name: str, default: T) -> T:
    return cast("T", variables.get(name, default))


def _host(
    name: str,
    groups: tuple[str, ...],
    variables: dict[str, object],
    rest: dict[str, object],
    path: str,
) -> Host:
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
        vars=rest,
    )


# in the order in which Ansible writes them
_SSH_ARGS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")


def _target(name: str, variables: dict[str, object], path: str) -> SshTarget:
    return SshTarget(
        host=name,
        address=_given(variables, "ansible_host", name),
        port=_given(variables, "ansible_port", 0),
        user=_given(variables, "ansible_user", ""),
        key_path=_beside(path, _given(variables, "ansible_ssh_private_key_file", "")),
        ssh_args=tuple(
            word for name in _SSH_ARGS for word in _given(variables, name, tuple[str, ...]())
        ),
        host_keys=_given(variables, "orch_host_key", tuple[str, ...]()),
        become=_given(variables, "ansible_become", False),
        become_user=_given(variables, "ansible_become_user", "root"),
    )


def _beside(inventory: str, key: str) -> str:
    if not key or key.startswith(("~", "/")):
        return key
    return str(PurePosixPath(inventory).parent / key)
