from __future__ import annotations

import pytest

from planner.constraint import holds, is_distinct, label, resolved
from planner.job import Constraint
from tests.planner.scenes import node

HERE = node(
    "n1",
    datacenter="dc2",
    node_class="large",
    node_pool="gpu",
    attributes={"kernel.name": "linux", "os.signals": "SIGINT, SIGTERM", "nomad.version": "1.8.0"},
    meta={"rack": "r1", "num": "9", "half": "2.5", "wanted": "linux", "beta": "1.3.0-beta1"},
)
CASES = [
    ("${attr.kernel.name}", "=", "linux", True),
    ("${attr.kernel.name}", "==", "linux", True),
    ("${attr.kernel.name}", "is", "plan9", False),
    ("${attr.kernel.name}", "=", "${meta.wanted}", True),
    ("${attr.kernel.name}", "!=", "plan9", True),
    ("${attr.missing}", "!=", "linux", True),
    ("${attr.missing}", "not", "", False),
    ("${attr.missing}", "=", "", False),
    ("${node.unique.id}", "=", "id-n1", True),
    ("${node.unique.name}", "=", "n1", True),
    ("${node.datacenter}", "=", "dc2", True),
    ("${node.class}", "=", "large", True),
    ("${node.pool}", "=", "gpu", True),
    ("${node.nonsense}", "=", "x", False),
    ("literal", "=", "literal", True),
    ("${meta.num}", "<", "10", True),
    ("${meta.num}", ">", "10", False),
    ("${meta.half}", ">=", "2.5", True),
    ("${meta.half}", "<=", "2.4", False),
    ("${meta.rack}", "<", "r2", True),
    ("${meta.missing}", "<", "1", False),
    ("${meta.rack}", "regexp", "^r[0-9]$", True),
    ("${meta.rack}", "regexp", r"1\z", True),
    ("${meta.rack}", "regexp", "[[:alpha:]][[:digit:]]$", True),
    ("${meta.rack}", "regexp", r"^\pL1", True),
    ("${meta.rack}", "regexp", "(?=r)", False),
    ("${meta.rack}", "regexp", "[", False),
    ("${meta.rack}", "regexp", "x" * 2000, False),
    ("${attr.nomad.version}", "version", ">= 1.4", True),
    ("${meta.beta}", "version", ">= 1.2", False),
    ("${meta.beta}", "semver", ">= 1.2.0", True),
    ("${attr.os.signals}", "set_contains", "SIGTERM,SIGINT", True),
    ("${attr.os.signals}", "set_contains_all", "SIGTERM,SIGUSR1", False),
    ("${attr.os.signals}", "set_contains_any", "SIGTERM,SIGUSR1", True),
    ("${meta.rack}", "is_set", "", True),
    ("${meta.missing}", "is_set", "", False),
    ("${meta.missing}", "is_not_set", "", True),
    ("${meta.rack}", "unheard_of", "r1", False),
    ("${attr.consul.version}", "semver", ">= 1.8.0", True),
]


@pytest.mark.parametrize(("left", "operand", "right", "expected"), CASES)
def test_operands(left: str, operand: str, right: str, expected: bool) -> None:
    assert holds(Constraint(l_target=left, operand=operand, r_target=right), HERE) is expected


def test_a_name_for_placement_failures() -> None:
    constraint = Constraint(l_target="${meta.x}", operand="is_set")
    assert label(constraint) == "${meta.x} is_set "


def test_what_looks_at_several_allocations() -> None:
    assert is_distinct(Constraint(operand="distinct_hosts"))
    assert not is_distinct(Constraint())


def test_a_missing_attribute_resolves_to_none() -> None:
    assert resolved("${meta.missing}", HERE) is None
