"""YAML text → values that know their place. Bounded: no bombs, no duplicate keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

import yaml

from inventory.errors import InventoryError, Problem

SIZE_LIMIT = 4 * 1024 * 1024
# Values after aliases are followed; an honest file of the size limit has fewer.
VALUE_LIMIT = 1_000_000
DEPTH_LIMIT = 64

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTRUCTED = {f"tag:yaml.org,2002:{t}" for t in ("null", "bool", "int", "float", "timestamp")}
_MERGE = "tag:yaml.org,2002:merge"

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Value:
    """A value and its place. `tag` is set for values with a private tag, as ``!vault``."""

    data: Plain | list[Value] | dict[str, Item]
    line: int
    column: int
    tag: str = ""
    path: str = ""

    def problem(self, text: str) -> Problem:
        """Return a problem at this place."""
        return Problem(self.line, self.column, text, self.path)

    def item(self) -> Item:
        """Return it as the value of a key that stands at the same place."""
        return Item(self, self.line, self.column)


@dataclass(frozen=True, slots=True)
class Item:
    """The value of a mapping's key, with the place of the key."""

    value: Value
    line: int
    column: int

    def problem(self, text: str) -> Problem:
        """Return a problem at the key."""
        return Problem(self.line, self.column, text, self.value.path)


def placed(data: object, like: Value) -> Value:
    """Return plain data as a value; all of it stands at the place of `like`."""
    if isinstance(data, Mapping):
        table = cast("Mapping[object, object]", data)
        inner = {str(k): placed(v, like).item() for k, v in table.items()}
        return replace(like, data=inner, tag="")
    if isinstance(data, list | tuple | set | frozenset):
        parts = cast("Iterable[object]", data)
        return replace(like, data=[placed(v, like) for v in parts], tag="")
    scalar = data if data is None or isinstance(data, str | int | float) else str(data)
    return replace(like, data=scalar, tag="")


def plain(value: Value) -> object:
    """Return the value without places."""
    if isinstance(value.data, dict):
        return {k: plain(i.value) for k, i in value.data.items()}
    if isinstance(value.data, list):
        return [plain(v) for v in value.data]
    return value.data


def parse(text: str, path: str, problems: list[Problem]) -> Value:
    """Read one YAML document; add duplicate keys, recursion and bombs to `problems`.

    What is no YAML at all raises `InventoryError`.
    """
    if len(text) > SIZE_LIMIT:
        raise InventoryError(path, [Problem(1, 1, too_large(), path)])
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as e:
        raise InventoryError(path, [_syntax(e, path)]) from e
    except RecursionError as e:
        raise InventoryError(path, [Problem(1, 1, "nested too deeply", path)]) from e
    if root is None:
        return Value({}, 1, 1, path=path)
    return _Builder(path, problems, json=_is_json(text)).value(root)


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def too_large() -> str:
    """Return what is said of a text above the limit."""
    return f"larger than {SIZE_LIMIT >> 20} MiB"


def _syntax(error: yaml.YAMLError, path: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    text = getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable"
    context = getattr(error, "context", None)
    words = f"invalid YAML: {text}" + (f" ({context})" if context else "")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem(line, column, words, path)


class _Builder:
    """Turns composed nodes into values, counting what aliases multiply.

    With `json` scalars mean what they mean there: to YAML 1e3 is a text.
    """

    def __init__(self, path: str, problems: list[Problem], *, json: bool) -> None:
        self._json = json
        self.problems = problems
        self._path = path
        self._left = VALUE_LIMIT
        self._open: set[int] = set()
        self._scalars: Any = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node) -> Value:
        """Return the value of a node; problems are collected."""
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self._left -= 1
        if refusal := self._refusal(node):
            self._refuse(Problem(line, column, refusal, self._path))
            return Value(None, line, column, path=self._path)
        self._open.add(id(node))
        try:
            return Value(self._data(node), line, column, _private_tag(node), self._path)
        finally:
            self._open.discard(id(node))

    def _refusal(self, node: yaml.Node) -> str:
        if id(node) in self._open:
            return "an alias may not stand inside what it names"
        if len(self._open) > DEPTH_LIMIT:
            return "nested too deeply"
        return "its aliases expand to too many values" if self._left < 0 else ""

    def _refuse(self, problem: Problem) -> None:
        if self._left >= 0 or not self.problems or self.problems[-1].text != problem.text:
            self.problems.append(problem)

    def _data(self, node: yaml.Node) -> Plain | list[Value] | dict[str, Item]:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(n) for n in self._bounded(node.value)]
        return self._scalar(cast("yaml.ScalarNode", node))

    def _bounded(self, nodes: list[Any]) -> list[Any]:
        return nodes if self._left >= 0 else []

    def _scalar(self, node: yaml.ScalarNode) -> Plain:
        if self._json and not node.style:
            return cast("Plain", json.loads(node.value))
        if node.tag not in _CONSTRUCTED:
            return str(node.value)
        try:
            made = self._scalars.construct_object(node)
            return made.isoformat() if isinstance(made, date) else cast("Plain", made)
        except (ValueError, yaml.YAMLError):
            return str(node.value)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Item]:
        own: dict[str, Item] = {}
        merged: dict[str, Item] = {}
        for key, child in self._bounded(node.value):
            if key.tag == _MERGE:
                merged = {**self._merged(child), **merged}
            else:
                self._add(own, key, child)
        return {**merged, **own}

    def _add(self, own: dict[str, Item], key: yaml.Node, child: yaml.Node) -> None:
        item = Item(self.value(child), key.start_mark.line + 1, key.start_mark.column + 1)
        if not isinstance(key, yaml.ScalarNode):
            self.problems.append(item.problem("a key must be plain text"))
            return
        name = str(key.value)
        if (first := own.get(name)) is not None:
            text = f"duplicate key {name!r}: it is on line {first.line} already"
            self.problems.append(item.problem(text))
        own.setdefault(name, item)

    def _merged(self, child: yaml.Node) -> dict[str, Item]:
        value = self.value(child)
        parts = value.data if isinstance(value.data, list) else [value]
        out: dict[str, Item] = {}
        for part in reversed(parts):
            if isinstance(part.data, dict):
                out.update(part.data)
            else:
                self.problems.append(part.problem("'<<' takes a mapping"))
        return out


def _private_tag(node: yaml.Node) -> str:
    return node.tag if node.tag.startswith("!") and len(node.tag) > 1 else ""
