"""Dataclass ⇄ JSON with the field names of Nomad's API. Knows types, not meanings."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
# Takes plain data to a value of one type; made once for each type, because hints are slow to read.
_Decoder: TypeAlias = Callable[[Any], object]

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
    return _plain(value)


def _plain(value: object) -> Any:  # noqa: ANN401
    if type(value) in _ATOMS:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return _object_to_json(value)
    if isinstance(value, Mapping):
        mapping = cast("Mapping[object, object]", value)
        return {str(k): _plain(v) for k, v in mapping.items()}
    if isinstance(value, set | frozenset):
        return sorted(_plain(v) for v in cast("frozenset[object]", value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(v) for v in cast("Sequence[object]", value)]
    return value.value if isinstance(value, Enum) else value


_ATOMS = (str, int, bool, float, type(None))


@dataclass(frozen=True, slots=True)
class _Member:
    """A field as it is written."""

    name: str
    json: str
    omits_empty: bool
    free: bool


@cache
def _members(cls: Any) -> tuple[_Member, ...]:  # noqa: ANN401
    return tuple(
        _Member(f.name, _name(f), bool(f.metadata.get("omitempty")), "free" in f.metadata)
        for f in fields(cls)
    )


def _name(f: Field[Any]) -> str:
    return f.metadata.get("json") or json_name(f.name)


def _object_to_json(value: Any) -> dict[str, Any]:  # noqa: ANN401
    out: dict[str, Any] = {}
    for m in _members(cast("Any", type(value))):
        item: object = getattr(value, m.name)
        if m.omits_empty and not item:
            continue
        is_null = not m.free and _is_empty(item)
        out[m.json] = None if is_null else _plain(item)
    return out


def _is_empty(item: object) -> bool:
    return not item and isinstance(item, tuple | Mapping | frozenset)


class _Mismatch(Exception):  # noqa: N818 - internal: becomes a FormatError
    """Data does not fit; `path` grows on the way up."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.path = ""
        self.message = message

    def below(self, step: str) -> _Mismatch:
        self.path = step + self.path
        return self


def from_json(cls: type[T], data: object, where: str = "") -> T:
    """Build `cls` from JSON data made by `to_json`.

    Unknown names and wrong types raise `FormatError` naming the path; absent names take defaults.
    """
    try:
        return cast("T", _decoder(cast("Any", cls))(data))
    except _Mismatch as e:
        raise FormatError(f"{where or cls.__name__}{e.path}: {e.message}") from None


@cache
def _decoder(hint: Any) -> _Decoder:  # noqa: ANN401
    if hint is Any or hint is object:
        return lambda data: data
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union(get_args(hint))
    make = _MAKERS.get(origin)
    if make is not None:
        return make(get_args(hint))
    if is_dataclass(hint):
        return _object(cast("type[Any]", hint))
    return _enum(hint) if issubclass(hint, Enum) else _scalar(hint)


def _enum(hint: type[Enum]) -> _Decoder:
    def decode(data: Any) -> object:  # noqa: ANN401
        try:
            return hint(data)
        except ValueError:
            raise _Mismatch(f"{data!r} is not one of {[m.value for m in hint]}") from None

    return decode


def _scalar(hint: type[Any]) -> _Decoder:
    def decode(data: Any) -> object:  # noqa: ANN401
        if type(data) is hint:
            return data
        if hint is float and type(data) is int:
            return float(data)
        raise _Mismatch(f"expected {hint.__name__}, got {type(data).__name__}")

    return decode


def _union(options: tuple[Any, ...]) -> _Decoder:
    decoders = [_decoder(o) for o in options if o is not type(None)]
    nullable = type(None) in options

    def decode(data: Any) -> object:  # noqa: ANN401
        if data is None and nullable:
            return None
        last: _Mismatch | None = None
        for each in decoders:
            try:
                return each(data)
            except _Mismatch as e:
                last = e
        raise last or _Mismatch("null is not allowed")

    return decode


def _tuple(args: tuple[Any, ...]) -> _Decoder:
    if args[-1] is Ellipsis:
        items = _items(args[0])
        return lambda data: tuple(items(data))
    decoders = [_decoder(a) for a in args]

    def decode(data: Any) -> object:  # noqa: ANN401
        found = _items(Any)(data)
        if len(found) != len(decoders):
            raise _Mismatch(f"expected {len(decoders)} items, got {len(found)}")
        return tuple(_step(d, v, i) for i, (d, v) in enumerate(zip(decoders, found, strict=True)))

    return decode


def _step(decode: _Decoder, data: object, index: int) -> object:
    try:
        return decode(data)
    except _Mismatch as e:
        raise e.below(f"[{index}]") from None


def _frozenset(args: tuple[Any, ...]) -> _Decoder:
    items = _items(args[0])
    return lambda data: frozenset(items(data))


def _items(hint: Any) -> Callable[[Any], list[object]]:  # noqa: ANN401
    each = _decoder(hint)

    def decode(data: Any) -> list[object]:  # noqa: ANN401
        if data is None:
            return []
        items: list[object] = data
        if not isinstance(data, list):
            raise _Mismatch(f"expected a list, got {type(data).__name__}")
        return [_step(each, v, i) for i, v in enumerate(items)]

    return decode


def _mapping(args: tuple[Any, ...]) -> _Decoder:
    each = _decoder(args[1])

    def decode(data: Any) -> object:  # noqa: ANN401
        if data is None:
            return {}
        given: Mapping[str, object] = data
        if type(data) is not dict and not isinstance(data, Mapping):
            raise _Mismatch(f"expected an object, got {type(data).__name__}")
        out: dict[str, object] = {}
        for name, value in given.items():
            try:
                out[name] = each(value)
            except _Mismatch as e:
                raise e.below(f".{name}") from None
        return out

    return decode


_MAKERS: dict[Any, Callable[[tuple[Any, ...]], _Decoder]] = {
    tuple: _tuple,
    Sequence: lambda args: _tuple((*args, ...)),
    frozenset: _frozenset,
    dict: _mapping,
    Mapping: _mapping,
}


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a class by their names in JSON, and which of them have no default."""

    fields: Mapping[str, tuple[str, _Decoder]]
    required: tuple[str, ...]


def _read_shape(cls: Any) -> _Shape:  # noqa: ANN401
    hints = get_type_hints(cls)
    found = fields(cls)
    return _Shape(
        {_name(f): (f.name, _decoder(hints[f.name])) for f in found},
        tuple(_name(f) for f in found if f.default is MISSING and f.default_factory is MISSING),
    )


def _object(cls: type[Any]) -> _Decoder:
    # Read when it is needed, because classes may contain each other.
    shape = cache(_read_shape)
    hashable: Any = cls

    def decode(data: Any) -> object:  # noqa: ANN401
        given: Mapping[str, object] = data
        # The first test is the quick one, and nearly always enough.
        if type(data) is not dict and not isinstance(data, Mapping):
            raise _Mismatch(f"expected an object, got {type(data).__name__}")
        known = shape(hashable)
        values: dict[str, object] = {}
        for name, value in given.items():
            if name not in known.fields:
                first = min(set(given) - set(known.fields))
                raise _Mismatch(f"unknown field {first!r}")
            member, each = known.fields[name]
            try:
                values[member] = each(value)
            except _Mismatch as e:
                raise e.below(f".{name}") from None
        for name in known.required:
            if name not in given:
                raise _Mismatch(f"field {name!r} is missing")
        return cls(**values)

    return decode
