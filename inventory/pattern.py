"""Host patterns in Ansible's words, ``web*:!db1``, applied to an inventory. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from inventory.errors import PatternError
from inventory.model import Host, Inventory
from inventory.variables import suggestion

_SEPARATOR = re.compile(r"[,:](?![^\[]*\])")
_SUBSCRIPT = re.compile(r"(.+)\[(-?\d+)(?::(-?\d+)?)?\]")
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
    chosen = {name for p in wanted for name in _matches(inventory, p)}
    for part in parts:
        if part[0] == "&":
            chosen &= set(_matches(inventory, part[1:]))
    for part in parts:
        if part[0] == "!":
            chosen -= set(_matches(inventory, part[1:]))
    return tuple(host for name, host in inventory.hosts.items() if name in chosen)


def _matches(inventory: Inventory, part: str) -> list[str]:
    if found := _SUBSCRIPT.fullmatch(part):
        return _subscript(_matches(inventory, found[1]), found)
    if part in ("all", "*"):
        return list(inventory.hosts)
    if part in inventory.groups:
        return list(inventory.groups[part].hosts)
    if part in inventory.hosts:
        return [part]
    return _searched(inventory, part, _test(inventory, part))


def _subscript(names: list[str], found: re.Match[str]) -> list[str]:
    first = int(found[2])
    if ":" not in found[0][len(found[1]) :]:
        return names[first:][:1]
    # both ends are included, as in Ansible
    last = int(found[3]) + 1 if found[3] else None
    return names[first : last or None]


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
            "List what there is with: orch node status",
        )
    return lambda name: fnmatchcase(name, part)


def _searched(inventory: Inventory, part: str, test: Callable[[str], bool]) -> list[str]:
    out = dict.fromkeys(name for name in inventory.hosts if test(name))
    for group in inventory.groups.values():
        if test(group.name):
            out.update(dict.fromkeys(group.hosts))
    return list(out)
