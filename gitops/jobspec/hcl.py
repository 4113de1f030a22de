"""HCL text → positioned syntax tree. python-hcl2's quirks end here; nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from gitops.jobspec.layout import check_layout
from gitops.jobspec.quick import quick_body
from gitops.jobspec.quick_expression import quick_expression
from gitops.jobspec.scan import Scanned, scan
from gitops.jobspec.syntax import (
    Access,
    Body,
    Constant,
    Expression,
    Fault,
    Group,
    Index,
    Member,
    Name,
    Problems,
    Source,
    Span,
)
from gitops.jobspec.tree import Converter

if TYPE_CHECKING:
    from lark import Tree

MAX_CHARACTERS = 1024 * 1024
_MAX_FAULTS = 10
# Characters outside strings and comments that are parsed at once: the parser is slow.
MAX_CODE = 60_000
_SHOWN = 40
# What nearly every interpolation is: names with dots, and text or whole numbers in brackets.
_PLAIN = re.compile(
    r"\s*([A-Za-z_][\w-]*)((?:\.[A-Za-z_][\w-]*|\[\d{1,9}\]|\[\"[^\"\\$%\n]*\"\])*)\s*"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BAD_NUMBER = re.compile(r"(?<![\w.\"-])\d+(?:\.\d+)?(?![eE][+-]?\d+(?!\w))[A-Za-z_]\w*")
_TWO_DOTS = re.compile(r"(?:(?<![\w.-])\d+|(?<=[\w\])]))\.\d+\.\d+")
# A line that ends in an operator, or names an argument or block and stops.
_BROKEN_OFF = re.compile(r"[^=\n]*=.*[-+*/%<>=&|!?]|[ \t]*[\w-]+([ \t]+(\"_*\"|[\w-]+))*")
_TOKEN = re.compile(r"[\w-]+|<<|[=!<>]=|&&|\|\||[^\w\s]")
# A name behind a complete value, at the end of the last line with text.
_TWO_ITEMS = re.compile(r"^[ \t]*[\w-]+[ \t]*=[^\n]*[\w\"\])}][ \t]+([A-Za-z_][\w-]*)\s*\Z", re.M)
_STEP = re.compile(r"\.([\w-]+)|\[(?:(\d+)|\"([^\"]*)\")\]")
_WORDS = frozenset({"true", "false", "null", "for", "if", "in", "else", "endif", "endfor"})


class _Parser(Protocol):
    def parse(self, text: str) -> Tree[object]: ...


def parse_body(source: Source, problems: Problems | None = None) -> Body:
    """Return the body of a whole file; raises `Fault` for the first thing that is not HCL.

    What else is not HCL is noted in `problems`.
    """
    try:
        return _body(source)
    except Fault as e:
        if problems is not None:
            for later in _later(source, e):
                problems.add(later)
        raise


def _body(source: Source) -> Body:
    if len(source.text) > MAX_CHARACTERS:
        raise Fault(None, "The file is too large", f"At most {MAX_CHARACTERS} characters are read.")
    if (half := _SURROGATE.search(source.text)) is not None:
        raise Fault(Span(*half.span()), "Not UTF-8 text", "This is half of a character.")
    try:
        scanned = scan(source)
    except Fault as e:
        raise _earlier(source, e) from None
    body = quick_body(source, scanned, parse_expression)
    if body is None and source.effort.left < 0:
        raise _too_much(None)
    body = body or slow_body(source, scanned)
    check_layout(source, scanned.text, body)
    return body


def _later(source: Source, first: Fault) -> Iterator[Fault]:
    """Yield what is wrong behind a fault: its line is left out, and the rest is read again."""
    fault, text = first, source.text
    for _ in range(_MAX_FAULTS):
        if fault.span is None or _is_open(fault):
            return
        line = source.place(fault.span.start)[0]
        text = _without(source, text, line)
        try:
            _body(Source(source.path, text, source.starts, source.effort))
            return
        except Fault as e:
            found = source.place(e.span.start)[0] if e.span else 0
            if found <= line or _is_open(e):
                return
            if found > line + 1:  # on the next line it is the same one, going on
                yield e
            fault = e


def _is_open(fault: Fault) -> bool:
    """Whether something has no end, or no beginning as where a line was left out."""
    summary = fault.summary
    return summary.endswith("closes nothing") or (
        summary.startswith("Unclosed") and not summary.endswith("string")
    )


def _without(source: Source, text: str, line: int) -> str:
    """Blank out a line, but for what opens or closes a block on it."""
    start = source.starts[line - 1]
    end = source.starts[line] - 1 if line < len(source.starts) else len(text)
    kept = text[start:end].rstrip()
    blank = " " * (end - start)
    if kept.endswith("{") and len(kept) > 1:
        blank = "_" + " " * (len(kept) - 2) + "{" + " " * (end - start - len(kept))
    elif kept.strip() == "}":
        blank = text[start:end]
    return text[:start] + blank + text[end:]


def _earlier(source: Source, fault: Fault) -> Fault:
    """Return what is wrong before two brackets do not match, if that is why; else `fault`."""
    try:
        _parsed(source, scan(source, paired=False).text, 0)
    except Fault as e:
        found, told = (f.span.start if f.span else 0 for f in (e, fault))
        at_end = not source.text[e.span.end if e.span else 0 :].strip()
        if not at_end and source.place(found)[0] != source.place(told)[0]:
            return e
    return fault


def slow_body(source: Source, scanned: Scanned) -> Body:
    """Return the body of a whole file by the parser alone; raises `Fault`."""
    tree = _parsed(source, scanned.text, scanned.start)
    items = Converter(source, scanned, 0, parse_expression).body(_child(tree, 0)).items
    return Body(items, Span(0, len(source.text)))


def parse_expression(source: Source, span: Span) -> Expression:
    """Return the expression that stands at `span`; raises `Fault`."""
    return _plain(source, span) or _fragment(source, span)


def _plain(source: Source, span: Span) -> Expression | None:
    match = _PLAIN.fullmatch(source.text, span.start, span.end)
    if match is None or match.group(1) in _WORDS:
        return None
    root = Name(match.group(1), Span(*match.span(1)))
    steps = tuple(_steps(source, Span(*match.span(2))))
    return Access(root, steps, Span(match.start(1), match.end(2))) if steps else root


def _steps(source: Source, span: Span) -> list[Member | Index]:
    steps: list[Member | Index] = []
    for match in _STEP.finditer(source.text, span.start, span.end):
        at = Span(*match.span())
        name, number, text = match.groups()
        if name is not None:
            steps.append(Member(name, at))
        else:
            key = int(number) if number is not None else text
            steps.append(Index(Constant(key, Span(at.start + 1, at.end - 1)), at))
    return steps


def _fragment(source: Source, span: Span) -> Expression:
    if not source.slice(span).strip():
        raise Fault(Span(span.start, span.end + 1), "Expression missing", "Nothing stands here.")
    scanned = scan(source, span)
    # It takes an eighth of the parser's time or less.
    if source.effort.spend(len(scanned.text) // 8):
        found = quick_expression(source, scanned, parse_expression)
        if found is not None:
            return found
    return _parsed_expression(source, span, scanned)


def slow_expression(source: Source, span: Span) -> Expression:
    """Return the expression at `span` by the parser alone; raises `Fault`."""
    return _parsed_expression(source, span, scan(source, span))


def _parsed_expression(source: Source, span: Span, scanned: Scanned) -> Expression:
    prefix = "x = ("
    tree = _parsed(source, f"{prefix}{scanned.text})", span.start - len(prefix))
    attribute = _child(_child(tree, 0), 0)
    converter = Converter(source, scanned, span.start - len(prefix), parse_expression)
    found = converter.expression(attribute.children[-1])
    return found.inner if isinstance(found, Group) else found  # the brackets are ours


def _child(tree: Tree[object], index: int) -> Tree[object]:
    return cast("Tree[object]", tree.children[index])


def _parsed(source: Source, text: str, shift: int) -> Tree[object]:
    import lark

    if len(text) > MAX_CODE and len(text) - sum(map(text.count, " _\n")) > MAX_CODE:
        detail = f"At most {MAX_CODE} characters of code are read at once; split it up."
        raise Fault(Span(max(0, shift), max(0, shift) + 1), "Too much code", detail)
    if not source.effort.spend(len(text)):
        raise _too_much(Span(max(0, shift), max(0, shift) + 1))
    number = _BAD_NUMBER.search(text) or _TWO_DOTS.search(text)
    if number is not None and number.re is _TWO_DOTS and not number.group()[0].isdigit():
        span = Span(number.start() + shift, number.end() + shift)
        raise Fault(span, "Two positions with dots", "Write them in brackets, as in x[0][1].")
    if number is not None:
        span = Span(number.start() + shift, number.end() + shift)
        raise Fault(span, "Invalid number", f"{source.slice(span)!r} is no decimal number.")
    try:
        return _parser().parse(text + "\n")
    except lark.UnexpectedInput as e:
        offset = e.pos_in_stream if e.pos_in_stream is not None else len(text)
        fault = _syntax_fault(source, text, min(max(offset, 0), len(text)), shift)
        raise fault from None


def _too_much(span: Span | None) -> Fault:
    detail = "Its expressions are too many, or too long, to be read in a second; split it up."
    return Fault(span, "Too much code in one file", detail)


@cache
def _parser() -> _Parser:
    from hcl2.parser import parser

    if not _grammar_cache:
        return cast("_Parser", parser())
    return _own_parser(_grammar_cache[-1])


def _own_parser(cache_file: str) -> _Parser:
    """Build python-hcl2's parser with its tables kept in a file of ours.

    Its own file lies beside its code, which may not be writable; building takes a second.
    """
    import hcl2.parser
    from hcl2.postlexer import PostLexer
    from lark import Lark

    built = Lark.open(  # pyright: ignore[reportUnknownMemberType]
        "hcl2.lark",
        rel_to=str(hcl2.parser.__file__),
        parser="lalr",
        cache=cache_file,
        propagate_positions=True,
        postlex=PostLexer(),
    )
    return cast("_Parser", built)


_grammar_cache: list[str] = []


def use_grammar_cache(cache_file: str) -> None:
    """Keep the parser's tables in `cache_file` from the first parse of this process on."""
    _grammar_cache.append(cache_file)


