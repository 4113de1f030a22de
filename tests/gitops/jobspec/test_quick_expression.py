"""Expressions that are read without the parser are the very tree that it makes, or left to it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.jobspec import hcl
from gitops.jobspec.quick_expression import quick_expression
from gitops.jobspec.scan import scan
from gitops.jobspec.syntax import Fault, Source, Span

HERE = Path(__file__).parent
TABLE = [json.loads(row)["expr"] for row in (HERE / "expressions.jsonl").read_text().splitlines()]
GOLDEN = [p.read_text("utf-8") for p in sorted((HERE / "golden").glob("*.nomad.hcl"))]
# Read without the parser; these are how people write.
PLAIN = [
    "1.5e3 - -2",
    "a && !b || c == d.e[0]",
    "a ? b : c ? d : (e)",
    "[\n  1,\n  [2, 3],\n]",
    '{\n  a = 1 # one\n  "b" : "${c}", (d) = {}\n  true = null\n}',
    '[for k, v in var.m : upper(k) if v != ""]',
    "{for k, v in m : k => v... if v}",
    'f(g(), "x"...)',
    'join(",", [for d in var.list : "zone-${upper(d)}"])',
    "x[*].y.0[z[*]].w",
    "a.b[*].c[*].d[0]",
    '"%{ if a }b%{ else }${c}%{ endif }"',
    "f(<<E\n${a}\nE\n)",
    "ñ.b - 5",
]
# Left to the parser, which reads some of them.
OTHERS = [
    *("--a", "a.*.b", "f(x..., y)", "provider::x::y(1)", "[a\n+ b]", "{for = 1}", "x.0.1", "5a"),
    *(
        "",
        "a b",
        "[1 2]",
        "{a = 1 b = 2}",
        "{a = 1\n, b = 2}",
        "true.x",
        "a.for",
        "a %{b}",
        "f (x)",
    ),
    *('f("${"', "[for if in x : y]", "(" * 20 + "a" + ")" * 20, "+".join("a" * 60), "1" * 5000),
]
BITS = [
    *'\n"{}[]()=,.#!?:1-*%~ \t\\é²',
    *("==", "=>", "//", "/*", "*/", "...", "${", "%{", "<<E\n", "\nE\n", "\r\n", "&&", "[*]", ".*"),
    *("5a", "1.5", "1e3", "true", "null", "for", "in", "if", "a.b", '"a"', "[0]", "::", "f(", "-3"),
]


def _read(text: str, *, quick: bool) -> object:
    """Return the tree, or what is wrong; None where there is no quick way."""
    source = Source.of("f", text)
    try:
        whole = Span(0, len(text))
        if quick:
            return quick_expression(source, scan(source, whole), hcl.parse_expression)
        return hcl.slow_expression(source, whole)
    except Fault as e:
        return e.summary, e.detail, e.span


def _assert_same(text: str) -> None:
    found = _read(text, quick=True)
    assert found is None or found == _read(text, quick=False)


@pytest.mark.parametrize("text", PLAIN)
def test_what_people_write_is_read(text: str) -> None:
    found = _read(text, quick=True)

    assert found is not None
    assert found == _read(text, quick=False)


@pytest.mark.parametrize("text", OTHERS)
def test_the_rest_is_left_to_the_parser(text: str) -> None:
    found = _read(text, quick=True)

    assert found is None or found == _read(text, quick=False)


def test_the_table_of_semantics_comes_to_the_same_trees() -> None:
    for text in TABLE:
        _assert_same(text)
    assert sum(_read(text, quick=True) is None for text in TABLE) < len(TABLE) / 20


def test_values_of_golden_specs_come_to_the_same_trees() -> None:
    values = [v for text in GOLDEN for v in re.findall(r"^[^\"\n]*?= *([^=\n].*)$", text, re.M)]

    assert len(values) > 50
    for text in values:
        _assert_same(text)


def test_a_fault_in_a_template_is_told_once_however_deep_it_is() -> None:
    text = "x y"
    for _ in range(20):
        text = f'f("${{{text}}}")'
    source = Source.of("f", text)

    with pytest.raises(Fault):
        hcl.parse_expression(source, Span(0, len(text)))
    assert source.effort.left > Source.of("f", text).effort.left - 20 * len(text)


@settings(max_examples=300, deadline=None)
@given(
    text=st.sampled_from([*PLAIN, *TABLE]),
    edits=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 3), st.sampled_from(["", *BITS])),
        min_size=1,
        max_size=3,
    ),
)
def test_what_is_read_quickly_is_what_the_parser_reads(
    text: str, edits: list[tuple[int, int, str]]
) -> None:
    for at, cut, put in edits:
        place = at % (len(text) + 1)
        text = text[:place] + put + text[place + cut :]
    _assert_same(text)
