"""Differences of fields and of nested blocks, driven by the table in `planner.fields`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from planner.difference import DiffType, FieldDiff, ObjectDiff
from planner.fields import Block, Match, shape_of
from planner.flat import Flat, flat, flat_map, scalars, text
from planner.pairing import Pair, by_key, by_likeness, by_name, by_position

# Maps without a form of their own, wherever they stand in a block.
_FREE_PARTS = frozenset({"Config", "Policy"})
# Lists in blocks that are compared item by item.
_ORDERED_PARTS = frozenset({"Links"})
_WEIGHT = {DiffType.EDITED: 0, DiffType.ADDED: 1, DiffType.DELETED: 2, DiffType.NONE: 3}

Content = tuple[tuple[FieldDiff, ...], tuple[ObjectDiff, ...]]
EMPTY: Content = ((), ())


def pair_type(old: object, new: object) -> DiffType:
    """Classify a pair of which one side may be missing (None or empty)."""
    if old == new:
        return DiffType.NONE
    if not old:
        return DiffType.ADDED
    return DiffType.EDITED if new else DiffType.DELETED


def field_diffs(old: Flat, new: Flat, contextual: bool) -> tuple[FieldDiff, ...]:
    """Compare flattened values, in byte order of names; with `contextual`, unchanged ones too."""
    names = sorted(old.keys() | new.keys(), key=str.encode)
    diffs = (_field(n, old.get(n, ""), new.get(n, "")) for n in names)
    return tuple(d for d in diffs if contextual or d.type is not DiffType.NONE)


def _field(name: str, old: str, new: str) -> FieldDiff:
    return FieldDiff(type=pair_type(old, new), name=name, old=old, new=new)


def block_diffs(old: Any, new: Any, contextual: bool) -> tuple[ObjectDiff, ...]:  # noqa: ANN401
    """Compare all blocks of two values of one class, either of which may be None."""
    cls = cast("type[object]", type(new if old is None else old))
    return tuple(
        diff
        for block in shape_of(cls).blocks
        for diff in _sorted(
            _block(
                block, getattr(old, block.attr, None), getattr(new, block.attr, None), contextual
            )
        )
    )


def _sorted(diffs: Iterable[ObjectDiff]) -> list[ObjectDiff]:
    return sorted(diffs, key=lambda d: (_WEIGHT[d.type], repr(d)))


def _block(block: Block, old: Any, new: Any, contextual: bool) -> list[ObjectDiff]:  # noqa: ANN401
    if (old or None) == (new or None):
        return _unchanged(block, old) if block.context and contextual else []
    if block.match is Match.STRINGS:
        return _set_diff(block.name, old or (), new or (), contextual)
    content = _free_content if block.is_free else _CONTENT.get(block.match, _object_content)
    pairs = _PAIRS.get(block.match, _single)(block, old, new)
    diffs = (_object(block, pair, content, contextual) for pair in pairs)
    return [d for d in diffs if d is not None]


def _unchanged(block: Block, values: Iterable[str] | None) -> list[ObjectDiff]:
    fields = tuple(_field(block.name, v, v) for v in sorted(values or ()))
    return [ObjectDiff(type=DiffType.NONE, name=block.name, fields=fields)] if fields else []


def _object(
    block: Block, pair: Pair, content: Callable[[Block, Any, Any, bool], Content], contextual: bool
) -> ObjectDiff | None:
    kind = pair_type(*pair)
    if kind is DiffType.NONE:
        return None
    fields, objects = content(block, *pair, contextual)
    kinds = {f.type for f in fields} - {DiffType.NONE}
    if kind is DiffType.EDITED and not objects and not kinds:
        return None
    if block.by_fields and len(kinds) == 1:
        (kind,) = kinds
    return ObjectDiff(type=kind, name=block.name, fields=fields, objects=objects)


def _object_content(block: Block, old: Any, new: Any, contextual: bool) -> Content:  # noqa: ANN401
    if isinstance(new or old, Mapping):
        return _struct_content(block, old, new, contextual)
    before, after = flat(old, block.skip), flat(new, block.skip)
    return field_diffs(before, after, contextual), block_diffs(old, new, contextual)


def _free_content(block: Block, old: Any, new: Any, contextual: bool) -> Content:  # noqa: ANN401
    before, after = _given(block, old or {}), _given(block, new or {})
    return field_diffs(flat_map(before), flat_map(after), contextual), ()


def _given(block: Block, values: Mapping[str, object]) -> Mapping[str, object]:
    """Leave out what an item of a list does not have; in a free map, null is a value."""
    if block.inside:
        return cast("Mapping[str, object]", values.get(block.inside) or {})
    return {k: v for k, v in values.items() if v is not None} if block.is_free else values


def _struct_content(block: Block, old: Any, new: Any, contextual: bool) -> Content:  # noqa: ANN401
    a, b = cast("dict[str, Any]", old or {}), cast("dict[str, Any]", new or {})
    fields = field_diffs(scalars(a, block.skip), scalars(b, block.skip), contextual)
    objects = (
        diff
        for name in sorted(a.keys() | b.keys())
        if name not in block.skip
        for diff in _sorted(_nested(block, name, (a.get(name), b.get(name)), contextual))
    )
    return fields, tuple(objects)


def _nested(outer: Block, name: str, pair: Pair, contextual: bool) -> list[ObjectDiff]:
    old, new = pair
    sample, shown = old or new, outer.parts.get(name, name)
    if isinstance(sample, Mapping):
        match = Match.FREE if name in _FREE_PARTS else Match.STRUCT
        inner = Block(attr="", name=shown, match=match, parts=outer.parts)
    elif isinstance(sample, list | tuple):
        items = cast("Sequence[object]", sample)
        is_set = not any(isinstance(i, Mapping) for i in items)
        other = Match.POSITION if name in _ORDERED_PARTS else Match.KEY
        match = Match.STRINGS if is_set else other
        inner = Block(attr="", name=shown, match=match, key=repr, context=is_set, parts=outer.parts)
        if is_set:
            old, new = _texts(old), _texts(new)
    else:
        return []
    found = _block(inner, old, new, contextual)
    # An empty part of a part that came or went is none.
    return [d for d in found if inner.context or _has_changed(d)]


def _has_changed(diff: ObjectDiff) -> bool:
    return bool(diff.objects) or any(f.type is not DiffType.NONE for f in diff.fields)


def _set_diff(
    name: str, old: Iterable[str], new: Iterable[str], contextual: bool
) -> list[ObjectDiff]:
    before, after = set(old), set(new)
    added = [_field(name, "", v) for v in sorted(after - before)]
    deleted = [_field(name, v, "") for v in sorted(before - after)]
    kept = [_field(name, v, v) for v in sorted(before & after)] if contextual else []
    if not added and not deleted:
        return []
    kind = DiffType.EDITED if added and deleted else (added or deleted)[0].type
    return [ObjectDiff(type=kind, name=name, fields=(*added, *deleted, *kept))]


def _texts(items: object) -> list[str]:
    return [text(i) for i in cast("Sequence[object]", items or ())]


def _single(_: Block, old: object, new: object) -> list[Pair]:
    return [(old, new)]


def _keyed(block: Block, old: Any, new: Any) -> list[Pair]:  # noqa: ANN401
    return by_key(old or (), new or (), block.key, sole=block.sole)


def _positioned(_: Block, old: Any, new: Any) -> list[Pair]:  # noqa: ANN401
    return by_position(old or (), new or ())


def _mapped(_: Block, old: Any, new: Any) -> list[Pair]:  # noqa: ANN401
    return by_name(old or {}, new or {})


def _likened(_: Block, old: Any, new: Any) -> list[Pair]:  # noqa: ANN401
    return by_likeness(old or (), new or ())


_PAIRS: dict[Match, Callable[[Block, Any, Any], list[Pair]]] = {
    Match.KEY: _keyed,
    Match.POSITION: _positioned,
    Match.MAP: _mapped,
    Match.SERVICES: _likened,
}
_CONTENT = {Match.FREE: _free_content, Match.STRUCT: _struct_content}
