"""Type expressions such as ``list(string)`` → types. Reads syntax, evaluates only defaults."""

from __future__ import annotations

from collections.abc import Callable

from gitops.jobspec.syntax import Call, Constant, Expression, Fault, Name, ObjectOf, TupleOf
from gitops.jobspec.types import ANY, PRIMITIVES, Type, convert
from gitops.jobspec.values import Value, ValueFault

_COLLECTIONS = ("list", "set", "map")
_STRUCTURES = ("object", "tuple")
_DETAIL = "Known are string, number, bool, any, list(…), set(…), map(…), object({…}), tuple([…])."
_MAX_DEEP = 20

# Gives the value of the default of an optional member; None where there can be no such members.
Default = Callable[[Expression], Value]


def read_type(node: Expression, default: Default | None = None, deep: int = 0) -> Type:
    """Return the type that an expression names; raises `Fault`."""
    if deep > _MAX_DEEP:
        raise Fault(node.span, "Invalid type", f"At most {_MAX_DEEP} types lie in each other.")
    if isinstance(node, Name) and node.name in PRIMITIVES:
        return Type(node.name)
    if isinstance(node, Name) and node.name == "any":
        return ANY
    if isinstance(node, Call) and len(node.arguments) == 1:
        return _constructed(node, node.arguments[0], default, deep + 1)
    raise Fault(node.span, "Invalid type", _hint(node))


def _hint(node: Expression) -> str:
    if isinstance(node, Constant) and isinstance(node.value, str):
        return f"Write a type without quotes. {_DETAIL}"
    name = node.name if isinstance(node, Name | Call) else ""
    if name in _COLLECTIONS:
        return f"Say of what, as in {name}(string)."
    examples = {"object": "object({ name = string })", "tuple": "tuple([string, number])"}
    return f"Write it as {examples[name]}." if name in examples else _DETAIL


def _constructed(node: Call, inner: Expression, default: Default | None, deep: int) -> Type:
    if node.name in _COLLECTIONS:
        return Type(node.name, read_type(inner, default, deep))
    if node.name == "object" and isinstance(inner, ObjectOf):
        return _object(inner, default, deep)
    if node.name == "tuple" and isinstance(inner, TupleOf):
        members = ((str(i), read_type(v, default, deep)) for i, v in enumerate(inner.items))
        return Type("tuple", None, tuple(members))
    if node.name == "optional":
        detail = "Only the members of an object type in a variable are optional."
        raise Fault(node.span, "Invalid type", detail)
    raise Fault(node.span, "Invalid type", _hint(node))


def _object(inner: ObjectOf, default: Default | None, deep: int) -> Type:
    members: dict[str, Type] = {}
    defaults: dict[str, Value] = {}
    optional: set[str] = set()
    for key, node in inner.items:
        name = _member_name(key)
        if default is not None and isinstance(node, Call) and node.name == "optional":
            optional.add(name)
            members[name] = _optional(node, default, deep)
            if len(node.arguments) > 1:
                defaults[name] = _default(node.arguments[1], members[name], default)
        else:
            members[name] = read_type(node, default, deep)
    return Type(
        "object",
        None,
        tuple(sorted(members.items())),
        frozenset(optional),
        tuple(sorted(defaults.items())),
    )


def _optional(node: Call, default: Default, deep: int) -> Type:
    if not 1 <= len(node.arguments) <= 2:  # noqa: PLR2004 - a type, and maybe its default
        detail = "Write optional(string), or optional(string, default)."
        raise Fault(node.span, "Invalid type", detail)
    return read_type(node.arguments[0], default, deep)


def _default(node: Expression, wanted: Type, default: Default) -> Value:
    try:
        return convert(default(node), wanted)
    except ValueFault as e:
        raise Fault(node.span, "Invalid default of an optional member", f"{e}.") from None


def _member_name(key: Expression) -> str:
    if isinstance(key, Constant) and isinstance(key.value, str):
        return key.value
    raise Fault(key.span, "Invalid type", "The members of an object type have plain names.")
