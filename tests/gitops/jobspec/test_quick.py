"""What is read without the parser is the very tree that the parser makes, or left to it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.jobspec import hcl
from gitops.jobspec.layout import check_layout
from gitops.jobspec.quick import quick_body
from gitops.jobspec.scan import scan
from gitops.jobspec.syntax import Body, Fault, Source

PLAIN = """\
# comment
variable "a" {
  default = 12 /* twelve */
}

job "x" "y" z {
  on   = true
  none = null
  text = "a ${b.c["d"]} e" // more
  list = ["a", 1, n.m[0],
    false,
  ]
  empty {}
  one { line = [] }
  doc = <<-EOT
    ${a}
    b
  EOT
}
"""
ASKS = """\
a = -1
b = [for x in y : upper(x) if x != ""]
c = { "k" = 1, m : 2 }
d = (x ?
  1 : 2)
e { f = g(1) }
h = [<<E
i
E
]
"""
BITS = [
    *'\n"{}[]()=,.#!?:1-*%_ \t\\é',
    *("==", "=>", "//", "/*", "*/", "...", "${", "%{", "<<E\n", "E\n", "\r\n", "&&"),
    *("5a", "1.5", "1e3", "true", "null", "for", "in", "if", "a.b", '"a"', "[0]"),
]


def _read(text: str, *, quick: bool) -> object:
    """Return the tree, or what is wrong; None where there is no quick way."""
    source = Source.of("f", text)
    try:
        scanned = scan(source)
        body: Body | None
        if quick:
            body = quick_body(source, scanned, hcl.parse_expression)
        else:
            body = hcl.slow_body(source, scanned)
        if body is not None:
            check_layout(source, scanned.text, body)
    except Fault as e:
        return e.summary, e.detail, e.span
    return body


@pytest.mark.parametrize("text", [PLAIN, ASKS, "", "\n", "\ufeffa = 1"])
def test_both_ways_come_to_one_tree(text: str) -> None:
    assert _read(text, quick=True) == _read(text, quick=False)


@pytest.mark.parametrize("text", ["a", "a = ", "true = 1", 'a "b" null {\n}', "a = 1 b = 2", "}"])
def test_the_parser_says_what_is_wrong(text: str) -> None:
    assert _read(text, quick=True) in (None, _read(text, quick=False))


@settings(max_examples=150, deadline=None)
@given(
    text=st.sampled_from([PLAIN, ASKS]),
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
    quickly = _read(text, quick=True)
    assert quickly is None or quickly == _read(text, quick=False)
