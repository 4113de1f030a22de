"""How functions are called, and those which look at their arguments unevaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gitops.jobspec.expressions import evaluate
from gitops.jobspec.numbers import NumberFault
from gitops.jobspec.scope import Function, Scope
from gitops.jobspec.syntax import Call, Fault, each
from gitops.jobspec.type_syntax import read_type
from gitops.jobspec.types import Type, convert
from gitops.jobspec.values import Value, ValueFault, integer, normal

Converter: TypeAlias = Callable[[Value], object]


@dataclass(frozen=True, slots=True)
class Eager:
    """A function of values: a converter per parameter, then `rest` for any number more.

    `varies` says that its result is another one each time. Where `scoped`, the body gets the
    scope and the call before the arguments.
    """

    body: Callable[..., Value]
    takes: tuple[Converter, ...] = ()
    rest: Converter | None = None
    optional: int = 0
    varies: bool = False
    scoped: bool = False


def eager(function: Eager) -> Function:
    """Return the callable that evaluates and converts the arguments first."""

    def call(node: Call, scope: Scope) -> Value:
        values = _values(node, scope)
        _check_count(function, node, len(values))
        converted = [_converted(function, node, i, v) for i, v in enumerate(values)]
        if function.varies:
            scope.varying(node.name, node.span)
        try:
            first = (scope, node) if function.scoped else ()
            result = function.body(*first, *converted)
        except (ValueFault, NumberFault) as e:
            raise Fault(node.span, f'"{node.name}" failed', f"{e}.") from None
        return _bounded(result, node, scope)

    return call


def _bounded(result: Value, node: Call, scope: Scope) -> Value:
    if isinstance(result, str):
        scope.budget.take(len(result) // 64, node.span)
        return normal(result)
    if isinstance(result, tuple | dict):
        scope.budget.take(len(result), node.span)
    return result


def _values(node: Call, scope: Scope) -> list[Value]:
    values = each(node.arguments, lambda a: evaluate(a, scope))
    if not node.spread:
        return values
    last = values.pop() if values else None
    if not isinstance(last, tuple):
        raise Fault(node.arguments[-1].span, 'Only a list or set goes with "..."')
    return values + list(last)


def _check_count(function: Eager, node: Call, count: int) -> None:
    most = len(function.takes)
    least = most - function.optional
    if count < least or (count > most and function.rest is None):
        wanted = str(least) if least == most else f"{least} to {most}"
        wanted = f"at least {least}" if function.rest else wanted
        detail = f'"{node.name}" takes {wanted} and got {count}.'
        raise Fault(node.span, "Wrong number of arguments", detail)


def _converted(function: Eager, node: Call, position: int, value: Value) -> object:
    takes = function.takes
    convert_one = takes[position] if position < len(takes) else function.rest
    try:
        return convert_one(value) if convert_one else value
    except ValueFault as e:
        span = node.arguments[min(position, len(node.arguments) - 1)].span
        raise Fault(span, f'Invalid argument of "{node.name}"', f"{e}.") from None


def anything(value: Value) -> Value:
    """Take a value as it is, null too."""
    return value


def given(value: Value) -> Value:
    """Take any value but null."""
    if value is None:
        raise ValueFault("the argument is null")
    return value


def position(value: Value) -> int:
    """Take a whole number of 64 bits: a position, size or count."""
    found = integer(value)
    if not -(2**63) <= found < 2**63:
        raise ValueFault("the number is too large")
    return found


def of_type(wanted: Type) -> Converter:
    """Return what takes values that convert to a type, and not null."""

    def take(value: Value) -> object:
        return convert(given(value), wanted)

    return take


def _try(node: Call, scope: Scope) -> Value:
    last: Fault | None = None
    for argument in node.arguments:
        try:
            return evaluate(argument, scope)
        except Fault as e:
            last = e
    raise last or Fault(node.span, '"try" needs an argument')


def _can(node: Call, scope: Scope) -> Value:
    if len(node.arguments) != 1:
        raise Fault(node.span, "Wrong number of arguments", '"can" takes 1.')
    try:
        evaluate(node.arguments[0], scope)
    except Fault:
        return False
    return True


def _convert(node: Call, scope: Scope) -> Value:
    if len(node.arguments) != 2:  # noqa: PLR2004
        raise Fault(node.span, "Wrong number of arguments", '"convert" takes a value and a type.')
    value, wanted = node.arguments
    try:
        return convert(evaluate(value, scope), read_type(wanted))
    except ValueFault as e:
        raise Fault(value.span, 'Invalid argument of "convert"', f"{e}.") from None


FUNCTIONS: dict[str, Function] = {"try": _try, "can": _can, "convert": _convert}
