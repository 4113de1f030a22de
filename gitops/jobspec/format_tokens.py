"""HCL text → tokens that lose nothing but the blanks between them. Pure.

A heredoc is one token, and so is each literal piece of a quoted string: what is data never changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from gitops.jobspec.scan import Literal, interpolation_end, scan
from gitops.jobspec.syntax import Source, Span


class Sort(Enum):
    """What a token is; `SIGN` is any operator that has no sort of its own."""

    NAME = "name"
    NUMBER = "number"
    OPEN_QUOTE = "open quote"
    CLOSE_QUOTE = "close quote"
    TEXT = "text"
    HEREDOC = "heredoc"
    TEMPLATE = "template"
    TEMPLATE_END = "template end"
    OPEN = "open"
    CLOSE = "close"
    OPEN_BRACE = "open brace"
    CLOSE_BRACE = "close brace"
    COMMA = "comma"
    DOT = "dot"
    COLONS = "colons"
    ELLIPSIS = "ellipsis"
    BANG = "bang"
    MINUS = "minus"
    EQUAL = "equal"
    SIGN = "sign"
    COMMENT = "comment"
    NEWLINE = "newline"


@dataclass(slots=True)
class Token:
    """A piece of the text, and how many blanks stand before it."""

    sort: Sort
    text: str
    blanks: int = 0

    @property
    def ends_line(self) -> bool:
        """Whether a new line begins behind it."""
        return self.sort is Sort.NEWLINE or (self.sort is Sort.COMMENT and self.text.endswith("\n"))

    @property
    def depth(self) -> int:
        """How many more brackets are open behind it than before it."""
        if self.sort in (Sort.OPEN, Sort.OPEN_BRACE, Sort.TEMPLATE):
            return 1
        return -1 if self.sort in (Sort.CLOSE, Sort.CLOSE_BRACE, Sort.TEMPLATE_END) else 0


_TOKEN = re.compile(
    r"(?P<blank>[ \t\ufeff]+)"
    r"|(?P<newline>\r?\n)"
    r"|(?P<comment>(?:#|//)[^\n]*\n?|/\*.*?\*/)"
    r"|(?P<name>[^\W\d][\w-]*)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<sign>\.\.\.|::|[=!<>]=|=>|&&|\|\||.)",
    re.DOTALL,
)
_SEQUENCE = re.compile(r"\$\$\{|%%\{|[$%]\{~?")
_SIGNS = {
    "{": Sort.OPEN_BRACE,
    "}": Sort.CLOSE_BRACE,
    "(": Sort.OPEN,
    "[": Sort.OPEN,
    ")": Sort.CLOSE,
    "]": Sort.CLOSE,
    ",": Sort.COMMA,
    ".": Sort.DOT,
    "::": Sort.COLONS,
    "...": Sort.ELLIPSIS,
    "!": Sort.BANG,
    "-": Sort.MINUS,
    "=": Sort.EQUAL,
}


def tokens(source: Source, span: Span | None = None) -> Iterator[Token]:
    """Yield the tokens of `span` (all by default); raises `Fault` where a literal has no end."""
    region = span or Span(0, len(source.text))
    literals = scan(source, region).literals
    at = region.start
    while at < region.end:
        literal = literals.get(at)
        if literal is not None:
            yield from _literal(source, literal)
            at = literal.span.end
            continue
        match = _TOKEN.match(source.text, at, region.end)
        if match is None:  # any character is a token
            return
        at = match.end()
        if match.lastgroup != "blank":
            yield _token(str(match.lastgroup), match.group())


def _token(group: str, text: str) -> Token:
    return Token(_SIGNS.get(text, Sort.SIGN) if group == "sign" else Sort(group), text)


def _literal(source: Source, literal: Literal) -> Iterator[Token]:
    if literal.heredoc:
        yield Token(Sort.HEREDOC, source.slice(literal.span))
        return
    yield Token(Sort.OPEN_QUOTE, '"')
    yield from _template(source, literal.content)
    yield Token(Sort.CLOSE_QUOTE, '"')


def _template(source: Source, content: Span) -> Iterator[Token]:
    text, at = source.text, content.start
    search = at
    while match := _SEQUENCE.search(text, search, content.end):
        search = match.end()
        if match.group() in ("$${", "%%{"):
            continue
        if match.start() > at:
            yield Token(Sort.TEXT, text[at : match.start()])
        at = search = interpolation_end(text, match.end(), content.end)
        yield from _sequence(source, match.group(), Span(match.end(), at))
    if content.end > at:
        yield Token(Sort.TEXT, text[at : content.end])


def _sequence(source: Source, opening: str, inside: Span) -> Iterator[Token]:
    """Yield ``${``, what stands in it, and its end; `inside` ends behind the brace."""
    closing = "~}" if source.text.endswith("~}", inside.start, inside.end) else "}"
    yield Token(Sort.TEMPLATE, opening)
    yield from tokens(source, Span(inside.start, inside.end - len(closing)))
    yield Token(Sort.TEMPLATE_END, closing)
