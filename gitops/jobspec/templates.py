"""Cuts the content of strings and heredocs into text, interpolations and directives.

Decodes escapes, takes off the indent of ``<<-`` and the blanks beside ``~``; the expressions
inside are given to a parser that the caller brings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gitops.jobspec.scan import Literal, interpolation_end
from gitops.jobspec.syntax import (
    Branch,
    Constant,
    Expression,
    Fault,
    Part,
    Repeat,
    Source,
    Span,
    Template,
)
from gitops.jobspec.values import normal

ParseExpression: TypeAlias = Callable[[Span], Expression]

_SEQUENCE = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LAST_CODE_POINT = 0x10FFFF
_FOR = re.compile(r"\s*for\s+([^\W\d][\w-]*)\s*(?:,\s*([^\W\d][\w-]*)\s*)?in\b")
_WORD = re.compile(r"\s*([a-z]+)")


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _Sequence:
    """`span` is what stands between the braces, without strip markers."""

    directive: bool
    span: Span


_Piece: TypeAlias = "_Text | _Sequence"


def template(source: Source, literal: Literal, parse: ParseExpression) -> Constant | Template:
    """Return the constant or template that a string or heredoc stands for; raises `Fault`."""
    tokens = _tokens(source, literal)
    if literal.indented:
        tokens = _dedented(tokens)
    parts = _Assembler(source, tokens, parse).parts()
    if not parts:
        return Constant("", literal.span)
    if len(parts) == 1 and isinstance(parts[0], str):
        return Constant(normal(parts[0]), literal.span)
    return Template(parts, literal.span)


def decode_escapes(source: Source, span: Span) -> str:
    """Return the text of a part of a quoted string with its escapes decoded."""

    def decoded(match: re.Match[str]) -> str:
        code = match.group(1)
        if code in _SIMPLE:
            return _SIMPLE[code]
        point = int(code[1:], 16) if len(code) > 1 else _LAST_CODE_POINT + 1
        if point > _LAST_CODE_POINT or 0xD800 <= point <= 0xDFFF:  # noqa: PLR2004 - surrogates
            at = Span(span.start + match.start(), span.start + match.end())
            detail = 'Known are \\n \\r \\t \\" \\\\ \\uNNNN and \\UNNNNNNNN; a backslash is \\\\.'
            raise Fault(at, f"Invalid escape {match.group()!r}", detail)
        return chr(point)

    return _ESCAPE.sub(decoded, source.slice(span))


def _tokens(source: Source, literal: Literal) -> list[_Piece]:
    tokens: list[_Piece] = []
    text, end = source.text, literal.content.end
    at = literal.content.start
    strip_next = False
    while True:
        match = _next_sequence(text, at, end, literal)
        piece = _piece(source, Span(at, match.start() if match else end), literal)
        if match and match.group() in ("$${", "%%{"):
            piece += match.group()[1:]
            tokens.append(_Text(piece.lstrip() if strip_next else piece))
            at, strip_next = match.end(), False
            continue
        piece = piece.lstrip() if strip_next else piece
        if match is None:
            tokens.append(_Text(piece))
            return tokens
        inner, strip_before, strip_next, at = _sequence(text, match, end)
        tokens += [
            _Text(piece.rstrip() if strip_before else piece),
            _Sequence(match.group() == "%{", inner),
        ]


def _next_sequence(text: str, at: int, end: int, literal: Literal) -> re.Match[str] | None:
    match = _SEQUENCE.search(text, at, end)
    while match and not literal.heredoc and _escaped(text, at, match.start()):
        match = _SEQUENCE.search(text, match.end(), end)
    return match


def _escaped(text: str, start: int, at: int) -> bool:
    count = 0
    while at - 1 - count >= start and text[at - 1 - count] == "\\":
        count += 1
    return count % 2 == 1


def _piece(source: Source, span: Span, literal: Literal) -> str:
    return source.slice(span) if literal.heredoc else decode_escapes(source, span)


def _sequence(text: str, match: re.Match[str], end: int) -> tuple[Span, bool, bool, int]:
    after = interpolation_end(text, match.end(), end)
    start, stop = match.end(), after - 1
    before = text.startswith("~", start)
    start += before
    behind = stop > start and text[stop - 1] == "~"
    stop -= behind
    return Span(start, stop), before, behind, after


def _dedented(tokens: list[_Piece]) -> list[_Piece]:
    """Take the smallest common indent off the lines, as far as they begin with text."""
    indents: list[int] = []
    at_line_start = True
    for token in tokens:
        if isinstance(token, _Sequence):
            indents += [0] if at_line_start else []
            at_line_start = False
            continue
        lines = token.text.splitlines(keepends=True)
        for i, line in enumerate(lines):
            if (i > 0 or at_line_start) and not (line.isspace() and line.endswith("\n")):
                indents.append(len(line) - len(line.lstrip()))
        at_line_start = token.text.endswith("\n") or (at_line_start and not token.text)
    return _without_indent(tokens, min(indents, default=0))


def _without_indent(tokens: list[_Piece], indent: int) -> list[_Piece]:
    out: list[_Piece] = []
    at_line_start = True
    for token in tokens:
        if isinstance(token, _Text) and token.text:
            lines = token.text.splitlines(keepends=True)
            cut = [
                line[indent:] if (i > 0 or at_line_start) and not _blank(line) else line
                for i, line in enumerate(lines)
            ]
            at_line_start = token.text.endswith("\n")
            out.append(replace(token, text="".join(cut)))
        else:
            at_line_start = at_line_start and isinstance(token, _Text)
            out.append(token)
    return out


def _blank(line: str) -> bool:
    return line.isspace() and line.endswith("\n")


@dataclass(slots=True)
class _Assembler:
    """Builds the tree of directives from the flat tokens."""

    source: Source
    tokens: list[_Piece]
    parse: ParseExpression
    at: int = 0
    opened: list[Span] = field(default_factory=list[Span])

    def parts(self) -> tuple[Part, ...]:
        parts, word, span = self._until(())
        if word:
            raise Fault(span, f'"{word}" without its beginning', "Remove the directive.")
        return parts

    def _until(self, words: tuple[str, ...]) -> tuple[tuple[Part, ...], str, Span]:
        parts: list[Part] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if isinstance(token, _Text):
                _append_text(parts, token.text)
                continue
            if not token.directive:
                parts.append(self.parse(token.span))
                continue
            word = self._word(token.span)
            if word in ("else", "endif", "endfor"):
                self._check_alone(word, token.span)
                return tuple(parts), word, token.span
            parts.append(self._directive(word, token.span))
        if words:
            raise Fault(self.opened[-1], "Unclosed directive", f'It needs "%{{ {words[-1]} }}".')
        return tuple(parts), "", Span(0, 0)

    def _word(self, span: Span) -> str:
        match = _WORD.match(self.source.text, span.start, span.end)
        return match.group(1) if match else ""

    def _check_alone(self, word: str, span: Span) -> None:
        at = self.source.text.index(word, span.start) + len(word)
        rest = self.source.text[at : span.end]
        if rest.strip():
            extra = Span(at + len(rest) - len(rest.lstrip()), at + len(rest.rstrip()))
            hint = 'There is no "else if"; put an "if" into the "else".' if word == "else" else ""
            raise Fault(extra, f'Unexpected text behind "{word}"', hint or "Remove it.")

    def _directive(self, word: str, span: Span) -> Part:
        self.opened.append(span)
        if word == "if":
            part: Part = self._branch(span)
        elif word == "for":
            part = self._repeat(span)
        else:
            known = "if, else, endif, for, endfor"
            raise Fault(span, "Unknown template directive", f"Known are {known}.")
        self.opened.pop()
        return part

    def _branch(self, span: Span) -> Branch:
        start = self.source.text.index("if", span.start) + 2
        condition = self.parse(Span(start, span.end))
        then, word, at = self._until(("else", "endif"))
        otherwise: tuple[Part, ...] = ()
        if word == "else":
            otherwise, word, at = self._until(("endif",))
        if word != "endif":
            raise Fault(at, f'"{word}" does not close an "if"', 'Close it with "%{ endif }".')
        return Branch(condition, then, otherwise)

    def _repeat(self, span: Span) -> Repeat:
        match = _FOR.match(self.source.text, span.start, span.end)
        if match is None:
            raise Fault(span, "Invalid for directive", "Write %{ for name in list }.")
        collection = self.parse(Span(match.end(), span.end))
        body, word, at = self._until(("endfor",))
        if word != "endfor":
            raise Fault(at, f'"{word}" does not close a "for"', 'Close it with "%{ endfor }".')
        names = tuple(n for n in match.groups() if n)
        return Repeat(names, collection, body)


def _append_text(parts: list[Part], text: str) -> None:
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)
