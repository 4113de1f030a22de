"""python-hcl2's raw tree → orch's syntax tree. Knows the grammar's rule names, and no values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias, cast

from gitops.jobspec.numbers import NumberFault, parsed
from gitops.jobspec.scan import Scanned
from gitops.jobspec.syntax import (
    Access,
    Attribute,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Constant,
    Each,
    Expression,
    Fault,
    For,
    Group,
    Index,
    Label,
    Member,
    Name,
    ObjectOf,
    Source,
    Span,
    Step,
    Template,
    TupleOf,
    Unary,
)
from gitops.jobspec.templates import template

if TYPE_CHECKING:
    from lark import Token, Tree

Node: TypeAlias = "Tree[object]"
ParseAt: TypeAlias = Callable[[Source, Span], Expression]

MAX_DEPTH = 120
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_DEEP = f"At most {MAX_DEPTH} operators, branches or steps in a row are read; use locals."


@dataclass(slots=True)
class Converter:
    """Converts one parsed text whose offsets are `shift` less than those of `source`."""

    source: Source
    scanned: Scanned
    shift: int
    parse_at: ParseAt
    depth: int = 0
    rules: dict[str, Callable[[Node], Expression]] = field(init=False)

    def __post_init__(self) -> None:
        self.rules = {
            "expr_term": self._term,
            "identifier": self._name,
            "literal_value": self._word,
            "int_lit": self._number,
            "float_lit": self._number,
            "string": self._string,
            "tuple": self._tuple,
            "object": self._object,
            "function_call": self._call,
            "get_attr_expr_term": self._access,
            "index_expr_term": self._access,
            "attr_splat_expr_term": self._access,
            "full_splat_expr_term": self._access,
            "conditional": self._conditional,
            "binary_op": self._binary,
            "unary_op": self._unary,
            "for_tuple_expr": self._for,
            "for_object_expr": self._for,
        }

    def body(self, node: Node) -> Body:
        """Convert the items between two braces, or of a file."""
        items = [
            self._attribute(n) if n.data == "attribute" else self._block(n)
            for n in _trees(node)
            if n.data in ("attribute", "block")
        ]
        return Body(tuple(items), self._span(node))

    def expression(self, child: object) -> Expression:
        """Convert one expression."""
        node = cast("Node", child)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Fault(self._span(node), "Expression too long", _DEEP)
        signs = self._signs(node)
        rule = self.rules.get(node.data)
        if rule is None:
            raise Fault(self._span(node), "Invalid expression", "This is no value.")
        converted = rule(node)
        for sign in signs:
            converted = Unary(sign, converted, self._span(node))
        self.depth -= 1
        return converted

    def _signs(self, node: Node) -> str:
        """Return the signs before a term that the parser was not shown."""
        if not self.scanned.doubled or node.data in ("binary_op", "conditional"):
            return ""
        return self.scanned.doubled.pop(self._span(node).start, "")

    def _token_span(self, token: Token) -> Span:
        return Span((token.start_pos or 0) + self.shift, (token.end_pos or 0) + self.shift)

    def _span(self, node: Node) -> Span:
        meta = node.meta
        if meta.empty:
            return Span(0, 0)
        return self._trimmed(Span(meta.start_pos + self.shift, meta.end_pos + self.shift))

    def _trimmed(self, span: Span) -> Span:
        """Cut blanks and comments that the grammar counts as part of an operation."""
        base = self.scanned.start
        kept = self.scanned.text[span.start - base : span.end - base].rstrip()
        return Span(span.start, span.start + len(kept)) if kept else span

    def _text(self, node: Node) -> str:
        return self.source.slice(self._span(node))

    def _attribute(self, node: Node) -> Attribute:
        children = node.children
        name = cast("Node", children[0])
        value = self.expression(children[-1])
        span = self._span(name)
        return Attribute(self._text(name), value, span, span.to(self._span(node)))

    def _block(self, node: Node) -> Block:
        head = list(_trees(node))
        kind, body = head[0], head[-1]
        labels = tuple(
            self._label(n) for n in head[1:-1] if n.data in ("identifier", "string", "keyword")
        )
        span = self._span(kind)
        brace = next(
            t for t in reversed(node.children[:-1]) if getattr(t, "type", None) == "LBRACE"
        )
        header = span.to(labels[-1].span) if labels else span
        inner = Span(self._token_span(cast("Token", brace)).end, self._span(node).end - 1)
        items = self.body(body).items
        return Block(self._text(kind), labels, Body(items, inner), span, header)

    def _label(self, node: Node) -> Label:
        span = self._span(node)
        if node.data != "string":
            return Label(self._text(node), span)
        value = self._string(node)
        if isinstance(value, Constant):
            return Label(cast("str", value.value), span)
        detail = "A label is read before anything is evaluated; write it out."
        raise Fault(span, "Template in a label", detail)

    # Expressions

    def _string(self, node: Node) -> Constant | Template:
        literal = self.scanned.literals[self._span(node).start]
        return template(self.source, literal, lambda span: self.parse_at(self.source, span))

    def _term(self, node: Node) -> Expression:
        inner = next(_trees(node, skip=("new_line_or_comment",)))
        found = self.expression(inner)
        return Group(found, self._span(node)) if _in_brackets(node) else found

    def _name(self, node: Node) -> Expression:
        if self._text(node)[:1].isdigit():
            return self._number(node)
        return Name(self._text(node), self._span(node))

    def _word(self, node: Node) -> Expression:
        return Constant(_WORDS[self._text(node)], self._span(node))

    def _number(self, node: Node) -> Expression:
        text, span = self._text(node), self._span(node)
        if not _NUMBER.fullmatch(text):
            raise Fault(span, "Invalid number", f"{text[:40]!r} is no decimal number.")
        try:
            value = parsed(text)
        except NumberFault as e:
            raise Fault(span, "Number too large", f"{e}.") from None
        return Constant(value, span)

    def _tuple(self, node: Node) -> Expression:
        items = tuple(self.expression(n) for n in _trees(node, skip=("new_line_or_comment",)))
        return TupleOf(items, self._span(node))

    def _object(self, node: Node) -> Expression:
        elements = [n for n in _trees(node) if n.data == "object_elem"]
        spans = [self._span(e) for e in elements]
        for one, two in pairwise([*spans, Span(self._span(node).end - 1, 0)]):
            self._check_between(one, two, last=not two.end)
        if spans and self.source.slice(spans[0]).startswith("for"):
            self._check_no_for(spans[0])
        return ObjectOf(tuple(self._element(n) for n in elements), self._span(node))

    def _check_between(self, one: Span, two: Span, *, last: bool) -> None:
        start = self.scanned.start
        between = self.scanned.text[one.end - start : two.start - start]
        comma = between.find(",")
        if comma < 0 and "\n" not in between and not last:
            detail = "Put a comma or a new line between the items of an object."
            raise Fault(two, "Comma missing", detail)
        if comma >= 0 and "\n" in between[:comma]:
            at = Span(one.end + comma, one.end + comma + 1)
            raise Fault(at, "Comma on the next line", "Put it behind the value, or leave it out.")

    def _check_no_for(self, span: Span) -> None:
        if re.match(r"for\b(?!-)", self.source.slice(span)):
            detail = 'A brace and "for" begin a for expression; put the name into quotes.'
            raise Fault(Span(span.start, span.start + 3), "Invalid for expression", detail)

    def _element(self, node: Node) -> tuple[Expression, Expression]:
        key, value = _trees(node)
        return self._key(key), self.expression(value)

    def _key(self, node: Node) -> Expression:
        inner = cast("Node", node.children[0])
        if inner.data == "keyword":
            return Constant(self._text(inner), self._span(inner))
        key = self.expression(inner)
        if isinstance(key, Name) or (
            isinstance(key, Constant) and (key.value is None or isinstance(key.value, bool))
        ):
            return Constant(self._text(inner), self._span(inner))
        return key

    def _call(self, node: Node) -> Expression:
        names = [n for n in _trees(node) if n.data == "identifier"]
        given = next((n for n in _trees(node) if n.data == "arguments"), None)
        items = list(_trees(given, skip=("new_line_or_comment",))) if given else []
        spread = given is not None and any(
            getattr(c, "type", None) == "ELLIPSIS" for c in given.children
        )
        name_span = self._span(names[0]).to(self._span(names[-1]))
        if self.source.slice(name_span)[:1].isdigit():
            raise Fault(name_span, "A number is no function", "Put an operator between the two.")
        return Call(
            self.source.slice(name_span),
            name_span,
            tuple(self.expression(i) for i in items),
            spread,
            self._span(node),
        )

    def _access(self, node: Node) -> Expression:
        """Convert a chain of steps, which the grammar nests to the left, in a loop."""
        steps: list[Step] = []
        span = self._span(node)
        inner = node
        while inner.data in _STEPS:
            source, step = _trees(inner)
            if inner.data in ("attr_splat_expr_term", "full_splat_expr_term"):
                steps = self._each(inner, step, steps)
            else:
                steps = [self._step(step), *steps]
            if len(steps) > MAX_DEPTH:
                raise Fault(span, "Expression too long", _DEEP)
            inner = _unwrapped(source)
        return Access(self.expression(inner), tuple(steps), span)

    def _each(self, node: Node, tail: Node, behind: list[Step]) -> list[Step]:
        """Convert a splat and the steps behind it.

        ``[*]`` takes all of them along, ``.*`` only names and ``.0``: an index behind it is one of
        the whole result.
        """
        steps: list[Step] = [*(self._step(n) for n in _trees(tail)), *behind]
        cut = len(steps)
        dotted = node.data == "attr_splat_expr_term"
        if dotted:
            cut = next((i for i, s in enumerate(steps) if not _is_named(s)), cut)
            _check_nested(steps[cut:])
        return [Each(tuple(steps[:cut]), self._span(node), dotted), *steps[cut:]]

    def _step(self, node: Node) -> Member | Index:
        span = self._span(node)
        if node.data == "get_attr":
            inner = cast("Node", node.children[1])
            return Member(self._text(inner), span)
        if node.data == "short_index":
            number = str(node.children[1])
            return Index(Constant(int(number[:9]), span), span, dotted=True)
        inner = next(_trees(node, skip=("new_line_or_comment",)))
        return Index(self.expression(inner), span)

    def _conditional(self, node: Node) -> Expression:
        parts = list(_trees(node, skip=("new_line_or_comment",)))
        condition, then, otherwise = (self.expression(n) for n in parts)
        return Conditional(condition, then, otherwise, self._span(node))

    def _binary(self, node: Node) -> Expression:
        left, term = list(_trees(node, skip=("new_line_or_comment",)))
        operator, right = list(_trees(term, skip=("new_line_or_comment",)))
        token = str(operator.children[0]).strip()
        return Binary(token, self.expression(left), self.expression(right), self._span(node))

    def _unary(self, node: Node) -> Expression:
        token, operand = node.children
        return Unary(str(token), self.expression(operand), self._span(node))

    def _for(self, node: Node) -> Expression:
        parts = list(_trees(node, skip=("new_line_or_comment",)))
        condition = next((p for p in parts if p.data == "for_cond"), None)
        results = [p for p in parts[1:] if p.data != "for_cond"]
        intro = list(_trees(parts[0], skip=("new_line_or_comment",)))
        group = any(getattr(c, "type", None) == "ELLIPSIS" for c in node.children)
        return For(
            tuple(self._text(n) for n in intro[:-1]),
            self.expression(intro[-1]),
            self.expression(results[0]) if len(results) > 1 else None,
            self.expression(results[-1]),
            self.expression(condition.children[-1]) if condition else None,
            group,
            self._span(node),
        )


def _trees(node: Node, skip: tuple[str, ...] = ()) -> Iterator[Node]:
    return (
        cast("Node", c)
        for c in node.children
        if hasattr(c, "data") and cast("Node", c).data not in skip
    )


_STEPS = ("get_attr_expr_term", "index_expr_term", "attr_splat_expr_term", "full_splat_expr_term")


def _check_nested(behind: list[Step]) -> None:
    if behind and isinstance(behind[0], Each) and behind[0].dotted:
        detail = 'Write "[*]" for the splats.'
        raise Fault(behind[0].span, 'A second ".*" in one expression', detail)


def _is_named(step: Step) -> bool:
    return isinstance(step, Member) or (isinstance(step, Index) and step.dotted)


def _in_brackets(node: Node) -> bool:
    return any(getattr(c, "type", None) == "LPAR" for c in node.children)


def _unwrapped(node: Node) -> Node:
    """Return what a term consists of, if it is one thing without brackets."""
    children = node.children
    if node.data == "expr_term" and len(children) == 1:
        return cast("Node", children[0])
    return node
