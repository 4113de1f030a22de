"""Run-time references: ``${…}`` in variables and configs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from planner.observed import Node

_REFERENCE = re.compile(r"\$\{\s*([^{}]*?)\s*\}")
_QUOTED_ENV = re.compile(r'env(?:\.|\[")([^"\]]+)(?:"\])?')


def node_values(node: Node, region: str = "global") -> dict[str, str]:
    """What a node answers: node.*, attr.* and meta.*."""
    values = {
        "node.unique.id": node.id,
        "node.unique.name": node.name,
        "node.datacenter": node.datacenter,
        "node.region": region,
        "node.class": node.node_class,
        "node.pool": node.node_pool,
    }
    values.update({f"attr.{k}": v for k, v in node.attributes.items()})
    values.update({f"meta.{k}": v for k, v in node.meta.items()})
    return values


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Replace what is known; an unknown reference stays as it is written."""

    def resolved(found: re.Match[str]) -> str:
        name = _plain(found[1], values)
        return values.get(name, found[0])

    return _REFERENCE.sub(resolved, text)


def unknown_references(text: str, values: Mapping[str, str]) -> list[str]:
    """The names of references that nothing answers, in order."""
    names = (_plain(name, values) for name in _REFERENCE.findall(text))
    return [name for name in names if name not in values]


def _plain(name: str, values: Mapping[str, str]) -> str:
    if name in values:
        return name
    found = _QUOTED_ENV.fullmatch(name)
    return found[1] if found else name
