"""What a constraint or an affinity says about one node. Decides nothing beyond true and false."""

from __future__ import annotations

import re
from collections.abc import Callable

from planner.job import Affinity, Constraint
from planner.observed import Node
from planner.pattern import PatternError, compiled
from planner.versions import version_matches

# What hosts say of themselves may not grow without a limit.
_MAX_TEXT = 4_096

DISTINCT_HOSTS = "distinct_hosts"
DISTINCT_PROPERTY = "distinct_property"

_NODE_TARGETS: dict[str, Callable[[Node], str]] = {
    "${node.unique.id}": lambda n: n.id,
    "${node.unique.name}": lambda n: n.name,
    "${node.datacenter}": lambda n: n.datacenter,
    "${node.class}": lambda n: n.node_class,
    "${node.pool}": lambda n: n.node_pool,
}

# Implied by what asks for Consul or Vault; kept in the job, and not enforced: orch has neither, and
# says so where it does not honour what asks for them.
_NOT_ENFORCED = ("${attr.consul.", "${attr.vault.", "${attr.plugins.cni.version.consul-cni}")


def resolved(target: str, node: Node) -> str | None:
    """Return what `target` (a literal or ``${…}``) is on `node`; None where it is missing."""
    if not target.startswith("${"):
        return target
    if (named := _NODE_TARGETS.get(target)) is not None:
        return named(node)
    if target.startswith("${attr."):
        return node.attributes.get(target[7:-1])
    if target.startswith("${meta."):
        return node.meta.get(target[7:-1])
    return None


def label(constraint: Constraint) -> str:
    """The constraint as placement failures name it."""
    return f"{constraint.l_target} {constraint.operand} {constraint.r_target}"


def is_distinct(constraint: Constraint) -> bool:
    """Whether it limits allocations beside each other, so that no node alone decides it."""
    return constraint.operand in (DISTINCT_HOSTS, DISTINCT_PROPERTY)


def holds(constraint: Constraint | Affinity, node: Node) -> bool:
    """Whether `node` meets the constraint; an operand that is not known is never met."""
    if constraint.operand == "semver" and constraint.l_target.startswith(_NOT_ENFORCED):
        return True
    left, right = resolved(constraint.l_target, node), resolved(constraint.r_target, node)
    operand = constraint.operand
    if operand in _UNARY:
        return _UNARY[operand](left)
    if operand in _ABSENT_IS_EMPTY:
        return (left or "") != (right or "")
    compare = _BINARY.get(operand)
    return compare is not None and left is not None and right is not None and compare(left, right)


_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")

_UNARY: dict[str, Callable[[str | None], bool]] = {
    "is_set": lambda left: left is not None,
    "is_not_set": lambda left: left is None,
}
_ABSENT_IS_EMPTY = frozenset({"!=", "not"})


def _sign(left: str, right: str) -> int:
    """Compare as whole numbers, else as numbers, else as texts: below, at or above zero."""
    if _WHOLE.fullmatch(left) and _WHOLE.fullmatch(right):
        return _order(int(left), int(right))
    if _NUMBER.fullmatch(left) and _NUMBER.fullmatch(right):
        return _order(float(left), float(right))
    return (left > right) - (left < right)


def _order(left: float, right: float) -> int:
    return (left > right) - (left < right)


def _searched(left: str, right: str) -> bool:
    try:
        return compiled(right).search(left[:_MAX_TEXT]) is not None
    except PatternError:
        return False


def _items(text: str) -> set[str]:
    return {item.strip() for item in text.split(",")}


_BINARY: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "is": lambda a, b: a == b,
    "<": lambda a, b: _sign(a, b) < 0,
    "<=": lambda a, b: _sign(a, b) <= 0,
    ">": lambda a, b: _sign(a, b) > 0,
    ">=": lambda a, b: _sign(a, b) >= 0,
    "regexp": _searched,
    "version": lambda a, b: version_matches(a, b, strict=False),
    "semver": lambda a, b: version_matches(a, b, strict=True),
    "set_contains": lambda a, b: _items(b) <= _items(a),
    "set_contains_all": lambda a, b: _items(b) <= _items(a),
    "set_contains_any": lambda a, b: bool(_items(b) & _items(a)),
}
