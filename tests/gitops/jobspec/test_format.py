"""Formatted files look as hclfmt's users expect, and mean what they meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.diagnostics import SpecErrors
from gitops.jobspec.format import formatted
from tests.gitops.jobspec.meaning import meaning
from tests.gitops.jobspec.specs import spec

PAIRS = Path(__file__).parent / "formatted"
NAMES = sorted(p.name.removesuffix(".before.hcl") for p in PAIRS.glob("*.before.hcl"))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_formatted(name: str) -> None:
    before, after = (PAIRS / f"{name}.{when}.hcl" for when in ("before", "after"))

    assert formatted(before.read_text(), path=name) == after.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_formatting_again_changes_nothing(name: str) -> None:
    after = (PAIRS / f"{name}.after.hcl").read_text()

    assert formatted(after, path=name) == after


def test_line_ends_and_the_last_line_stay() -> None:
    assert formatted("a=1\r\n\r\nbb=2 # x\r\n", path="x") == "a = 1\r\n\r\nbb = 2 # x\r\n"
    assert formatted("\ufeffa=1", path="x") == "\ufeffa = 1"
    assert formatted("", path="x") == ""


def test_tabs_and_blanks_at_line_ends_go() -> None:
    assert formatted("a {\t\n\t\tb\t=\t1   \n \t \n}\n", path="x") == "a {\n  b = 1\n\n}\n"


def test_columns_are_those_of_characters() -> None:
    assert formatted('a="ü" # x\nb="e\u0301" # y\n', path="x") == 'a = "ü" # x\nb = "e\u0301" # y\n'


@pytest.mark.parametrize("text", ["a {\n", 'a = "', "a = \n", "a = 1 b = 2\n"])
def test_what_is_no_hcl_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SpecErrors) as found:
        formatted(text, path="x.hcl")

    assert found.value.message.startswith("x.hcl:1:")


BLANKS = st.sampled_from(["", " ", "  ", "\t"])
# Where blanks keep two words apart.
APART = st.sampled_from([" ", "  ", "\t "])
WORDS = st.sampled_from(
    ["a", "-b-", "é", "$", "%", "$${x", " ", '\\"', "#", "//", "{", "\\n", "<<E"]
)
NAMES_OF_VALUES = ["local.n", "local.m.k", "local.l[0]", "attr.x.y", "var.nope", "local.l[*]"]
ENDS = st.sampled_from(["\n", " # x\n", "// y = 2\n", "/* z */\n", "\n\n", " \t\n"])


@st.composite
def joined(draw: st.DrawFn, *parts: st.SearchStrategy[str] | str) -> str:
    """Text of parts with any blanks between them."""
    texts = [p if isinstance(p, str) else draw(p) for p in parts]
    return "".join(draw(BLANKS) + t for t in texts)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    text = st.lists(WORDS | joined("${", inner, "}").map(str.lstrip), max_size=4).map("".join)
    operators = ["+", "-", "*", "==", "!=", "<", "&&", "||"]
    return st.one_of(
        text.map(lambda t: f'"{t}"'),
        joined("[", inner, ",", inner, "]"),
        joined("{", "k", "=", inner, ",", '"q"', ":", inner, "}"),
        joined("(", inner, *[st.sampled_from(operators)], inner, ")"),
        joined("(", inner, "?", inner, ":", inner, ")"),
        joined("(", "-", inner, ")"),
        joined("!", inner),
        joined("upper", "(", inner, ")"),
        joined("concat", "(", inner, "...", ")"),
        st.tuples(inner, APART).map(lambda t: f"[for{t[1]}v{t[1]}in{t[1]}{t[0]}{t[1]}:v]"),
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(["1", "2.5e3", "true", "null", '"t"', *NAMES_OF_VALUES]), _grown, max_leaves=6
)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A spec whose environment has any expressions, with blanks and comments anywhere."""
    lines = [
        draw(joined(f"V{i}", "=", value)) + draw(ENDS)
        for i, value in enumerate(draw(st.lists(EXPRESSIONS, min_size=1, max_size=4)))
    ]
    heredoc = draw(st.sampled_from(["", "H=<<-X\n   a ${ local.n }\n  b=1 # \n  X\n"]))
    top = 'locals {\nn=1\nm={k="v"}\nl=["x"]\n}'
    return spec(top=top, task=f"env {{ {draw(ENDS)}{''.join(lines)}{heredoc} }}")


@settings(deadline=None)
@given(specs())
def test_a_formatted_spec_means_the_same(text: str) -> None:
    try:
        once = formatted(text, path="x")
    except SpecErrors:
        return

    assert meaning(once) == meaning(text)
    assert formatted(once, path="x") == once
