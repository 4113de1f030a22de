"""Takes what a command line says as it is, where that is all there is to do.

typer turns every value into its parameter's type by a library whose import costs more than most
commands take; text, absent values and known words need none of it. All other values, and all that
is wrong, is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, cast, get_args, get_origin

# What a parameter of typer has since it coerces values itself.
_COERCION = "get_runtime_param"


def plainly(parameter: Any) -> Any:  # noqa: ANN401 - typer's parameters have no public type
    """Return a parameter of typer, which from now on takes plain values as they are."""
    coercion = getattr(parameter, _COERCION, None)
    described = getattr(parameter, "type_descriptor", None)
    if coercion is not None and described is not None and _COERCION not in vars(parameter):
        plain = _Plain(_kind(described), coercion)
        setattr(parameter, _COERCION, lambda: plain)
    return parameter


def _kind(described: Any) -> Any:  # noqa: ANN401
    """Return the type of a parameter; None where a function of ours reads its value."""
    own = getattr(described.parameter_info, "parser", None) is not None
    return None if own else described.annotation


@dataclass(frozen=True, slots=True)
class _Plain:
    """The coercion of one parameter: `other` gives typer's own."""

    kind: Any
    other: Callable[[], Any]

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401
        """Return what a parameter gets for what the command line gave."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if self.kind is str and type(value) is str:
            return value
        if get_origin(self.kind) is Literal and type(value) is str and value in get_args(self.kind):
            return value
        if self.kind == list[str] and isinstance(value, list | tuple):
            items = cast("Sequence[object]", value)
            if all(type(item) is str for item in items):
                return list(items)
        if isinstance(value, Enum) and type(value) is self.kind:
            return value
        return self.other().coerce(value, param=param, ctx=ctx)
