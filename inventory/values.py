"""Frozen, slotted dataclasses as the standard library's, for a third of what these cost to make.

Each command makes hundreds of classes before it does anything. The standard library compiles six
functions for each; here that is one, the initializer, and the others are the same for all. What
comes out is a dataclass to everybody: `fields`, `replace`, `match`, type checkers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

_Class: TypeAlias = type[Any]
_Fields: TypeAlias = Sequence[dataclasses.Field[Any]]
_Methods: TypeAlias = dict[str, Callable[..., Any]]
_NOTHING = object()


def _dataclass(cls: _Class | None = None, /, **how: bool) -> Any:  # noqa: ANN401 - for checkers it is dataclasses'
    """Do as `dataclasses.dataclass`; it makes the classes that are not frozen and slotted."""
    named = how.get("kw_only", False)
    if cls is not None or {**how, "kw_only": named} != _ours(named):
        return dataclasses.dataclass(cls, **how)
    return partial(_made, named=named)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - it is given on
else:
    dataclass = _dataclass


def _ours(named: bool) -> dict[str, bool]:
    return {"frozen": True, "slots": True, "kw_only": named}


def _made(cls: _Class, *, named: bool) -> _Class:
    if _is_special(cls):
        return dataclasses.dataclass(**_ours(named))(cls)
    own = frozenset(vars(cls))
    cls.__doc__ = cls.__doc__ or cls.__name__  # else its signature is worked out for it
    how = {"init": False, "repr": False, "eq": False, "slots": True, "kw_only": named}
    made: _Class = dataclasses.dataclass(**how)(cls)
    made.__dataclass_params__.frozen = made.__dataclass_params__.eq = True
    found = dataclasses.fields(made)
    methods = {**_comparing(found), **_frozen(made, found), **_state(found)}
    methods |= {"__init__": _initializer(made, found), "__repr__": _shower(found)}
    for name, method in methods.items():
        if name not in own:
            method.__qualname__ = f"{made.__qualname__}.{name}"
            setattr(made, name, method)
    return made


def _is_special(cls: _Class) -> bool:
    """Whether a class has fields that come from elsewhere than its initializer."""
    inherits = any(dataclasses.is_dataclass(base) for base in cls.__bases__)
    return inherits or any(
        isinstance(value, dataclasses.Field) and not value.init for value in vars(cls).values()
    )


def _initializer(made: _Class, found: _Fields) -> Callable[..., None]:
    names: dict[str, Any] = {"_NOTHING": _NOTHING}
    words = ["self"]
    named: list[str] = []
    lines: list[str] = []
    for f in found:
        value, default = f.name, ""
        names[f"_set_{f.name}"] = getattr(made, f.name).__set__
        if f.default is not dataclasses.MISSING:
            names[f"_default_{f.name}"] = f.default
            default = f"=_default_{f.name}"
        elif f.default_factory is not dataclasses.MISSING:
            names[f"_make_{f.name}"] = f.default_factory
            default = "=_NOTHING"
            value = f"_make_{f.name}() if {f.name} is _NOTHING else {f.name}"
        (named if f.kw_only else words).append(f.name + default)
        lines.append(f"  _set_{f.name}(self, {value})\n")
    if hasattr(made, "__post_init__"):
        lines.append("  self.__post_init__()\n")
    head = ", ".join([*words, *(["*", *named] if named else [])])
    text = f"def __init__({head}):\n{''.join(lines) or '  pass'}"
    exec(text, names)  # noqa: S102 - as the standard library does: names of fields only
    made_init: Callable[..., None] = names["__init__"]
    return made_init


def _comparing(found: _Fields) -> _Methods:
    compared = _values([f.name for f in found if f.compare])
    hashed = _values([f.name for f in found if (f.compare if f.hash is None else f.hash)])

    def equal(self: object, other: object) -> Any:  # noqa: ANN401 - may be NotImplemented
        if self is other:
            return True
        if other.__class__ is self.__class__:
            return compared(self) == compared(other)
        return NotImplemented

    def hash_of(self: object) -> int:
        return hash(hashed(self))

    return {"__eq__": equal, "__hash__": hash_of}


def _values(names: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    """Return what gets the values of some fields."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _: ()
    get = attrgetter(names[0])
    return lambda value: (get(value),)


def _shower(found: _Fields) -> Callable[[object], str]:
    names = [f.name for f in found if f.repr]

    def shown(self: object) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({values})"

    return shown


def _frozen(made: _Class, found: _Fields) -> _Methods:
    names = frozenset(f.name for f in found)

    def set_one(self: object, name: str, value: object) -> None:
        if type(self) is made or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(made, self).__setattr__(name, value)

    def delete_one(self: object, name: str) -> None:
        if type(self) is made or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(made, self).__delattr__(name)

    return {"__setattr__": set_one, "__delattr__": delete_one}


def _state(found: _Fields) -> _Methods:
    """Return what copies and pickles go by: nothing can be set on them from outside."""
    names = [f.name for f in found]

    def put(self: object, state: Sequence[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    def state(self: object) -> list[Any]:
        return [getattr(self, name) for name in names]

    return {"__getstate__": state, "__setstate__": put}
