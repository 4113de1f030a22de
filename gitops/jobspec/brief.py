"""Values of dataclasses as short JSON: by names of fields, without what is at its default.

For caches that only this version of orch reads: a default that changes changes what is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")
_ATOMS = (str, int, bool, float, type(None))


def encoded(value: object) -> bytes:
    """Return the JSON of a value."""
    return json.dumps(_plain(value), separators=(",", ":")).encode()


def decoded(cls: type[T], data: bytes) -> T:
    """Return the value of that class that was encoded; `ValueError` where it is none."""
    return cast("T", _decoder(cast("Any", cls))(data))


@cache
def _decoder(cls: Any) -> Callable[[bytes], object]:  # noqa: ANN401
    # Compiled code, which is loaded only where there is something to read.
    import msgspec

    return msgspec.json.Decoder(cls).decode


def _plain(value: object) -> object:
    if type(value) in _ATOMS:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return _members(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in cast("Mapping[object, object]", value).items()}
    if isinstance(value, set | frozenset):
        return sorted(cast("frozenset[str]", value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(v) for v in cast("Sequence[object]", value)]
    return value.value if isinstance(value, Enum) else value


def _members(value: Any) -> dict[str, object]:  # noqa: ANN401
    found = (
        (name, getattr(value, name), usual) for name, usual in _defaults(cast("Any", type(value)))
    )
    return {name: _plain(item) for name, item, usual in found if item != usual}


@cache
def _defaults(cls: Any) -> tuple[tuple[str, object], ...]:  # noqa: ANN401
    return tuple((f.name, _default(f)) for f in fields(cls))


def _default(f: Field[Any]) -> object:
    return f.default if f.default_factory is MISSING else f.default_factory()
