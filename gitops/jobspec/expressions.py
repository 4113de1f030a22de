"""Evaluates expressions. References it does not know stay as source text, for run time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import singledispatch

from gitops.diagnostics import did_you_mean
from gitops.jobspec import numbers
from gitops.jobspec.foreign import REPLACED
from gitops.jobspec.numbers import Number, NumberFault
from gitops.jobspec.scope import Scope
from gitops.jobspec.syntax import (
    Access,
    Binary,
    Branch,
    Call,
    Conditional,
    Constant,
    Each,
    Expression,
    Fault,
    For,
    Group,
    Index,
    Member,
    Name,
    ObjectOf,
    Part,
    Repeat,
    Span,
    Step,
    Template,
    TupleOf,
    Unary,
    each,
)
from gitops.jobspec.types import ANY, BOOL, NUMBER, Type, convert, type_of
from gitops.jobspec.unify import unified_type
from gitops.jobspec.values import (
    MAX_TEXT,
    ListValue,
    SetValue,
    Value,
    ValueFault,
    article,
    boolean,
    entries,
    equal,
    integer,
    kind,
    normal,
    number,
    text,
)


def evaluate(expression: Expression, scope: Scope) -> Value:
    """Return the value of `expression`; raises `Fault` at the part that is wrong."""
    return _evaluate(expression, scope)


@singledispatch
def _evaluate(node: object, scope: Scope) -> Value:
    raise TypeError(f"no evaluation for {type(node).__name__}")


@_evaluate.register(Constant)
def _constant(node: Constant, scope: Scope) -> Value:
    return node.value


@_evaluate.register(Group)
def _group(node: Group, scope: Scope) -> Value:
    return _evaluate(node.inner, scope)


@_evaluate.register(Name)
def _name(node: Name, scope: Scope) -> Value:
    if node.name in scope.values:
        return scope.values[node.name]
    if node.name in scope.lazy:
        return scope.lazy[node.name].everything(node.span)
    return _kept(node.span, scope)


def _kept(span: Span, scope: Scope) -> Value:
    written = scope.source.slice(span)
    if not scope.keep_unknown:
        raise Fault(span, f'"{written}" is not known here', "Nothing may be referred to here.")
    scope.notes.unknown.setdefault(written, span)
    return f"${{{normal(written)}}}"


@_evaluate.register(Access)
def _access(node: Access, scope: Scope) -> Value:
    steps = node.steps
    root = node.source
    if isinstance(root, Name) and root.name in scope.values:
        value = scope.values[root.name]
    elif isinstance(root, Name) and root.name in scope.lazy:
        name = _first_name(steps)
        if name is None:
            value = scope.lazy[root.name].everything(root.span)
        else:
            value = scope.lazy[root.name].member(name, steps[0].span)
            steps = steps[1:]
    elif isinstance(root, Name):
        count = next((i for i, s in enumerate(steps) if not _is_literal(s)), len(steps))
        end = steps[count - 1].span.end if count else root.span.end
        value = _kept(Span(root.span.start, end), scope)
        steps = steps[count:]
    else:
        value = _evaluate(root, scope)
    return _walk(value, steps, scope)


def _first_name(steps: tuple[Step, ...]) -> str | None:
    """Return the member that the first step names, if it says so plainly."""
    match steps[0]:
        case Member(name) | Index(Constant(str(name))):
            return name
        case _:
            return None


def _is_literal(step: Step) -> bool:
    return isinstance(step, Member) or (isinstance(step, Index) and isinstance(step.key, Constant))


def _walk(value: Value, steps: tuple[Step, ...], scope: Scope) -> Value:
    for step in steps:
        if isinstance(step, Member):
            value = _member(value, step)
        elif isinstance(step, Index):
            value = _item(value, step, scope)
        else:
            value = _each(value, step, scope)
    return value


def _member(value: Value, step: Member) -> Value:
    if isinstance(value, dict):
        if step.name in value:
            return value[step.name]
        detail = did_you_mean(step.name, value)
        raise Fault(step.span, f'There is no "{step.name}" in this {kind(value)}', detail)
    detail = "Only maps and objects have named members."
    if isinstance(value, tuple):
        detail += f' For those of each item write "[*].{step.name}".'
    raise Fault(step.span, f'{article(value)} has no "{step.name}"', detail)


def _item(value: Value, step: Index, scope: Scope) -> Value:
    key = _evaluate(step.key, scope)
    try:
        if isinstance(value, dict):
            return value[text(key)]
        if isinstance(value, tuple) and not isinstance(value, SetValue):
            return value[_position(key, len(value))]
    except ValueFault as e:
        raise Fault(step.span, "Invalid index", f"{e}.") from None
    except KeyError:
        detail = did_you_mean(text(key), value if isinstance(value, dict) else ())
        wrong = f"There is no item {text(key)[:40]!r} in this {kind(value)}. {detail}".rstrip()
        raise Fault(step.span, "Invalid index", wrong) from None
    raise Fault(step.span, "Invalid index", f"{article(value)} has no items by position.")


def _position(key: Value, count: int) -> int:
    position = integer(key)
    if not 0 <= position < count:
        noun = "item" if count == 1 else "items"
        raise ValueFault(f"the list has {count} {noun}, counted from 0; there is no {position}")
    return position


def _each(value: Value, step: Each, scope: Scope) -> Value:
    if value is None:
        return ()
    items = value if isinstance(value, tuple) else (value,)
    scope.budget.take(len(items), step.span)
    walked = tuple(_walk(item, step.steps, scope) for item in items)
    if not isinstance(value, ListValue):
        return walked
    return ListValue.of(walked, type_of(walked[0]) if walked else ANY)


@_evaluate.register(Call)
def _call(node: Call, scope: Scope) -> Value:
    function = scope.functions.get(node.name)
    if function is None:
        detail = REPLACED.get(node.name, "") or did_you_mean(node.name, scope.functions)
        raise Fault(node.name_span, f'There is no function "{node.name}"', detail)
    return function(node, scope)


@_evaluate.register(TupleOf)
def _tuple(node: TupleOf, scope: Scope) -> Value:
    scope.budget.take(len(node.items), node.span)
    return tuple(each(node.items, lambda i: _evaluate(i, scope)))


@_evaluate.register(ObjectOf)
def _object(node: ObjectOf, scope: Scope) -> Value:
    scope.budget.take(len(node.items), node.span)
    pairs = each(node.items, lambda kv: (_written_key(kv[0], scope), _evaluate(kv[1], scope)))
    return dict(pairs)


def _written_key(node: Expression, scope: Scope) -> str:
    if isinstance(node, Access) and isinstance(node.source, Name):
        detail = "Put a reference into brackets, and a name with dots into quotes."
        raise Fault(node.span, "This may be a reference or a name", detail)
    return _key(node, scope)


def _key(node: Expression, scope: Scope) -> str:
    try:
        return text(_evaluate(node, scope))
    except ValueFault as e:
        raise Fault(node.span, "Invalid key", f"{e}.") from None


@_evaluate.register(Conditional)
def _conditional(node: Conditional, scope: Scope) -> Value:
    """Evaluate both branches, as both have a say in the type; only the chosen one may fail."""
    (then, fault), (otherwise, other) = _tried(node.then, scope), _tried(node.otherwise, scope)
    types = (
        _promised(node.then) if fault else type_of(then),
        _promised(node.otherwise) if other else type_of(otherwise),
    )
    common = ANY if ANY in types else unified_type(types)
    if common is None:
        detail = f"One is of type {types[0].name}, the other {types[1].name}; convert one of them."
        span = node.then.span.to(node.otherwise.span)
        raise Fault(span, "The two results have no common type", detail)
    chosen = _condition(node.condition, scope)
    fault = fault if chosen else other
    if fault:
        raise fault
    branch = node.then if chosen else node.otherwise
    try:
        return convert(then if chosen else otherwise, common)
    except ValueFault as e:
        raise Fault(branch.span, "The two results have no common type", f"{e}.") from None


_NUMERIC = frozenset("+-*/%")


def _promised(node: Expression) -> Type:
    """Return the type that an expression would have had, as far as its form tells."""
    if isinstance(node, Binary | Unary):
        return NUMBER if node.operator in _NUMERIC else BOOL
    return _promised(node.inner) if isinstance(node, Group) else ANY


def _tried(node: Expression, scope: Scope) -> tuple[Value, Fault | None]:
    try:
        return _evaluate(node, scope), None
    except Fault as e:
        return None, e


def _condition(node: Expression, scope: Scope) -> bool:
    try:
        return boolean(_evaluate(node, scope))
    except ValueFault as e:
        raise Fault(node.span, "Invalid condition", f"{e}.") from None


@_evaluate.register(Unary)
def _unary(node: Unary, scope: Scope) -> Value:
    value = _evaluate(node.operand, scope)
    try:
        return not boolean(value) if node.operator == "!" else numbers.negated(number(value))
    except ValueFault as e:
        raise Fault(node.operand.span, "Invalid operand", f"{e}.") from None


@_evaluate.register(Binary)
def _binary(node: Binary, scope: Scope) -> Value:
    left, right = each((node.left, node.right), lambda side: _evaluate(side, scope))
    if node.operator in ("==", "!="):
        return equal(left, right) == (node.operator == "==")
    apply = _LOGIC.get(node.operator)
    try:
        if apply is not None:
            return apply(boolean(left), boolean(right))
        return _ARITHMETIC[node.operator](number(left), number(right))
    except (ValueFault, NumberFault) as e:
        raise Fault(node.span, f'Invalid operand of "{node.operator}"', f"{e}.") from None


_LOGIC: dict[str, Callable[[bool, bool], bool]] = {
    "&&": lambda a, b: a and b,
    "||": lambda a, b: a or b,
}
_ARITHMETIC: dict[str, Callable[[Number, Number], Value]] = {
    "+": numbers.added,
    "-": numbers.subtracted,
    "*": numbers.multiplied,
    "/": numbers.divided,
    "%": numbers.remainder,
    "<": lambda a, b: numbers.compared(a, b) < 0,
    "<=": lambda a, b: numbers.compared(a, b) <= 0,
    ">": lambda a, b: numbers.compared(a, b) > 0,
    ">=": lambda a, b: numbers.compared(a, b) >= 0,
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
    return normal(joined)


def _texts(parts: tuple[Part, ...], scope: Scope) -> list[str]:
    return each(parts, lambda part: _text(part, scope))


def _text(part: Part, scope: Scope) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Branch):
        chosen = part.then if _condition(part.condition, scope) else part.otherwise
        return "".join(_texts(chosen, scope))
    if isinstance(part, Repeat):
        return "".join(_repeated(part, scope))
    return _interpolated(part, scope)


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
