"""What an executable inventory prints for ``--list`` → the tree that the YAML form has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from inventory.errors import InventoryError, Problem
from inventory.marked import DEPTH_LIMIT, SIZE_LIMIT, Value, placed, too_large

_Object = dict[str, object]
_SECTIONS = ("hosts", "vars", "children")


def parse(text: str, path: str, problems: list[Problem]) -> Value:
    """Read the JSON of an executable inventory; places are those of the whole answer.

    Raises `InventoryError` where it is no JSON object; other problems are added to `problems`.
    """
    place = Value(None, 1, 1, path=path)
    if len(text) > SIZE_LIMIT:
        raise InventoryError(path, [place.problem(too_large())])
    try:
        data: object = json.loads(text)
    except RecursionError as e:
        raise InventoryError(path, [place.problem("nested too deeply")]) from e
    except ValueError as e:
        raise InventoryError(path, [place.problem(f"it printed no JSON: {e}")]) from e
    if not isinstance(data, dict):
        raise InventoryError(path, [place.problem("it printed no JSON object of groups")])
    answer = cast("_Object", data)
    if _depth(answer) > DEPTH_LIMIT:
        raise InventoryError(path, [place.problem("nested too deeply")])
    reader = _Reader(_host_variables(answer.pop("_meta", {}), place, problems), place, problems)
    tree = {name: reader.group(name, body) for name, body in answer.items()}
    return placed(tree, place)


def _host_variables(told: object, place: Value, problems: list[Problem]) -> _Object:
    found = cast("_Object", told).get("hostvars", {}) if isinstance(told, dict) else None
    if isinstance(found, dict):
        return cast("_Object", found)
    problems.append(place.problem("_meta: expected an object whose 'hostvars' is an object"))
    return {}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns groups into those of the YAML form; `variables` are those of hosts, by name."""

    variables: _Object
    place: Value
    problems: list[Problem]

    def group(self, name: str, body: object) -> _Object:
        """Return a group: an object of sections, a list of hosts, or variables of one host."""
        if isinstance(body, list):
            return {"hosts": self._hosts(name, cast("list[object]", body))}
        if not isinstance(body, dict):
            self._refuse(f"group {name!r}: expected an object or a list of hosts")
            return {}
        given = cast("_Object", body)
        if not any(section in given for section in _SECTIONS):
            return {"hosts": self._hosts(name, [name]), "vars": given}
        return {
            "hosts": self._hosts(name, given.get("hosts", [])),
            "vars": given.get("vars"),
            "children": dict.fromkeys(self._names(name, "children", given.get("children", []))),
        }

    def _hosts(self, group: str, listed: object) -> _Object:
        return {h: self.variables.get(h) for h in self._names(group, "hosts", listed)}

    def _names(self, group: str, section: str, listed: object) -> list[str]:
        names = cast("list[object]", listed) if isinstance(listed, list) else [None]
        if not all(isinstance(n, str) for n in names):
            self._refuse(f"group {group!r}: {section} is a list of names")
            return []
        return cast("list[str]", names)

    def _refuse(self, text: str) -> None:
        self.problems.append(self.place.problem(text))


def _depth(data: object) -> int:
    """Nesting, level by level: no recursion."""
    level: list[object] = [data]
    depth = 0
    while level and depth <= DEPTH_LIMIT:
        inner: list[object] = []
        for part in level:
            if isinstance(part, dict):
                inner.extend(cast("dict[str, object]", part).values())
            elif isinstance(part, list):
                inner.extend(cast("list[object]", part))
        level, depth = inner, depth + 1
    return depth
