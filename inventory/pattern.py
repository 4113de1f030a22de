"""Host patterns in Ansible's words, ``web*:!db1``, applied to an inventory. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from inventory.errors import PatternError
from inventory.model import Host, Inventory
from inventory.variables import suggestion

_SEPARATOR = re.compile(r"[,:](?![^\[]*\])")
# A regular expression has no subscript, and a range counts from the start.
_SUBSCRIPT = re.compile(r"(?P<of>[^~].*)\[(?:(?P<one>-?\d+)|(?P<first>\d+)[:-](?P<last>\d*))\]")
_GLOB = re.compile(r"[*?]|\[")


def split(pattern: str) -> list[str]:
    """Return the parts of a pattern, each with its ``!`` or ``&``."""
    return [p.strip() for p in _SEPARATOR.split(pattern) if p.strip()]


def select(inventory: Inventory, pattern: str) -> tuple[Host, ...]:
    """Return the hosts that a pattern names, in the order of the inventory.

    ``all`` or ``*``, host and group names, globs, ``~regex``, ``group[0]`` and ``group[0:2]``;
    joined by ``:`` or ``,``, narrowed by ``&part``, without ``!part``. A name that is in no
    inventory raises `PatternError`; a glob that matches nothing is merely empty.
    """
    parts = split(pattern)
    if not parts:
        raise PatternError("the host pattern is empty", "Use 'all' for every host.")
    wanted = [p for p in parts if p[0] not in "!&"] or ["all"]
    # of a host and a group with one name the host is meant, except where it narrows
    chosen = {
        name for p in wanted for name in ([p] if p in inventory.hosts else _matches(inventory, p))
    }
    for part in parts:
        if part[0] == "&":
            chosen &= set(_matches(inventory, part[1:]))
    for part in parts:
        if part[0] == "!":
            chosen -= set(_matches(inventory, part[1:]))
    return tuple(host for name, host in inventory.hosts.items() if name in chosen)


def _matches(inventory: Inventory, part: str) -> list[str]:
    if found := _SUBSCRIPT.fullmatch(part):
        return _subscript(_matches(inventory, found["of"]), found)
    if part in inventory.groups:
        return list(inventory.groups[part].hosts)
    if part in inventory.hosts:
        return [part]
    return _searched(inventory, _test(inventory, part))


def _subscript(names: list[str], found: re.Match[str]) -> list[str]:
    if found["one"]:
        at = int(found["one"])
        return [names[at]] if -len(names) <= at < len(names) else []
    # both ends are included, as in Ansible
    return names[int(found["first"]) : int(found["last"]) + 1 if found["last"] else None]


def _test(inventory: Inventory, part: str) -> Callable[[str], bool]:
    if part.startswith("~"):
        try:
            regex = re.compile(part[1:])
        except re.error as e:
            raise PatternError(f"{part!r} is not a regular expression: {e}") from e
        return lambda name: regex.match(name) is not None
    if not _GLOB.search(part):
        names = [*inventory.hosts, *inventory.groups]
        raise PatternError(
            f"no host or group {part!r} in {inventory.path}{suggestion(part, names)}",
            "See 'orch hosts list'.",
        )
    return lambda name: fnmatchcase(name, part)


def _searched(inventory: Inventory, test: Callable[[str], bool]) -> list[str]:
    """Return hosts of groups, then hosts; a subscript counts one as often as it is found."""
    found = [name for g in inventory.groups.values() if test(g.name) for name in g.hosts]
    return [*found, *(name for name in inventory.hosts if test(name))]
