"""Values as the text a field diff shows: scalars rendered, maps flattened. Compares nothing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import Field, fields
from functools import cache
from typing import Any, cast

from planner.codec import json_name
from planner.fields import Shape, shape_of

Flat = dict[str, str]


def text(value: object) -> str:
    """Render a scalar: booleans in lower case, whole floats without a fraction, None as nil."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def flat_map(values: Mapping[str, object]) -> Flat:
    """Flatten free data down to its leaves: ``args[0]``, ``labels[0][a]``."""
    out: Flat = {}
    for key, value in values.items():
        _flatten(out, key, value)
    return out


def _flatten(out: Flat, name: str, value: object) -> None:
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, object]", value).items():
            _flatten(out, f"{name}[{key}]", item)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(cast("list[object]", value)):
            _flatten(out, f"{name}[{i}]", item)
    else:
        out[name] = text(value)


def scalars(values: Mapping[str, object], skip: frozenset[str]) -> Flat:
    """Return only the scalar entries of a map that stands for a block, and those of its meta."""
    shown = {n: v for n, v in values.items() if n not in skip}
    meta = shown.get("Meta")
    out = flat_map({"Meta": cast("object", meta)}) if isinstance(meta, Mapping) else {}
    plain = {n: text(v) for n, v in shown.items() if isinstance(v, str | int | float)}
    return {**plain, **out}


def flat(
    value: Any,  # noqa: ANN401
    skip: frozenset[str] = frozenset(),
    *,
    optional: bool = True,
) -> Flat:
    """Flatten plain fields and maps of a dataclass or None, without blocks and hidden fields.

    Without `optional`, values that may be absent are hidden.
    """
    if value is None:
        return {}
    cls = cast("type[object]", type(value))
    shape = shape_of(cls)
    out: Flat = {}
    for f in _plain(cast("Hashable", cls)):
        if f.name not in skip and (optional or not _is_optional(f)):
            _add(out, f, getattr(value, f.name), shape)
    return out


@cache
def _plain(cls: Hashable) -> tuple[Field[Any], ...]:
    shape = shape_of(cast("type[object]", cls))
    hidden = shape.skip | {b.attr for b in shape.blocks}
    return tuple(f for f in fields(cast("Any", cls)) if f.name not in hidden)


def _add(out: Flat, f: Field[Any], value: object, shape: Shape) -> None:
    name = f.metadata.get("json") or json_name(f.name)
    if isinstance(value, Mapping):
        out.update(flat_map({f"{name}[{k}]": v for k, v in _entries(cast("object", value))}))
    elif f.name in shape.joined:
        if value:
            out[name] = ",".join(cast("tuple[str, ...]", value))
    elif _is_optional(f):
        _add_optional(out, name, value, shape)
    elif isinstance(value, str | int | float):
        out[name] = text(value)


def _is_optional(f: Field[Any]) -> bool:
    return "None" in str(f.type)


def _entries(value: object) -> list[tuple[str, object]]:
    return list(cast("Mapping[str, object]", value).items())


def _add_optional(out: Flat, name: str, value: object, shape: Shape) -> None:
    if isinstance(value, str | int | float):
        out[name] = text(value)
    elif value is None and shape.nil is not None:
        out[name] = shape.nil
