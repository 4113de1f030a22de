"""What expressions come to, to the last digit: a table of HCL's own results.

`expressions.jsonl` was made with the libraries that Nomad evaluates with: a value, or an error.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gitops.jobspec.expressions import evaluate
from gitops.jobspec.hcl import parse_body
from gitops.jobspec.names import declared_names, fill
from gitops.jobspec.scope import Budget, Scope
from gitops.jobspec.syntax import Fault, Problems, Source
from gitops.jobspec.values import ValueFault, text
from gitops.jobspec.variables import Variables

LOCALS = """
locals {
  list  = ["b", "a", "c"]
  nums  = [3, 1, 2]
  map   = { x = 1, y = 2 }
  obj   = { name = "web", ports = [80, 443] }
  users = [{ name = "ann", admin = true }, { name = "bob", admin = false }]
  empty = []
  on    = true
  nul   = null
}
"""
ROWS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "expressions.jsonl").read_text("utf-8").splitlines()
]
PARTS = 12


@cache
def scope() -> Scope:
    """Return the scope that has the locals."""
    source = Source.of("x.nomad.hcl", LOCALS)
    found = declared_names(parse_body(source), Problems(source))
    fill(found, Variables(), {})
    return found.scope()


def result(expression: str) -> str | None:
    """Return the text that an expression comes to; None for an error."""
    source = Source.of("x.nomad.hcl", f"v = {expression}\n")
    try:
        attribute = parse_body(source).attribute("v")
        assert attribute is not None
        return text(evaluate(attribute.value, replace(scope(), source=source, budget=Budget())))
    except (Fault, ValueFault):
        return None


@pytest.mark.parametrize("part", range(PARTS))
def test_an_expression_comes_to_what_hcl_says(part: int) -> None:
    rows = ROWS[part::PARTS]
    wrong = {r["expr"]: found for r in rows if (found := result(r["expr"])) != r.get("value")}
    assert wrong == {}
