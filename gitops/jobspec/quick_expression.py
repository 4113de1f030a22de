"""Reads the expressions that people write without the parser, into the very tree it would make.

That is all of the language but splats with a dot, doubled signs, and most of what may go on behind
a line's end. Anything else, and anything wrong, is left to the parser.

A first pass leaves alone what strings with templates hold, so that such a string is read once,
when the expression around it is known to be read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gitops.jobspec.numbers import NumberFault, parsed
from gitops.jobspec.scan import Scanned
from gitops.jobspec.syntax import (
    Access,
    Binary,
    Call,
    Conditional,
    Constant,
    Each,
    Expression,
    For,
    Group,
    Index,
    Member,
    Name,
    ObjectOf,
    Source,
    Span,
    Step,
    TupleOf,
    Unary,
)
from gitops.jobspec.templates import template

ParseAt: TypeAlias = Callable[[Source, Span], Expression]

# Well within what the parser takes, whose limits are worded there.
_MOST_CHARACTERS = 10_000
_MOST_LEVELS = 16
_MOST_OPERATORS = 40
_MOST_STEPS = 40

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*+"
_BLANK = re.compile(r"[ \t\r]*+")
_LINES = re.compile(r"[ \t\r\n]*+")
_TERM = re.compile(
    rf"(?P<string>\"_*+\")|(?P<number>\d++(?:\.\d++)?+(?:[eE][+-]?\d++)?+)(?![\w.])"
    rf"|(?P<name>{_NAME})|(?P<open>[(\[{{])"
)
_SIGN = re.compile(r"[-!]")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MEMBER = re.compile(rf"\.(?:({_NAME})|([0-9]{{1,9}})(?!\w|\.[0-9]))")
_SPLAT = "[*]"
_OPERATOR = re.compile(r"[ \t\r]*+(==|!=|<=|>=|&&|\|\||[-<>+*/]|%(?!\{))")
_QUESTION = re.compile(r"[ \t\r]*+\?")
_COLON = re.compile(r"[ \t\r]*+:(?!:)")
_COMMA = re.compile(r"[ \t\r]*+,")
_EQUALS = re.compile(r"[ \t\r]*+(?:=(?![=>])|:(?!:))")
_ARROW = re.compile(r"[ \t\r]*+=>")
_SPREAD = re.compile(r"[ \t\r]*+\.\.\.")
_FOR = re.compile(rf"for[ \t\r]++({_NAME})(?:[ \t\r]*+,[ \t\r]*+({_NAME}))?[ \t\r]++in(?![\w-])")
_IF = re.compile(r"if(?![\w-])")
# What may stand on a line behind an expression that is complete without it.
_NEXT = re.compile(r"[,)\]}\w\"]|\Z")
_LEVELS = {
    **{"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4},
    **{"+": 5, "-": 5, "*": 6, "/": 6, "%": 6},
}
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_KEYWORDS = frozenset({"if", "in", "for", "for_each", "else", "endif", "endfor"})
_RESERVED = _KEYWORDS | _WORDS.keys()
_Read: TypeAlias = tuple[Expression, int]


class _Unsure(Exception):  # noqa: N818 - internal: the parser is asked
    """The text is not what this module reads."""


def quick_expression(source: Source, scanned: Scanned, parse_at: ParseAt) -> Expression | None:
    """Return the expression that `scanned` is the text of; None where the parser has to say.

    Raises `Fault` for what is wrong within a template of it.
    """
    if scanned.doubled or len(scanned.text) > _MOST_CHARACTERS:
        return None
    try:
        first = _Reader(source, scanned, None)
        found = first.whole()
        return _Reader(source, scanned, parse_at).whole() if first.deferred else found
    except _Unsure:
        return None


@dataclass(slots=True)
class _Reader:
    """Positions are those of the blanked text. Without `parse_at`, templates are deferred."""

    source: Source
    scanned: Scanned
    parse_at: ParseAt | None
    deferred: bool = False
    levels: int = 0
    operators: int = 0
    steps: int = 0
    indexes: int = 0

    def whole(self) -> Expression:
        """Read all of the text."""
        found, pos = self._expression(self._lines(0))
        if self._next(pos) != len(self.scanned.text):
            raise _Unsure
        return found

    def _expression(self, pos: int) -> _Read:
        condition, pos = self._operation(pos, 1)
        match = _QUESTION.match(self.scanned.text, pos)
        if match is None:
            return condition, pos
        self._count_operator()
        then, pos = self._expression(match.end())
        otherwise, pos = self._expression(self._after(_COLON, pos))
        span = condition.span.to(otherwise.span)
        return Conditional(condition, then, otherwise, span), pos

    def _operation(self, pos: int, least: int) -> _Read:
        left, pos = self._signed(pos)
        while match := _OPERATOR.match(self.scanned.text, pos):
            operator = match[1]
            level = _LEVELS[operator]
            if level < least:
                break
            self._count_operator()
            right, pos = self._operation(match.end(), level + 1)
            left = Binary(operator, left, right, left.span.to(right.span))
        return left, pos

    def _count_operator(self) -> None:
        self.operators += 1
        if self.operators > _MOST_OPERATORS:
            raise _Unsure

    def _signed(self, pos: int) -> _Read:
        pos = self._after(_BLANK, pos)
        sign = _SIGN.match(self.scanned.text, pos)
        if sign is None:
            return self._term(pos)
        self._count_operator()
        operand, end = self._term(self._after(_BLANK, sign.end()))
        return Unary(sign.group(), operand, self._span(pos, pos).to(operand.span)), end

    def _term(self, pos: int) -> _Read:
        match = _TERM.match(self.scanned.text, pos)
        if match is None:
            raise _Unsure
        if match.lastgroup == "number":
            return self._number(pos, match.end()), match.end()
        if match.lastgroup == "string":
            found, end = self._string(pos, match.end()), match.end()
        elif match.lastgroup == "name":
            found, end = self._named(pos, match.end())
        else:
            found, end = self._enclosed(match.group(), match.end())
        return self._steps(found, end)

    def _number(self, start: int, end: int) -> Constant:
        span = self._span(start, end)
        written = self.source.slice(span)
        if not _DECIMAL.fullmatch(written):
            raise _Unsure
        try:
            return Constant(parsed(written), span)
        except NumberFault:
            raise _Unsure from None

    def _string(self, start: int, end: int) -> Expression:
        span = self._span(start, end)
        literal = self.scanned.literals.get(span.start)
        if literal is None:
            raise _Unsure
        content = self.source.slice(literal.content)
        simple = not ("\\" in content or "${" in content or "%{" in content)
        if simple or self.parse_at is not None:
            return template(self.source, literal, self._parsed)
        if self.indexes:
            raise _Unsure  # the parser reads indexes from the last one to the first
        self.deferred = True
        return Constant(None, span)

    def _parsed(self, span: Span) -> Expression:
        if self.parse_at is None:
            raise _Unsure
        return self.parse_at(self.source, span)

    def _named(self, start: int, end: int) -> _Read:
        span = self._span(start, end)
        word = self.source.slice(span)
        if word in _WORDS:
            return Constant(_WORDS[word], span), self._without_steps(end)
        if word in _KEYWORDS:
            raise _Unsure
        if word[0].isdigit():  # it was made to look like a name behind a minus
            return self._number(start, end), self._without_steps(end)
        if self.scanned.text.startswith("(", end):
            return self._call(word, span, end + 1)
        return Name(word, span), end

    def _without_steps(self, end: int) -> int:
        if self.scanned.text[end : end + 1] in (".", "[", "("):
            raise _Unsure
        return end

    def _call(self, name: str, span: Span, pos: int) -> _Read:
        self._enter()
        arguments: list[Expression] = []
        spread = False
        pos = self._lines(pos)
        while not self.scanned.text.startswith(")", pos) and not spread:
            found, pos = self._expression(pos)
            arguments.append(found)
            more = _SPREAD.match(self.scanned.text, pos)
            spread = more is not None
            pos = self._next(more.end()) if more else self._separated(pos, ")")
        end = self._closed(pos, ")")
        whole = Span(span.start, end + self.scanned.start)
        return Call(name, span, tuple(arguments), spread, whole), end

    def _separated(self, pos: int, closing: str) -> int:
        """Return where the next item of a list begins, or what closes it."""
        comma = _COMMA.match(self.scanned.text, pos)
        if comma is not None:
            return self._lines(comma.end())
        pos = self._next(pos)
        if not self.scanned.text.startswith(closing, pos):
            raise _Unsure
        return pos

    def _enclosed(self, sign: str, pos: int) -> _Read:
        self._enter()
        start = pos - 1
        pos = self._lines(pos)
        if sign == "(":
            inner, pos = self._expression(pos)
            end = self._closed(self._next(pos), ")")
            return Group(inner, self._span(start, end)), end
        loop = _FOR.match(self.scanned.text, pos)
        if loop is not None:
            return self._for(loop, start, sign)
        return self._tuple(start, pos) if sign == "[" else self._object(start, pos)

    def _tuple(self, start: int, pos: int) -> _Read:
        items: list[Expression] = []
        while not self.scanned.text.startswith("]", pos):
            found, pos = self._expression(pos)
            items.append(found)
            pos = self._separated(pos, "]")
        end = self._closed(pos, "]")
        return TupleOf(tuple(items), self._span(start, end)), end

    def _object(self, start: int, pos: int) -> _Read:
        items: list[tuple[Expression, Expression]] = []
        while not self.scanned.text.startswith("}", pos):
            key, pos = self._key(pos)
            value, pos = self._expression(self._after(_EQUALS, pos))
            items.append((key, value))
            pos = self._element_end(pos)
        end = self._closed(pos, "}")
        return ObjectOf(tuple(items), self._span(start, end)), end

    def _element_end(self, pos: int) -> int:
        """Return where the next element of an object begins: behind a comma or a new line."""
        comma = _COMMA.match(self.scanned.text, pos)
        after = self._lines(comma.end()) if comma else self._next(pos)
        if comma is None and "\n" not in self.scanned.text[pos:after]:
            self._closed(after, "}", enter=False)
        return after

    def _key(self, pos: int) -> _Read:
        match = _TERM.match(self.scanned.text, pos)
        kind = match.lastgroup if match else ""
        if match is None or kind == "number" or match.group() in ("[", "{"):
            raise _Unsure
        if kind == "string":
            return self._string(pos, match.end()), match.end()
        if kind == "open":
            return self._enclosed("(", match.end())
        span = self._span(pos, match.end())
        word = self.source.slice(span)
        if word in _KEYWORDS or word[0].isdigit():
            raise _Unsure
        return Constant(word, span), match.end()

    def _for(self, loop: re.Match[str], start: int, sign: str) -> _Read:
        closing = "]" if sign == "[" else "}"
        names = tuple(self.source.slice(self._span(*loop.span(i))) for i in (1, 2) if loop[i])
        if not _RESERVED.isdisjoint(names):
            raise _Unsure
        collection, pos = self._expression(loop.end())
        value, pos = self._expression(self._lines(self._after(_COLON, pos)))
        key: Expression | None = None
        group = False
        if sign == "{":
            key = value
            value, pos = self._expression(self._lines(self._after(_ARROW, pos)))
            more = _SPREAD.match(self.scanned.text, pos)
            group, pos = more is not None, more.end() if more else pos
        condition, pos = self._for_condition(self._next(pos))
        end = self._closed(pos, closing)
        span = self._span(start, end)
        return For(names, collection, key, value, condition, group, span), end

    def _for_condition(self, pos: int) -> tuple[Expression | None, int]:
        match = _IF.match(self.scanned.text, pos)
        if match is None:
            return None, pos
        found, pos = self._expression(self._lines(match.end()))
        return found, self._next(pos)

    def _steps(self, root: Expression, pos: int) -> _Read:
        text = self.scanned.text
        # Those before a splat, and those behind each: what is behind is done for each item.
        found: list[list[Step]] = [[]]
        ends = [root.span.end]
        while pos < len(text) and text[pos] in ".[" and not text.startswith("...", pos):
            self._count_step()
            if text.startswith(_SPLAT, pos):
                found.append([])
                ends.append(0)
                pos += len(_SPLAT)
            else:
                step, pos = self._member(pos) if text[pos] == "." else self._index(pos)
                found[-1].append(step)
            ends[-1] = pos + self.scanned.start
        behind = self._after(_BLANK, pos)
        if text[behind : behind + 1] in (".", "[") and not text.startswith("...", behind):
            raise _Unsure
        if found == [[]]:
            return root, pos
        return _access(root, found, ends), pos

    def _count_step(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise _Unsure

    def _member(self, pos: int) -> tuple[Member | Index, int]:
        match = _MEMBER.match(self.scanned.text, pos)
        if match is None:
            raise _Unsure
        span = self._span(*match.span())
        if match[2]:
            return Index(Constant(int(match[2]), span), span, dotted=True), match.end()
        name = self.source.slice(self._span(*match.span(1)))
        if name in _RESERVED:
            raise _Unsure
        return Member(name, span), match.end()

    def _index(self, pos: int) -> tuple[Index, int]:
        self._enter()
        self.indexes += 1
        key, end = self._expression(self._lines(pos + 1))
        self.indexes -= 1
        end = self._closed(self._next(end), "]")
        return Index(key, self._span(pos, end)), end

    def _enter(self) -> None:
        self.levels += 1
        if self.levels > _MOST_LEVELS:
            raise _Unsure

    def _closed(self, pos: int, sign: str, *, enter: bool = True) -> int:
        if not self.scanned.text.startswith(sign, pos):
            raise _Unsure
        self.levels -= enter
        return pos + 1

    def _next(self, pos: int) -> int:
        """Return where text goes on behind an expression, maybe on another line."""
        after = self._lines(pos)
        if "\n" in self.scanned.text[pos:after] and not _NEXT.match(self.scanned.text, after):
            raise _Unsure
        return after

    def _lines(self, pos: int) -> int:
        return self._after(_LINES, pos)

    def _after(self, pattern: re.Pattern[str], pos: int) -> int:
        match = pattern.match(self.scanned.text, pos)
        if match is None:
            raise _Unsure
        return match.end()

    def _span(self, start: int, end: int) -> Span:
        return Span(start + self.scanned.start, end + self.scanned.start)


def _access(root: Expression, found: list[list[Step]], ends: list[int]) -> Access:
    """Put steps into the splats that they are behind; `ends` says where each part ends."""
    start = root.span.start
    behind: list[Step] = []
    for steps, end in zip(found[:0:-1], ends[:0:-1], strict=True):
        behind = [Each((*steps, *behind), Span(start, end))]
    return Access(root, (*found[0], *behind), Span(start, ends[-1]))
