"""Which variables a host ends up with: Ansible's order of groups, folders and the host itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from inventory.errors import InventoryError, Problem
from inventory.marked import Item, parse
from inventory.source import Owner, VariableFolder
from inventory.tree import Group, Table, Tree

_VAULT = "$ANSIBLE_VAULT;"


class Layers:
    """The variable files of an inventory, each read once, over the variables in its tree.

    `encrypted` are the files that were left out because they are encrypted as a whole.
    """

    def __init__(self, tree: Tree, folders: Sequence[VariableFolder]) -> None:
        self.encrypted: list[str] = []
        self.problems: list[Problem] = []
        self._tree = tree
        self._folders = folders
        self._of_groups = {g: self._read(Owner.GROUP, g) for g in tree.groups}

    def groups(self, members: Sequence[Group]) -> Table:
        """Return the variables of groups, given weakest first and with ``all`` among them."""
        everyone = [g for g in members if g.name == "all"]
        others = [g for g in members if g.name != "all"]
        merged: Table = {}
        for group in (*everyone, *others):
            merged.update(group.vars)
        # a folder's variables are stronger than any of an inventory file, and `all` is weakest
        for part in (everyone, others):
            for number in range(len(self._folders)):
                for group in part:
                    merged.update(self._of_groups[group.name][number])
        return merged

    def host(self, name: str) -> Table:
        """Return the variables of the host itself."""
        merged = dict(self._tree.hosts[name])
        for table in self._read(Owner.HOST, name):
            merged.update(table)
        return merged

    def of_groups(self) -> Iterable[Mapping[str, Item]]:
        """Yield every table of variables of groups, each once."""
        for group in self._tree.groups.values():
            yield group.vars
            yield from self._of_groups[group.name]

    def _read(self, owner: Owner, name: str) -> list[Table]:
        return [self._merged(folder.files(owner, name)) for folder in self._folders]

    def _merged(self, files: Iterable[tuple[str, str]]) -> Table:
        merged: Table = {}
        for path, text in files:
            if text.startswith(_VAULT):
                self.encrypted.append(path)
            else:
                merged.update(self._variables(text, path))
        return merged

    def _variables(self, text: str, path: str) -> Table:
        try:
            root = parse(text, path, self.problems)
        except InventoryError as e:
            self.problems.extend(e.problems)
            return {}
        if isinstance(root.data, dict):
            return root.data
        if root.data is not None:
            self.problems.append(root.problem("a file of variables is a mapping"))
        return {}
