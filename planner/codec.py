"""Dataclass ⇄ JSON with the field names of Nomad's API. Knows types, not meanings."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

# Word parts that the API writes in capitals.
_ACRONYMS = frozenset(
    {
        "id",
        "mb",
        "cpu",
        "dns",
        "cidr",
        "ip",
        "tls",
        "grpc",
        "ttl",
        "ui",
        "cni",
        "numa",
        "iops",
        "csi",
    }
)
# Whole names the rule does not reach.
_EXCEPTIONS = {
    "mbits": "MBits",
    "l_target": "LTarget",
    "r_target": "RTarget",
    "selinux_label": "SELinuxLabel",
    "use_tls": "UseTLS",
}


class FormatError(ValueError):
    """Stored data does not have the shape that its type asks for."""


@cache
def json_name(field_name: str) -> str:
    """The API's name of a field: ``max_parallel`` → ``MaxParallel``, ``size_mb`` → ``SizeMB``."""
    if field_name in _EXCEPTIONS:
        return _EXCEPTIONS[field_name]
    parts = field_name.split("_")
    return "".join(p.upper() if p in _ACRONYMS else p[:1].upper() + p[1:] for p in parts)


def to_json(value: object) -> Any:  # noqa: ANN401 - JSON has no closed type
    """Turn a value of dataclasses, enums, tuples, sets and mappings into plain JSON data.

    An empty list or map field becomes ``null``, as the API has it, unless it is marked
    ``metadata={"free": True}``; a field marked ``{"omitempty": True}`` is left out when empty.
    Sets come out sorted, so that equal values give equal bytes.
    """
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return _object_to_json(value)
    if isinstance(value, Mapping):
        mapping = cast("Mapping[object, object]", value)
        return {str(k): to_json(v) for k, v in mapping.items()}
    if isinstance(value, set | frozenset):
        return sorted(to_json(v) for v in cast("frozenset[object]", value))
    if isinstance(value, tuple | list):
        return [to_json(v) for v in cast("tuple[object, ...]", value)]
    return value


def _object_to_json(value: Any) -> dict[str, Any]:  # noqa: ANN401
    out: dict[str, Any] = {}
    for f in fields(value):
        item: object = getattr(value, f.name)
        if f.metadata.get("omitempty") and not item:
            continue
        name = f.metadata.get("json") or json_name(f.name)
        out[name] = None if _is_empty(item) and not f.metadata.get("free") else to_json(item)
    return out


def _is_empty(item: object) -> bool:
    return not item and isinstance(item, tuple | Mapping | frozenset)


def from_json(cls: type[T], data: object, where: str = "") -> T:
    """Build `cls` from JSON data made by `to_json`.

    Unknown names and wrong types raise `FormatError` naming the path; absent names take defaults.
    """
    return cast("T", _decode(cls, data, where or cls.__name__))


def _decode(hint: Any, data: object, where: str) -> object:  # noqa: ANN401
    if hint is Any or hint is object:
        return data
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(hint), data, where)
    decoder = _DECODERS.get(origin)
    if decoder is not None:
        return decoder(get_args(hint), data, where)
    if is_dataclass(hint):
        return _decode_object(cast("type[Any]", hint), data, where)
    return _decode_scalar(hint, data, where)


def _decode_scalar(hint: Any, data: object, where: str) -> object:  # noqa: ANN401
    if issubclass(hint, Enum):
        try:
            return hint(data)
        except ValueError as e:
            raise FormatError(f"{where}: {data!r} is not one of {[m.value for m in hint]}") from e
    if hint is float and type(data) is int:
        return float(data)
    if type(data) is not hint:
        raise FormatError(f"{where}: expected {hint.__name__}, got {type(data).__name__}")
    return data


def _decode_union(options: tuple[Any, ...], data: object, where: str) -> object:
    if data is None and type(None) in options:
        return None
    last: FormatError | None = None
    for option in options:
        if option is type(None):
            continue
        try:
            return _decode(option, data, where)
        except FormatError as e:
            last = e
    raise last or FormatError(f"{where}: null is not allowed")


def _decode_tuple(args: tuple[Any, ...], data: object, where: str) -> object:
    if args[-1] is Ellipsis:
        return tuple(_decode_items(args, data, where))
    items = _decode_items((Any,), data, where)
    if len(items) != len(args):
        raise FormatError(f"{where}: expected {len(args)} items, got {len(items)}")
    return tuple(
        _decode(a, v, f"{where}[{i}]") for i, (a, v) in enumerate(zip(args, items, strict=True))
    )


def _decode_frozenset(args: tuple[Any, ...], data: object, where: str) -> object:
    return frozenset(_decode_items(args, data, where))


def _decode_items(args: tuple[Any, ...], data: object, where: str) -> list[object]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise FormatError(f"{where}: expected a list, got {type(data).__name__}")
    return [_decode(args[0], v, f"{where}[{i}]") for i, v in enumerate(cast("list[object]", data))]


def _decode_mapping(args: tuple[Any, ...], data: object, where: str) -> object:
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise FormatError(f"{where}: expected an object, got {type(data).__name__}")
    mapping = cast("Mapping[str, object]", data)
    return {k: _decode(args[1], v, f"{where}.{k}") for k, v in mapping.items()}


_DECODERS: dict[Any, Callable[[tuple[Any, ...], object, str], object]] = {
    tuple: _decode_tuple,
    frozenset: _decode_frozenset,
    dict: _decode_mapping,
    Mapping: _decode_mapping,
}


_SHAPES: dict[Any, dict[str, tuple[Field[Any], Any]]] = {}


def _shape(cls: Any) -> dict[str, tuple[Field[Any], Any]]:  # noqa: ANN401
    if cls not in _SHAPES:
        _SHAPES[cls] = _read_shape(cls)
    return _SHAPES[cls]


def _read_shape(cls: Any) -> dict[str, tuple[Field[Any], Any]]:  # noqa: ANN401
    hints = get_type_hints(cls)
    return {f.metadata.get("json") or json_name(f.name): (f, hints[f.name]) for f in fields(cls)}


def _decode_object(cls: type[Any], data: object, where: str) -> object:
    if not isinstance(data, Mapping):
        raise FormatError(f"{where}: expected an object, got {type(data).__name__}")
    given = cast("Mapping[str, object]", data)
    shape = _shape(cls)
    if unknown := sorted(set(given) - set(shape)):
        raise FormatError(f"{where}: unknown field {unknown[0]!r}")
    values = {
        f.name: _decode(hint, given[name], f"{where}.{name}")
        for name, (f, hint) in shape.items()
        if name in given
    }
    required = (
        name
        for name, (f, _) in shape.items()
        if name not in given and f.default is MISSING and f.default_factory is MISSING
    )
    if (missing := next(required, None)) is not None:
        raise FormatError(f"{where}: field {missing!r} is missing")
    return cls(**values)
