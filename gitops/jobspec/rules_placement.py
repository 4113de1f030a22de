"""Rules of constraint, affinity and spread blocks, at the job, a group or a task. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from gitops.jobspec.decode import Path
from planner.job import Affinity, Constraint, Spread
from planner.pattern import PatternError, compiled

Finding = tuple[Path, tuple[str, str]]

_COMPARING = [
    "=",
    "==",
    "is",
    "!=",
    "not",
    "<",
    "<=",
    ">",
    ">=",
    "regexp",
    "version",
    "semver",
    "set_contains",
    "set_contains_all",
    "set_contains_any",
]
_OPERATORS = (*_COMPARING, "is_set", "is_not_set", "distinct_hosts", "distinct_property")
_VERSION = r"\s*v?\d[\w.+~-]*\s*"
_VERSIONS = {
    "version": re.compile(rf"\s*(?:=|!=|>=|<=|>|<|~>)?{_VERSION}"),
    # ~> is of the loose versions only
    "semver": re.compile(rf"\s*(?:=|!=|>=|<=|>|<)?{_VERSION}"),
}
# What of a node can be asked for; anything else in ${…} would always be missing.
_TARGET = re.compile(
    r"\$\{(?:node\.(?:unique\.id|unique\.name|datacenter|class|pool)|(?:attr|meta|device)\..+)\}"
)
_PERCENT = 100


class Placed(Protocol):
    """What has constraints and affinities."""

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """Return the constraints."""
        ...

    @property
    def affinities(self) -> tuple[Affinity, ...]:
        """Return the affinities."""
        ...


def placement_findings(placed: Placed, path: Path, level: str) -> Iterator[Finding]:
    """Yield what is wrong with the placement blocks of a job, group or task (`level`)."""
    for i, constraint in enumerate(placed.constraints):
        where = (*path, "Constraints", i)
        if level == "task" and constraint.operand.startswith("distinct_"):
            detail = "It applies to a group or a job; move the block up."
            yield where, (f"{constraint.operand} in a task", detail)
        for name, finding in _constraint(constraint):
            yield (*where, name), finding
    for i, affinity in enumerate(placed.affinities):
        where = (*path, "Affinities", i)
        for name, finding in _affinity(affinity):
            yield (*where, name), finding


def spread_findings(spreads: tuple[Spread, ...], path: Path) -> Iterator[Finding]:
    """Yield what is wrong with spread blocks."""
    for i, spread in enumerate(spreads):
        where = (*path, "Spreads", i)
        if not spread.attribute:
            yield where, ("The spread has no attribute", 'Write attribute = "${node.datacenter}".')
        if not 1 <= spread.weight <= _PERCENT:
            yield (*where, "Weight"), (f"Invalid weight {spread.weight}", "It is 1 to 100.")
        yield from _targets(spread, where)


def _targets(spread: Spread, where: Path) -> Iterator[Finding]:
    total = 0
    seen: set[str] = set()
    for k, target in enumerate(spread.spread_target):
        at = (*where, "SpreadTarget", k)
        if target.value in seen:
            yield at, (f'A second target "{target.value}"', "Each value has one target.")
        seen.add(target.value)
        total += target.percent
        if not 0 <= target.percent <= _PERCENT:
            yield (*at, "Percent"), (f"Invalid percent {target.percent}", "It is 0 to 100.")
    if total > _PERCENT:
        yield where, (f"The targets add up to {total} percent", "Together they have at most 100.")


def _constraint(given: Constraint) -> Iterator[tuple[str, tuple[str, str]]]:
    operand = given.operand
    if operand not in _OPERATORS:
        yield "Operand", (f'Unknown operator "{operand}"', f"Known are {', '.join(_OPERATORS)}.")
        return
    if operand == "distinct_hosts":
        if given.r_target not in ("", "true", "false"):
            yield "RTarget", ("Invalid distinct_hosts", "It is true or false.")
        return
    if not given.l_target:
        yield "LTarget", ("The constraint has no attribute", 'Write attribute = "${attr.…}".')
    yield from _target(given.l_target)
    if operand == "distinct_property":
        if given.r_target and not (given.r_target.isdigit() and int(given.r_target) >= 1):
            yield "RTarget", ("Invalid distinct_property", "Its value is a number from 1.")
    else:
        yield from _right_side(operand, given.r_target)


def _affinity(given: Affinity) -> Iterator[tuple[str, tuple[str, str]]]:
    if given.operand not in _COMPARING:
        known = ", ".join(_COMPARING)
        yield "Operand", (f'Unknown operator "{given.operand}"', f"Known are {known}.")
        return
    if not given.l_target:
        yield "LTarget", ("The affinity has no attribute", 'Write attribute = "${attr.…}".')
    yield from _target(given.l_target)
    if not -_PERCENT <= given.weight <= _PERCENT or given.weight == 0:
        yield "Weight", (f"Invalid weight {given.weight}", "It is -100 to 100 and not 0.")
    yield from _right_side(given.operand, given.r_target)


def _target(left: str) -> Iterator[tuple[str, tuple[str, str]]]:
    if left.startswith("$") and not _TARGET.fullmatch(left):
        detail = "Write ${attr.…}, ${meta.…}, ${node.datacenter}, ${node.class}, ${node.pool}, "
        detail += "${node.unique.id} or ${node.unique.name}."
        yield "LTarget", (f'Unsupported attribute "{left}"', detail)


def _right_side(operand: str, right: str) -> Iterator[tuple[str, tuple[str, str]]]:
    if operand in ("is_set", "is_not_set"):
        if right:
            yield "RTarget", (f"{operand} takes no value", "Remove it.")
        return
    if not right:
        yield "RTarget", (f'The operator "{operand}" needs a value', 'Write value = "…".')
    elif operand == "regexp" and not _compiles(right):
        yield "RTarget", (f"Invalid regular expression {right!r}", "Correct the pattern.")
    elif (form := _VERSIONS.get(operand)) and not all(map(form.fullmatch, right.split(","))):
        yield "RTarget", (f'Invalid {operand} "{right}"', 'Write it as ">= 1.2, < 2.0".')


def _compiles(pattern: str) -> bool:
    try:
        compiled(pattern)
    except PatternError:
        return False
    return True
