"""The rules on lines that python-hcl2's grammar does not check. Reads a tree, changes nothing."""

from __future__ import annotations

from gitops.jobspec.syntax import Attribute, Block, Body, Fault, Source, Span

_OPENING = "([{"
_CLOSING = ")]}"
# What a value can't end with.
_OPERATORS = "+-*/%<>=&|!?:."


def check_layout(source: Source, blanked: str, body: Body) -> None:
    """Check a body and all below; `blanked` is the text without strings and comments.

    Raises `Fault` for a repeated argument, two items on a line, a brace on the next line, and a
    value that goes on after the end of its line.
    """
    _check_names(source, body)
    previous: Attribute | Block | None = None
    for item in body.items:
        if previous is not None:
            _check_apart(source, blanked, previous, item)
        if isinstance(item, Attribute):
            _check_one_line(blanked, item)
        else:
            _check_block(source, blanked, item)
        previous = item


def _check_names(source: Source, body: Body) -> None:
    seen: dict[str, Attribute] = {}
    for attribute in body.attributes():
        first = seen.setdefault(attribute.name, attribute)
        if first is not attribute:
            line, column = source.place(first.span.start)
            detail = f"It was already set at {source.path}:{line}:{column}. Remove one of them."
            raise Fault(attribute.name_span, f'"{attribute.name}" is set twice', detail)


def _end(item: Attribute | Block) -> int:
    return item.span.end if isinstance(item, Attribute) else item.body.span.end + 1


def _check_apart(
    source: Source, blanked: str, one: Attribute | Block, two: Attribute | Block
) -> None:
    if "\n" not in blanked[_end(one) : two.span.start]:
        at = two.name_span if isinstance(two, Attribute) else two.type_span
        raise Fault(at, "Newline missing", f"{source.slice(at)!r} belongs on a line of its own.")


def _check_one_line(blanked: str, attribute: Attribute) -> None:
    text = blanked[attribute.span.start : attribute.span.end]
    if "\n" not in text:
        return
    depth = 0
    for i, c in enumerate(text):
        if c == "\n" and depth == 0:
            raise _broken_off(text, i, attribute.span.start)
        depth += (c in _OPENING) - (c in _CLOSING)


def _broken_off(text: str, end: int, start: int) -> Fault:
    """Return the fault that a value goes on behind the `end` of its line; `start` is its own."""
    detail = "Put the value into brackets to let it go on behind the end of the line."
    rest = end + len(text[end:]) - len(text[end:].lstrip())
    if text[:end].rstrip()[-1:] in _OPERATORS or text[rest] == ":":
        at = start + end
        return Fault(Span(at - 1, at), "The value is not complete on its line", detail)
    at = start + rest
    return Fault(Span(at, at + 1), f"Unexpected {text[rest]!r}", detail)


def _check_block(source: Source, blanked: str, block: Block) -> None:
    inner = block.body.span
    if "\n" in blanked[block.span.end : inner.start]:
        detail = "The opening brace stands on the line of the block's name."
        raise Fault(block.type_span, "Brace on the next line", detail)
    if block.body.items:
        _check_inner(source, blanked, block)
    check_layout(source, blanked, block.body)


def _check_inner(source: Source, blanked: str, block: Block) -> None:
    inner, items = block.body.span, block.body.items
    opens = "\n" in blanked[inner.start : items[0].span.start]
    closes = "\n" in blanked[_end(items[-1]) : inner.end]
    single = len(items) == 1 and isinstance(items[0], Attribute)
    if (opens and closes) or (single and not opens and not closes):
        return
    at = items[0].span if not opens else items[-1].span
    if not single and not opens and len(items) > 1:
        at = items[1].span
    detail = "A block on one line holds one argument; otherwise each item has its own line."
    raise Fault(at, f"{source.slice(block.type_span)!r} needs more lines", detail)
