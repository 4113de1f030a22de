"""Formats HCL as `nomad fmt` and hclfmt do: indents, blanks between tokens, columns. Pure.

Only blanks between tokens change, so a formatted file means what it meant.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gitops.diagnostics import SpecErrors
from gitops.jobspec.format_tokens import Sort, Token, tokens
from gitops.jobspec.hcl import parse_body
from gitops.jobspec.syntax import Fault, Problems, Source

_INDENT = 2
# Behind one of these a minus is a sign of what follows, not an operator.
_BEFORE_NEGATION = (
    Sort.OPEN,
    Sort.OPEN_BRACE,
    Sort.EQUAL,
    Sort.COMMA,
    Sort.MINUS,
    Sort.BANG,
    Sort.SIGN,
    Sort.TEMPLATE,
)


@dataclass(slots=True)
class _Line:
    """A line in up to three cells: all, or what stands before ``=``; from there on; a comment."""

    lead: list[Token]
    assign: list[Token] = field(default_factory=list[Token])
    comment: list[Token] = field(default_factory=list[Token])


def formatted(text: str, *, path: str) -> str:
    """Return HCL text formatted; raises `SpecErrors` where it is not HCL, `path` saying whose."""
    source = Source.of(path, text)
    try:
        parse_body(source)
        found = list(tokens(source))
    except Fault as e:
        problems = Problems(source)
        problems.add(e)
        raise SpecErrors(problems.errors()) from None
    lines = [_cells(line) for line in _lines(found)]
    _indent(lines)
    for line in lines:
        _space(line.lead)
        _space(line.assign)
    _align(lines)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return mark + "".join(" " * t.blanks + t.text for t in found)


def _lines(found: Iterable[Token]) -> list[list[Token]]:
    lines: list[list[Token]] = [[]]
    for token in found:
        lines[-1].append(token)
        if token.ends_line:
            lines.append([])
    return lines


def _cells(line: list[Token]) -> _Line:
    """Part a line; an assignment that goes on behind it is no cell, and lines up with nothing."""
    comment = line[-1:] if len(line) > 1 and line[-1].sort is Sort.COMMENT else []
    lead = line[:-1] if comment else line
    equal = next((i for i, t in enumerate(lead) if i and t.sort is Sort.EQUAL), 0)
    if not equal or _depth(lead[equal:]) != 0:
        return _Line(lead, [], comment)
    return _Line(lead[:equal], lead[equal:], comment)


def _depth(line: Iterable[Token]) -> int:
    return sum(t.depth for t in line)


def _indent(lines: Iterable[_Line]) -> None:
    """Indent each line once for each line before it that opens more brackets than it closes."""
    opened: list[int] = []
    for line in lines:
        if not line.lead or line.lead[0].sort is Sort.NEWLINE:
            continue
        depth = _depth(line.lead) + _depth(line.assign)
        _close(opened, -depth)
        line.lead[0].blanks = _INDENT * len(opened)
        if depth > 0:
            opened.append(depth)


def _close(opened: list[int], count: int) -> None:
    while count > 0 and opened:
        closed = min(count, opened[-1])
        opened[-1] -= closed
        count -= closed
        if not opened[-1]:
            opened.pop()


def _space(cell: Sequence[Token]) -> None:
    before = None
    for token, after in pairwise(cell):
        after.blanks = int(_is_apart(_Gap(before, token, after)))
        before = token


@dataclass(frozen=True, slots=True)
class _Gap:
    """The place between two tokens of a line, and what stands before the first of them."""

    before: Token | None
    token: Token
    after: Token

    def is_before(self, *sorts: Sort) -> bool:
        return self.after.sort in sorts

    def is_behind(self, *sorts: Sort) -> bool:
        return self.token.sort in sorts


def _is_index(gap: _Gap) -> bool:
    value = gap.is_behind(Sort.NAME, Sort.NUMBER) or gap.token.depth < 0
    return gap.after.text == "[" and value


def _is_in_of_loop(gap: _Gap) -> bool:
    return gap.token.text == "in" and gap.before is not None and gap.before.sort is Sort.NAME


def _is_negation(gap: _Gap) -> bool:
    after_value = gap.before is not None and gap.before.sort not in _BEFORE_NEGATION
    return gap.is_behind(Sort.MINUS) and not after_value


# The first rule that fits a place says whether a blank stands there.
_RULES: tuple[tuple[bool, Callable[[_Gap], bool]], ...] = (
    (False, lambda g: g.is_before(Sort.NEWLINE)),
    (False, lambda g: g.is_behind(Sort.NAME) and g.after.text == "("),
    (False, lambda g: g.is_behind(Sort.COLONS, Sort.DOT) or g.is_before(Sort.COLONS, Sort.DOT)),
    (False, lambda g: g.is_before(Sort.COMMA, Sort.ELLIPSIS)),
    (True, lambda g: g.is_behind(Sort.COMMA)),
    (False, lambda g: g.is_behind(Sort.OPEN_QUOTE, Sort.TEXT)),
    (False, lambda g: g.is_before(Sort.TEXT, Sort.CLOSE_QUOTE)),
    (True, _is_in_of_loop),
    (False, lambda g: _is_index(g) or g.is_behind(Sort.BANG) or _is_negation(g)),
    (True, lambda g: g.is_behind(Sort.MINUS)),
    (False, lambda g: g.is_behind(Sort.OPEN_BRACE) and g.is_before(Sort.CLOSE_BRACE)),
    (True, lambda g: g.is_behind(Sort.OPEN_BRACE) or g.is_before(Sort.CLOSE_BRACE)),
    (True, lambda g: g.is_behind(Sort.TEMPLATE) and g.is_before(Sort.OPEN_BRACE)),
    (True, lambda g: g.is_behind(Sort.CLOSE_BRACE) and g.is_before(Sort.TEMPLATE_END)),
    (False, lambda g: g.is_behind(Sort.TEMPLATE_END) and g.is_before(Sort.TEMPLATE)),
    (False, lambda g: g.token.depth > 0 or g.after.depth < 0),
)


def _is_apart(gap: _Gap) -> bool:
    return next((apart for apart, fits in _RULES if fits(gap)), True)


def _align(lines: Sequence[_Line]) -> None:
    """Put what consecutive lines assign into one column, and the comments behind them into one."""
    for chain in _chains(lines, [bool(line.assign) for line in lines]):
        widths = [_width(line.lead) for line in chain]
        for line, width in zip(chain, widths, strict=True):
            line.assign[0].blanks = max(widths) - width + 1
    for chain in _chains(lines, [bool(line.comment) for line in lines]):
        widths = [_width(line.lead) + _width(line.assign) for line in chain]
        for line, width in zip(chain, widths, strict=True):
            line.comment[0].blanks = max(widths) - width + 1


def _chains(lines: Sequence[_Line], belongs: Sequence[bool]) -> list[list[_Line]]:
    chains: list[list[_Line]] = [[]]
    for line, inside in zip(lines, belongs, strict=True):
        if inside:
            chains[-1].append(line)
        elif chains[-1]:
            chains.append([])
    return [c for c in chains if c]


def _width(cell: Iterable[Token]) -> int:
    """Return the columns of a cell: those of its last line, where a comment has several."""
    width = 0
    for token in cell:
        _, several, last = token.text.rpartition("\n")
        width = _columns(last) + (0 if several else width + token.blanks)
    return width


def _columns(text: str) -> int:
    return len(text) if text.isascii() else sum(unicodedata.combining(c) == 0 for c in text)
