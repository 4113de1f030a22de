"""The JSON schemas of all outputs, made from the types in gitops/view/shapes.py."""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from gitops.view.formats import FORMATS
from gitops.view.outputs import SHAPES
from gitops.view.shapes import Joined
from planner.codec import json_name

FOLDER = Path(__file__).resolve().parents[2] / "docs/schema"
FINGERPRINTS = FOLDER / "fingerprints.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_LISTS = (list, tuple, frozenset, Sequence)
_MAPS = (dict, Mapping)

Schema = dict[str, Any]


def schema(name: str) -> Schema:
    """The schema of one output."""
    maker = _Maker()
    top = maker.of(SHAPES[name])
    made = {"$schema": DIALECT, "$id": f"urn:orch:schema:{name}:{FORMATS[name]}", **top}
    return {**made, "$defs": dict(sorted(maker.defs.items()))} if maker.defs else made


def written(made: Schema) -> str:
    """A schema as its file has it."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def fingerprint(made: Schema) -> str:
    """A digest of what a schema says; descriptions do not count."""
    text = json.dumps(_bare(made), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def strict(made: Schema) -> Schema:
    """The schema under which keys that it does not name are wrong, as readers would not have it."""
    return cast("Schema", _closed(made))


def write() -> None:
    """Write all schemas, and fingerprints of new versions; those that are there stay."""
    known: dict[str, dict[str, str]] = json.loads(FINGERPRINTS.read_text())
    for name, version in FORMATS.items():
        made = schema(name)
        (FOLDER / f"{name}.json").write_text(written(made))
        known.setdefault(name, {}).setdefault(version, fingerprint(made))
    FINGERPRINTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def own_keys(shape: Any) -> set[str]:  # noqa: ANN401
    """All keys of the shapes that a shape is made of; those of the planner's values not."""
    if is_typeddict(shape):
        hints = get_type_hints(shape)
        return set(hints) | {k for hint in hints.values() for k in own_keys(hint)}
    return {k for part in get_args(shape) for k in own_keys(part)}


@dataclass(slots=True)
class _Maker:
    """Makes one schema; `defs` fills with the objects that it consists of."""

    defs: dict[str, Schema] = field(default_factory=dict[str, Schema])
    made: dict[str, Any] = field(default_factory=dict[str, Any])

    def of(self, hint: Any) -> Schema:  # noqa: ANN401
        """The schema of a type."""
        origin, args = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._marked(args[1])
        if origin is NotRequired:
            return self.of(args[0])
        if origin in (Union, types.UnionType):
            return self._any(args)
        return self._many(origin, args) if origin in (*_LISTS, *_MAPS) else self._named(hint)

    def _many(self, origin: Any, args: tuple[Any, ...]) -> Schema:  # noqa: ANN401
        if origin in _LISTS:
            return {"type": "array", "items": self.of(args[0])}
        return {"type": "object", "additionalProperties": self.of(args[1])}

    def _marked(self, mark: Any) -> Schema:  # noqa: ANN401
        if not isinstance(mark, Joined):
            return self.of(mark)
        out: Schema = {"type": "object", "properties": {}, "required": []}
        for part in mark.parts:
            more = self._object(part)
            out["properties"] |= more["properties"]
            out["required"] += more["required"]
        return {**out, "required": sorted(set(out["required"]))}

    def _any(self, args: tuple[Any, ...]) -> Schema:
        options = [self.of(a) for a in args]
        if all(set(o) == {"type"} for o in options):
            return {"type": [o["type"] for o in options]}
        return {"anyOf": options}

    def _named(self, hint: Any) -> Schema:  # noqa: ANN401
        if get_origin(hint) is Literal:
            return {"enum": list(get_args(hint))}
        if hint in (Any, object):
            return {}
        if hint in _SCALARS:
            return {"type": _SCALARS[hint]}
        if issubclass(hint, Enum):
            return {"enum": [m.value for m in hint]}
        name = hint.__name__
        assert self.made.setdefault(name, hint) is hint, f"two shapes are called {name}"
        if name not in self.defs:
            self.defs[name] = {}  # it may contain itself
            self.defs[name] = self._object(hint)
        return {"$ref": f"#/$defs/{name}"}

    def _object(self, shape: Any) -> Schema:  # noqa: ANN401
        keys = self._value_keys(shape) if is_dataclass(shape) else self._own_keys(shape)
        about = (shape.__doc__ or "").partition("\n")[0]
        return {
            "type": "object",
            **({"description": about} if about else {}),
            "properties": {name: made for name, made, _ in keys},
            "required": sorted(name for name, _, needed in keys if needed),
        }

    def _own_keys(self, shape: Any) -> list[tuple[str, Schema, bool]]:  # noqa: ANN401
        hints = get_type_hints(shape, include_extras=True)
        return [(n, self.of(h), get_origin(h) is not NotRequired) for n, h in hints.items()]

    def _value_keys(self, shape: Any) -> list[tuple[str, Schema, bool]]:  # noqa: ANN401
        hints = get_type_hints(shape)
        return [self._value_key(f, hints[f.name]) for f in fields(shape)]

    def _value_key(self, f: Field[Any], hint: Any) -> tuple[str, Schema, bool]:  # noqa: ANN401
        made = self.of(hint)
        brief = bool(f.metadata.get("omitempty"))
        may_be_empty = f.default is not MISSING or f.default_factory is not MISSING
        is_many = get_origin(hint) in (*_LISTS, *_MAPS)
        if is_many and may_be_empty and not brief and "free" not in f.metadata:
            made = {**made, "type": [made["type"], "null"]}
        return f.metadata.get("json") or json_name(f.name), made, not brief


def _bare(part: Any) -> Any:  # noqa: ANN401
    if isinstance(part, list):
        return [_bare(p) for p in cast("list[object]", part)]
    return _without_words(cast("Schema", part)) if isinstance(part, dict) else part


def _without_words(part: Schema) -> Schema:
    # A key of an output may be called so too: its schema is no text.
    kept = {k: v for k, v in part.items() if k != "description" or not isinstance(v, str)}
    return {k: _bare(v) for k, v in kept.items() if k != "$id"}


def _closed(part: Any) -> Any:  # noqa: ANN401
    if isinstance(part, list):
        return [_closed(p) for p in cast("list[object]", part)]
    return _closed_object(cast("Schema", part)) if isinstance(part, dict) else part


def _closed_object(part: Schema) -> Schema:
    out = {k: _closed(v) for k, v in part.items()}
    is_shape = isinstance(part.get("properties"), dict) and isinstance(part.get("required"), list)
    return {**out, "additionalProperties": False} if is_shape else out
