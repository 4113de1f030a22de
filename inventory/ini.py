"""Ansible's INI inventory → the tree that its YAML form has. Text in, values with places out."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterable
from typing import cast

from inventory.errors import Problem
from inventory.marked import Item, Value, placed

_SECTION = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?")
_CHILD = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?")
_KINDS = ("hosts", "children", "vars")
# A literal nested deeper, or longer, is text: Python's parser has limits of its own.
_LITERAL_LIMIT = 65_536


def parse(text: str, path: str, known: Iterable[str], problems: list[Problem]) -> Value:
    """Read one INI inventory; add what is wrong to `problems`.

    `known` are the groups of the files before, which ``[group:vars]`` may name.
    """
    reader = _Reader(path, problems)
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and stripped[0] not in "#;":
            reader.read(stripped, Value(None, number, line.index(stripped[0]) + 1, path=path))
    reader.finish(set(known) | {"all", "ungrouped"})
    return Value({n: v.item() for n, v in reader.groups.items()}, 1, 1, path=path)


class _Reader:
    """Goes down the lines; `groups` have the sections of the YAML form."""

    def __init__(self, path: str, problems: list[Problem]) -> None:
        self.groups: dict[str, Value] = {}
        self._path = path
        self._problems = problems
        self._group, self._kind = "ungrouped", "hosts"
        self._declared: set[str] = set()
        self._named: list[tuple[str, str, Value]] = []

    def read(self, line: str, place: Value) -> None:
        """Take in one line that says something; `place` is where it begins."""
        if found := _SECTION.fullmatch(line):
            self._begin(found["group"], found["kind"] or "hosts", place)
        elif line.startswith("[") and line.endswith("]"):
            text = f"{line} is no section: [GROUP], [GROUP:children] or [GROUP:vars], no blanks"
            self._problems.append(place.problem(text))
        elif self._kind == "hosts":
            self._host(line, place)
        elif self._kind == "vars":
            self._variable(line, place)
        elif self._kind == "children":
            self._child(line, place)

    def finish(self, known: set[str]) -> None:
        """Complain about groups that are named and nowhere defined."""
        for name, text, place in self._named:
            if name not in self._declared | known:
                self._problems.append(place.problem(text))

    def _begin(self, group: str, kind: str, place: Value) -> None:
        self._group, self._kind = group, kind
        if kind not in _KINDS:
            text = f"[{group}:{kind}]: a section is of hosts, ':children' or ':vars'"
            self._problems.append(place.problem(text))
        elif kind == "vars":
            text = f"[{group}:vars]: there is no group {group!r}"
            self._named.append((group, text, place))
        else:
            self._declared.add(group)
        self._section("hosts", place)

    def _section(self, kind: str, place: Value) -> dict[str, Item]:
        """Return one section of the current group, new or as it was left."""
        group = self.groups.setdefault(self._group, placed({}, place))
        body = _table(group)
        return _table(body.setdefault(kind, placed({}, place).item()).value)

    def _host(self, line: str, place: Value) -> None:
        try:
            entry, *given = shlex.split(line, comments=True)
        except ValueError as e:
            self._problems.append(place.problem(f"not readable as a host: {e}"))
            return
        hosts = self._section("hosts", place)
        variables = hosts.setdefault(entry, placed({}, place).item()).value
        for assignment in given:
            name, equals, value = assignment.partition("=")
            if not equals:
                text = f"expected NAME=VALUE after the host, got {assignment!r}"
                self._problems.append(place.problem(text))
                continue
            _table(variables)[name] = _value(value, place).item()

    def _variable(self, line: str, place: Value) -> None:
        name, equals, value = line.partition("=")
        if not equals:
            self._problems.append(place.problem(f"expected NAME=VALUE, got {line!r}"))
            return
        self._section("vars", place)[name.strip()] = _value(value.strip(), place).item()

    def _child(self, line: str, place: Value) -> None:
        found = _CHILD.match(line)
        if found is None:
            self._problems.append(place.problem(f"expected the name of a group, got {line!r}"))
            return
        name = found["group"]
        text = f"[{self._group}:children]: there is no group {name!r}"
        self._named.append((name, text, place))
        self._section("children", place).setdefault(name, placed({}, place).item())


def _table(value: Value) -> dict[str, Item]:
    return cast("dict[str, Item]", value.data)


def _value(text: str, place: Value) -> Value:
    """A Python literal where it is one, else the text, as Ansible has it."""
    data: object = text
    if len(text) <= _LITERAL_LIMIT:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                data = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            data = text
    if data is ...:
        data = "..."
    if isinstance(data, bytes):
        data = data.decode(errors="replace")
    return placed(data, place)
