"""Tables of what says where allocations go: constraint, affinity, spread."""

from __future__ import annotations

from gitops.jobspec.schema.rows import (
    Decoded,
    Table,
    anything,
    argument,
    blocks,
    flag,
    string,
    whole,
)

_SHORTCUTS = ("version", "semver", "regexp", "set_contains")
_SETS = ("set_contains_all", "set_contains_any")
# Nomad's schema of constraints takes these names too, and does nothing with them.
_OPERATORS_ONLY = (*_SETS, "is_set", "is_not_set")


def _shortcut(found: Decoded, names: tuple[str, ...]) -> None:
    data = found.data
    for name in names:
        given = data.pop(f"_{name}", None)
        if given is not None:
            data["Operand"], data["RTarget"] = name, given


def _finish_constraint(found: Decoded) -> None:
    data = found.data
    _shortcut(found, _SHORTCUTS)
    for name in _OPERATORS_ONLY:
        data.pop(f"_{name}")
    prop = data.pop("_distinct_property", None)
    hosts = data.pop("_distinct_hosts", None)
    if prop is not None:
        data["Operand"], data["LTarget"] = "distinct_property", prop
    if hosts is not None:
        data["Operand"], data["RTarget"] = "distinct_hosts", "true" if hosts else "false"
    data["Operand"] = data["Operand"] or "="


def _finish_affinity(found: Decoded) -> None:
    _shortcut(found, _SHORTCUTS + _SETS)
    found.data["Operand"] = found.data["Operand"] or "="


_COMMON = (
    argument("attribute", "LTarget", string, "", "${…}, needed except for distinct_hosts"),
    argument("value", "RTarget", string, ""),
    argument("operator", "Operand", string, ""),
    *(argument(n, f"_{n}", string, None, "operator and value in one") for n in _SHORTCUTS),
)

CONSTRAINT = Table(
    "constraint",
    (
        *_COMMON,
        *(argument(n, f"_{n}", anything, None, "no effect: an operator") for n in _OPERATORS_ONLY),
        argument("distinct_property", "_distinct_property", string),
        argument("distinct_hosts", "_distinct_hosts", flag),
    ),
    finish=_finish_constraint,
)

AFFINITY = Table(
    "affinity",
    (
        *_COMMON,
        *(argument(n, f"_{n}", string, None, "operator and value in one") for n in _SETS),
        argument("weight", "Weight", whole, None, "-100..100, not 0"),
    ),
    finish=_finish_affinity,
)

TARGET = Table(
    "target",
    (
        argument("value", "Value", string, ""),
        argument("percent", "Percent", whole, 0, "0..100, at most 100 together"),
    ),
    label="Value",
    optional_label=True,
)

SPREAD = Table(
    "spread",
    (
        argument("attribute", "Attribute", string, ""),
        argument("weight", "Weight", whole, None, "1..100"),
        blocks("target", "SpreadTarget", TARGET),
    ),
)

PLACEMENT_ROWS = (
    blocks("constraint", "Constraints", CONSTRAINT),
    blocks("affinity", "Affinities", AFFINITY),
)