def _syntax_fault(source: Source, text: str, offset: int, shift: int) -> Fault:
    """Word a syntax error by what stands at it and before it on its line."""
    before = text[text.rfind("\n", 0, offset) + 1 : offset].strip()
    last = text[:offset].rstrip().rpartition("\n")[2]
    broken_off = not before and _BROKEN_OFF.fullmatch(last)
    if offset >= len(text) or text[offset] in "\r\n" or broken_off:
        return _line_end_fault(source, text, offset, shift)
    second = _TWO_ITEMS.search(text, 0, offset) if not before else None
    if second is not None:
        span = Span(second.start(1) + shift, second.end(1) + shift)
        detail = "Each argument ends with its line; put the next one on a line of its own."
        return Fault(span, f"Unexpected {source.slice(span)!r} after the value", detail)
    token = _TOKEN.match(text, offset)
    span = Span(offset + shift, (token.end() if token else offset + 1) + shift)
    return Fault(span, *_unexpected(source.slice(span)[:_SHOWN], before))


def _unexpected(word: str, before: str) -> tuple[str, str]:
    if before.endswith("="):
        return "Invalid expression", f'A value was expected after "=", not {word!r}.'
    if word in (":", "="):
        return f"Unexpected {word!r}", 'Write an argument as `name = "value"`.'
    if "=" in before:
        detail = "Each argument ends with its line; put the next one on a line of its own."
        return f"Unexpected {word!r} after the value", detail
    return f"Unexpected {word!r}", "An argument (name = value) or a block was expected."


def _line_end_fault(source: Source, text: str, offset: int, shift: int) -> Fault:
    kept = text[:offset].rstrip()
    before = kept[kept.rfind("\n") + 1 :].strip()
    end = len(kept) + shift
    span = Span(max(0, end - 1), max(1, end))
    if before.endswith("="):
        return Fault(span, "Value missing", 'A value was expected after "=" on the same line.')
    if re.fullmatch(r"[\w.-]+", before):
        name = source.slice(Span(end - len(before), end))
        detail = f"Write `{name} = …` for an argument or `{name} {{ … }}` for a block."
        return Fault(
            Span(end - len(before), end), "Argument or block definition incomplete", detail
        )
    return Fault(span, "Unexpected end of line", "What stands before it is not complete.")
