"""Reads what nearly all of a job file consists of without the parser: blocks, and plain values.

Text, numbers, names with steps and lists of these are read here; any other value is given to the
parser alone. What is not understood at once is not judged here: the parser reads the whole file
then, and words what is wrong. Both come to the same tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gitops.jobspec.scan import Scanned
from gitops.jobspec.syntax import (
    Attribute,
    Block,
    Body,
    Constant,
    Expression,
    Fault,
    Label,
    Source,
    Span,
    TupleOf,
)
from gitops.jobspec.templates import template

ParseAt: TypeAlias = Callable[[Source, Span], Expression]

_MOST_DIGITS = 15
# What has been matched is never given back: a name is taken whole, else this is exponential.
_NAME = r"[A-Za-z_][A-Za-z0-9_-]*+"
_BLANK = re.compile(r"[ \t\r\n]*")
_HEAD = re.compile(
    rf"({_NAME})[ \t]*(?:(=)(?![=>])[ \t]*|((?:[ \t]*+(?:\"_*+\"|{_NAME}))*+)[ \t]*+\{{)"
)
_LABEL = re.compile(rf"\"_*\"|{_NAME}")
# A value that is all there is up to the end of its line, or up to what closes it.
_VALUE = re.compile(
    rf"(?:(\"_*\")|(\d+)|({_NAME}(?:\.{_NAME}|\[\d{{1,9}}\])*))(?=[ \t]*(?:[\r\n,\]}}]|\Z))"
)
_BRACKET = re.compile(r"[()\[\]{}\n]")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class _Unsure(Exception):  # noqa: N818 - internal: the parser is asked
    """The text is not what this module reads."""


def quick_body(source: Source, scanned: Scanned, parse_at: ParseAt) -> Body | None:
    """Return the body of a whole file; None where the parser has to say what it is."""
    reader = _Reader(source, scanned, parse_at)
    try:
        items, end = reader.items(0)
    except (_Unsure, Fault):
        return None
    if end != len(scanned.text):
        return None
    return Body(items, Span(0, len(source.text)))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Offsets are those of the blanked text, which begins where the source does."""

    source: Source
    scanned: Scanned
    parse_at: ParseAt

    def items(self, pos: int) -> tuple[tuple[Attribute | Block, ...], int]:
        """Read items up to a closing brace or the end; return them and where they end."""
        text = self.scanned.text
        found: list[Attribute | Block] = []
        while True:
            pos = _after(_BLANK, text, pos)
            if pos == len(text) or text[pos] == "}":
                return tuple(found), pos
            head = _HEAD.match(text, pos)
            if head is None or head.group(1) in _WORDS:
                raise _Unsure
            item, pos = self._attribute(head) if head.group(2) else self._block(head)
            found.append(item)
            self._check_end(pos)

    def _check_end(self, pos: int) -> None:
        """Between two items lies a new line, and nothing else."""
        text = self.scanned.text
        end = _after(_BLANK, text, pos)
        if end < len(text) and text[end] != "}" and "\n" not in text[pos:end]:
            raise _Unsure

    def _attribute(self, head: re.Match[str]) -> tuple[Attribute, int]:
        value, end = self._value(head.end())
        name = Span(*head.span(1))
        return Attribute(self.source.slice(name), value, name, Span(name.start, end)), end

    def _block(self, head: re.Match[str]) -> tuple[Block, int]:
        text = self.scanned.text
        kind = Span(*head.span(1))
        labels = tuple(self._label(Span(*m.span())) for m in _LABEL.finditer(text, *head.span(3)))
        items, end = self.items(head.end())
        if end == len(text):
            raise _Unsure
        header = kind.to(labels[-1].span) if labels else kind
        body = Body(items, Span(head.end(), end))
        return Block(self.source.slice(kind), labels, body, kind, header), end + 1

    def _label(self, span: Span) -> Label:
        if self.scanned.text[span.start] != '"':
            word = self.source.slice(span)
            if word in _WORDS:
                raise _Unsure
            return Label(word, span)
        value = self._string(span)
        if not isinstance(value, Constant) or not isinstance(value.value, str):
            raise _Unsure
        return Label(value.value, span)

    def _string(self, span: Span) -> Expression:
        literal = self.scanned.literals.get(span.start)
        if literal is None:
            raise _Unsure
        return template(self.source, literal, lambda inner: self.parse_at(self.source, inner))

    def _value(self, pos: int) -> tuple[Expression, int]:
        text = self.scanned.text
        match = _VALUE.match(text, pos)
        if match is not None:
            return self._plain(match), match.end()
        if text[pos : pos + 1] == "[":
            found = self._list(pos)
            if found is not None:
                return found
        end = self._extent(pos)
        return self.parse_at(self.source, Span(pos, end)), end

    def _plain(self, match: re.Match[str]) -> Expression:
        span = Span(*match.span())
        kind, word = match.lastindex, match.group()
        if kind == 1:
            return self._string(span)
        if word in _WORDS:
            return Constant(_WORDS[word], span)
        if kind == 2 and len(word) <= _MOST_DIGITS:  # noqa: PLR2004 - the second group
            return Constant(int(word), span)
        return self.parse_at(self.source, span)

    def _list(self, start: int) -> tuple[Expression, int] | None:
        """Read a list of plain values; None for any other."""
        text = self.scanned.text
        items: list[Expression] = []
        pos = _after(_BLANK, text, start + 1)
        while text[pos : pos + 1] != "]":
            match = _VALUE.match(text, pos)
            if match is None:
                return None
            items.append(self._plain(match))
            pos = _after(_BLANK, text, match.end())
            if text[pos : pos + 1] == ",":
                pos = _after(_BLANK, text, pos + 1)
            elif text[pos : pos + 1] != "]":
                return None
        end = pos + 1
        behind = _after(_BLANK, text, end)
        if behind < len(text) and text[behind] != "}" and "\n" not in text[end:behind]:
            return None
        return TupleOf(tuple(items), Span(start, end)), end

    def _extent(self, pos: int) -> int:
        """Return where a value ends: with its line, or before the brace around it."""
        text, depth, at = self.scanned.text, 0, pos
        while match := _BRACKET.search(text, at):
            sign, at = match.group(), match.end()
            if sign in "([{":
                depth += 1
            elif depth == 0:
                break
            elif sign != "\n":
                depth -= 1
        end = match.start() if match else len(text)
        kept = text[pos:end].rstrip()
        if not kept:
            raise _Unsure
        return pos + len(kept)


def _after(pattern: re.Pattern[str], text: str, pos: int) -> int:
    match = pattern.match(text, pos)
    return match.end() if match else pos
