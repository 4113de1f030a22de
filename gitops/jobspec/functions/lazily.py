"""How functions are called, and those which look at their arguments unevaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gitops.jobspec.expressions import Function, Scope, evaluate
from gitops.jobspec.syntax import Call, Fault
from gitops.jobspec.types import convert, read_type
from gitops.jobspec.values import Value, ValueFault

Converter: TypeAlias = Callable[[Value], object]


@dataclass(frozen=True, slots=True)
class Eager:
    """A function of values: a converter per parameter, then `rest` for any number more."""

    body: Callable[..., Value]
    takes: tuple[Converter, ...] = ()
    rest: Converter | None = None
    optional: int = 0


def eager(function: Eager) -> Function:
    """Return the callable that evaluates and converts the arguments first."""

    def call(node: Call, scope: Scope) -> Value:
        values = _values(node, scope)
        _check_count(function, node, len(values))
        converted = [_converted(function, node, i, v) for i, v in enumerate(values)]
        try:
            result = function.body(*converted)
        except ValueFault as e:
            raise Fault(node.span, f'"{node.name}" failed', f"{e}.") from None
        if isinstance(result, tuple | dict | str):
            size = len(result) // 64 if isinstance(result, str) else len(result)
            scope.budget.take(size, node.span)
        return result

    return call


def _values(node: Call, scope: Scope) -> list[Value]:
    values = [evaluate(a, scope) for a in node.arguments]
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
    """Take a value as it is."""
    return value


def unavailable(node: Call, scope: Scope) -> Value:
    """Refuse a function of the language that is not offered."""
    detail = "Write the value out, or pass it in as a variable."
    raise Fault(node.name_span, f'The function "{node.name}" is not available yet', detail)


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
