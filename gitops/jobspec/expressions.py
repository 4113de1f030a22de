"""Evaluates expressions. References it does not know stay as source text, for run time."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import singledispatch
from typing import TypeAlias

from gitops.diagnostics import did_you_mean
from gitops.jobspec.syntax import (
    Access,
    Binary,
    Branch,
    Call,
    Conditional,
    Constant,
    Expression,
    Fault,
    For,
    Index,
    Member,
    Name,
    ObjectOf,
    Part,
    Repeat,
    Source,
    Span,
    Splat,
    Template,
    TupleOf,
    Unary,
)
from gitops.jobspec.values import (
    MAX_ITEMS,
    MAX_TEXT,
    Number,
    SetValue,
    Value,
    ValueFault,
    article,
    boolean,
    entries,
    equal,
    integer,
    kind,
    number,
    simple,
    text,
    to_precision,
    unified,
)


@dataclass(slots=True)
class Budget:
    """How much an evaluation may still produce; a bomb in a spec ends here."""

    left: int = MAX_ITEMS

    def take(self, count: int, span: Span) -> None:
        """Use up `count` items; raises `Fault` when there are none left."""
        self.left -= count
        if self.left < 0:
            detail = f"The expressions of a file make at most {MAX_ITEMS} items."
            raise Fault(span, "The expression grows too large", detail)


@dataclass(frozen=True, slots=True)
class Scope:
    """The names an expression may use.

    `values` are plain names (iterators); `lazy` are roots such as ``local`` whose members are
    worked out when they are asked for.
    """

    source: Source
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])
    lazy: Mapping[str, Callable[[str, Span], Value]] = field(
        default_factory=dict[str, Callable[[str, Span], Value]]
    )
    functions: Mapping[str, Function] = field(default_factory=dict[str, "Function"])
    budget: Budget = field(default_factory=Budget)
    keep_unknown: bool = True

    def with_values(self, more: Mapping[str, Value]) -> Scope:
        """Return the scope with further names."""
        return Scope(
            self.source,
            {**self.values, **more},
            self.lazy,
            self.functions,
            self.budget,
            self.keep_unknown,
        )


# Takes the arguments as expressions: a few functions (try, can, convert) do not want values.
Function: TypeAlias = Callable[[Call, Scope], Value]


def evaluate(expression: Expression, scope: Scope) -> Value:
    """Return the value of `expression`; raises `Fault` at the part that is wrong."""
    return _evaluate(expression, scope)


@singledispatch
def _evaluate(node: object, scope: Scope) -> Value:
    raise TypeError(f"no evaluation for {type(node).__name__}")


@_evaluate.register(Constant)
def _constant(node: Constant, scope: Scope) -> Value:
    return node.value


@_evaluate.register(Name)
def _name(node: Name, scope: Scope) -> Value:
    if node.name in scope.values:
        return scope.values[node.name]
    if node.name in scope.lazy:
        detail = f"Name what is meant, as in {node.name}.name."
        raise Fault(node.span, f'"{node.name}" alone is no value', detail)
    return _kept(node.span, scope)


def _kept(span: Span, scope: Scope) -> Value:
    if not scope.keep_unknown:
        raise Fault(span, "Unknown name", "Nothing may be referred to here.")
    return f"${{{scope.source.slice(span)}}}"


@_evaluate.register(Access)
def _access(node: Access, scope: Scope) -> Value:
    steps = node.steps
    root = node.source
    if isinstance(root, Name) and root.name in scope.lazy and isinstance(steps[0], Member):
        value = scope.lazy[root.name](steps[0].name, steps[0].span)
        steps = steps[1:]
    elif isinstance(root, Name) and root.name not in scope.values:
        count = next((i for i, s in enumerate(steps) if not _is_literal(s)), len(steps))
        end = steps[count - 1].span.end if count else root.span.end
        value = _kept(Span(root.span.start, end), scope)
        steps = steps[count:]
    else:
        value = _evaluate(root, scope)
    return _walk(value, steps, scope)


def _is_literal(step: Member | Index) -> bool:
    return isinstance(step, Member) or isinstance(step.key, Constant)


def _walk(value: Value, steps: tuple[Member | Index, ...], scope: Scope) -> Value:
    for step in steps:
        value = _member(value, step) if isinstance(step, Member) else _item(value, step, scope)
    return value


def _member(value: Value, step: Member) -> Value:
    if isinstance(value, dict):
        if step.name in value:
            return value[step.name]
        detail = did_you_mean(step.name, value)
        raise Fault(step.span, f'There is no "{step.name}" in this {kind(value)}', detail)
    detail = "Only maps and objects have named members."
    raise Fault(step.span, f'{article(value)} has no "{step.name}"', detail)


def _item(value: Value, step: Index, scope: Scope) -> Value:
    key = _evaluate(step.key, scope)
    try:
        if isinstance(value, dict):
            return value[text(key)]
        if isinstance(value, tuple) and not isinstance(value, SetValue):
            position = integer(key)
            if position >= 0:
                return value[position]
    except ValueFault as e:
        raise Fault(step.span, "Invalid index", f"{e}.") from None
    except (KeyError, IndexError):
        pass
    if isinstance(value, dict | tuple):
        raise Fault(step.span, "Invalid index", "There is no such item in this collection.")
    raise Fault(step.span, "Invalid index", f"{article(value)} has no items.")


@_evaluate.register(Splat)
def _splat(node: Splat, scope: Scope) -> Value:
    source = _evaluate(node.source, scope)
    if source is None:
        return ()
    items = tuple(source) if isinstance(source, tuple) else (source,)
    return tuple(_walk(item, node.steps, scope) for item in items)


@_evaluate.register(Call)
def _call(node: Call, scope: Scope) -> Value:
    function = scope.functions.get(node.name)
    if function is None:
        detail = did_you_mean(node.name, scope.functions)
        raise Fault(node.name_span, f'There is no function "{node.name}"', detail)
    return function(node, scope)


@_evaluate.register(TupleOf)
def _tuple(node: TupleOf, scope: Scope) -> Value:
    scope.budget.take(len(node.items), node.span)
    return tuple(_evaluate(i, scope) for i in node.items)


@_evaluate.register(ObjectOf)
def _object(node: ObjectOf, scope: Scope) -> Value:
    scope.budget.take(len(node.items), node.span)
    return {_key(k, scope): _evaluate(v, scope) for k, v in node.items}


def _key(node: Expression, scope: Scope) -> str:
    try:
        return text(_evaluate(node, scope))
    except ValueFault as e:
        raise Fault(node.span, "Invalid key", f"{e}.") from None


@_evaluate.register(Conditional)
def _conditional(node: Conditional, scope: Scope) -> Value:
    chosen = _condition(node.condition, scope)
    # Both are evaluated: an error in the other one is an error, and they share one type.
    both = (_evaluate(node.then, scope), _evaluate(node.otherwise, scope))
    return unified(both)[0 if chosen else 1]


def _condition(node: Expression, scope: Scope) -> bool:
    try:
        return boolean(_evaluate(node, scope))
    except ValueFault as e:
        raise Fault(node.span, "Invalid condition", f"{e}.") from None


@_evaluate.register(Unary)
def _unary(node: Unary, scope: Scope) -> Value:
    value = _evaluate(node.operand, scope)
    try:
        return not boolean(value) if node.operator == "!" else -number(value)
    except ValueFault as e:
        raise Fault(node.operand.span, "Invalid operand", f"{e}.") from None


@_evaluate.register(Binary)
def _binary(node: Binary, scope: Scope) -> Value:
    left, right = _evaluate(node.left, scope), _evaluate(node.right, scope)
    if node.operator in ("==", "!="):
        return equal(left, right) == (node.operator == "==")
    apply = _LOGIC.get(node.operator)
    try:
        if apply is not None:
            return apply(boolean(left), boolean(right))
        return _ARITHMETIC[node.operator](number(left), number(right))
    except ValueFault as e:
        raise Fault(node.span, f'Invalid operand of "{node.operator}"', f"{e}.") from None


def divided(left: Number, right: Number) -> Number:
    """Return the quotient at the precision of numbers; a division by 0 is infinite."""
    if not right:
        if not left:
            raise ValueFault("0 cannot be divided by 0")
        return float("inf") if left > 0 else float("-inf")
    if isinstance(left, float) or isinstance(right, float):
        return simple(float(left) / float(right))
    quotient = Fraction(left) / Fraction(right)
    exact = quotient.denominator.bit_length() < 64  # noqa: PLR2004 - a machine word
    return simple(quotient if exact else to_precision(quotient))


def remainder(left: Number, right: Number) -> Number:
    """Return what is left of a division that rounds towards 0."""
    if not right or isinstance(left, float) or isinstance(right, float):
        raise ValueFault("there is no remainder of a division by 0 or of infinity")
    return simple(left - right * int(Fraction(left) / Fraction(right)))


_LOGIC: dict[str, Callable[[bool, bool], bool]] = {
    "&&": lambda a, b: a and b,
    "||": lambda a, b: a or b,
}
_ARITHMETIC: dict[str, Callable[[Number, Number], Value]] = {
    "+": lambda a, b: simple(a + b),
    "-": lambda a, b: simple(a - b),
    "*": lambda a, b: simple(a * b),
    "/": divided,
    "%": remainder,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@_evaluate.register(For)
def _for(node: For, scope: Scope) -> Value:
    pairs = _pairs(node.collection, scope)
    scope.budget.take(len(pairs), node.span)
    scopes = (scope.with_values(_bound(node.names, k, v)) for k, v in pairs)
    kept = (s for s in scopes if node.condition is None or _condition(node.condition, s))
    if node.key is None:
        return tuple(_evaluate(node.value, s) for s in kept)
    return _grouped(node, node.key, ((_key(node.key, s), s) for s in kept))


def _pairs(node: Expression, scope: Scope) -> list[tuple[Value, Value]]:
    try:
        return list(entries(_evaluate(node, scope)))
    except ValueFault as e:
        raise Fault(node.span, "Not a collection", f"{e}.") from None


def _bound(names: tuple[str, ...], key: Value, value: Value) -> dict[str, Value]:
    return {names[0]: value} if len(names) == 1 else {names[0]: key, names[1]: value}


def _grouped(node: For, key: Expression, pairs: Iterable[tuple[str, Scope]]) -> Value:
    out: dict[str, Value] = {}
    groups: dict[str, list[Value]] = {}
    for name, scope in pairs:
        value = _evaluate(node.value, scope)
        groups.setdefault(name, []).append(value)
        if len(groups[name]) > 1 and not node.group:
            detail = 'Group the values of equal keys with "..." behind the value.'
            raise Fault(key.span, f'The key "{name}" occurs twice', detail)
        out[name] = value
    return {k: tuple(v) for k, v in groups.items()} if node.group else out


@_evaluate.register(Template)
def _template(node: Template, scope: Scope) -> Value:
    if len(node.parts) == 1 and not isinstance(node.parts[0], str | Branch | Repeat):
        return _evaluate(node.parts[0], scope)  # "${x}" is x itself, whatever its type
    joined = "".join(_texts(node.parts, scope))
    if len(joined) > MAX_TEXT:
        raise Fault(node.span, "The text grows too large", f"At most {MAX_TEXT} characters.")
    scope.budget.take(len(joined) // 64, node.span)
    return joined


def _texts(parts: tuple[Part, ...], scope: Scope) -> list[str]:
    out: list[str] = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, Branch):
            chosen = part.then if _condition(part.condition, scope) else part.otherwise
            out += _texts(chosen, scope)
        elif isinstance(part, Repeat):
            out += _repeated(part, scope)
        else:
            out.append(_interpolated(part, scope))
    return out


def _interpolated(node: Expression, scope: Scope) -> str:
    value = _evaluate(node, scope)
    try:
        return text(value)
    except ValueFault as e:
        raise Fault(node.span, "This cannot be put into text", f"{e}.") from None


def _repeated(part: Repeat, scope: Scope) -> list[str]:
    out: list[str] = []
    pairs = _pairs(part.collection, scope)
    scope.budget.take(len(pairs), part.collection.span)
    for key, value in pairs:
        out += _texts(part.body, scope.with_values(_bound(part.names, key, value)))
    return out
