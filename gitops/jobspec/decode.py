"""Walks the tables of the language over a syntax tree: blocks in, API-shaped data and places out.

Every problem is noted and the walk goes on, so that all errors of a file are seen at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias, TypeVar, cast

from gitops.diagnostics import did_you_mean
from gitops.jobspec.dynamic import expanded
from gitops.jobspec.expressions import evaluate
from gitops.jobspec.schema.rows import Decoded, Row, Shape, Table, duration
from gitops.jobspec.scope import Scope
from gitops.jobspec.sensitive import HIDDEN, Hider
from gitops.jobspec.syntax import (
    Attribute,
    Block,
    Expression,
    Fault,
    Label,
    ObjectOf,
    Problems,
    Span,
)
from gitops.jobspec.values import Value, ValueFault

Path: TypeAlias = "tuple[str | int, ...]"
_Result = TypeVar("_Result")


@dataclass(slots=True)
class Decoder:
    """Decodes blocks by their tables; `places` says where each part of the result was written."""

    problems: Problems
    places: dict[Path, Span] = field(default_factory=dict[Path, Span])
    hider: Hider = field(default_factory=Hider)

    def decode(self, table: Table, block: Block, scope: Scope, path: Path) -> dict[str, object]:
        """Return the data of one block, with every field of its table."""
        data: dict[str, object] = {r.field: r.default for r in table.rows} | dict(table.constants)
        self.places[path] = block.span
        self._label(table, block.labels, data, path)
        rows = {r.name: r for r in table.rows}
        for item, inner in self._items(block, scope):
            row = rows.get(item.name if isinstance(item, Attribute) else item.type)
            if row is None:
                self.problems.add(_unknown(table, item, rows))
            else:
                self._row(row, _Item(item, inner), data, path)
        if table.finish:
            own = {f: self.places[(*path, f)] for f in data if (*path, f) in self.places}
            table.finish(Decoded(data, own, block.span))
        return data

    def _items(self, block: Block, scope: Scope) -> Iterator[tuple[Attribute | Block, Scope]]:
        for item in block.body.items:
            if isinstance(item, Block) and item.type == "dynamic":
                yield from self._dynamic(item, scope)
            else:
                yield item, scope

    def _dynamic(self, block: Block, scope: Scope) -> Iterator[tuple[Block, Scope]]:
        try:
            blocks, touched = _watched(lambda: list(expanded(block, scope)), scope, "dynamic")
            if touched and block.body.attribute("labels"):
                detail = "Labels are shown everywhere. Use another variable."
                raise Fault(block.span, "A sensitive value can't be a label", detail)
        except Fault as e:
            self.problems.add(e)
            return
        for each in blocks:
            self.hider.inherited += touched
            try:
                yield each
            finally:
                self.hider.inherited -= touched

    def _label(
        self, table: Table, labels: tuple[Label, ...], data: dict[str, object], path: Path
    ) -> None:
        wanted = 1 if table.label else 0
        if labels[wanted:]:
            detail = f"{table.name} takes {'one label' if wanted else 'no label'}."
            self.problems.add(Fault(labels[wanted].span, "One label too many", detail))
        if wanted and labels:
            data[table.label] = labels[0].text
            self.places[(*path, table.label)] = labels[0].span
        elif wanted and not table.optional_label:
            detail = f'Write {table.name} "name" {{ … }}.'
            self.problems.add(Fault(self.places[path], "The label is missing", detail))
            data[table.label] = ""  # what finishes a table counts on it

    def _row(self, row: Row, item: _Item, data: dict[str, object], path: Path) -> None:
        here = (*path, row.field)
        try:
            if row.shape is Shape.MAP:
                self._map(row, item, data, here)
            elif row.table is not None:
                self._nested(row, row.table, item, data, path)
            else:
                data[row.field] = self._argument(row, item, here)
                self.places[here] = item.node.span
        except Fault as e:
            self.problems.add(e)

    def _argument(self, row: Row, item: _Item, here: Path) -> object:
        node = item.node
        if isinstance(node, Block):
            detail = f"Write `{row.name} = …`."
            raise Fault(node.type_span, f'"{row.name}" is an argument, not a block', detail)
        value, touched = _converted(row, node, item.scope)
        if touched or self.hider.inherited:
            return self.hider.hidden(value, here, node.span)
        return value

    def _map(self, row: Row, item: _Item, data: dict[str, object], here: Path) -> None:
        node = item.node
        if here in self.places:
            span = node.name_span if isinstance(node, Attribute) else node.type_span
            raise Fault(span, f'"{row.name}" is given twice', "Put all of it into one.")
        self.places[here] = node.span
        if isinstance(node, Attribute):
            data[row.field] = self._map_argument(row, node, item.scope, here)
            return
        hidden: dict[Path, Span] = {}
        found = self._free(node, item.scope, here, hidden)
        for name, value in list(found.items()):
            try:
                row.kind({name: value})
            except ValueFault as e:
                span = self.places[(*here, name)]
                detail = HIDDEN if any(p[len(here)] == name for p in hidden) else f"{e}."
                self.problems.add(Fault(span, f'Invalid "{name}" in {row.name}', detail))
                del found[name]
        whole = row.kind(found)
        for path, span in hidden.items():
            whole = self.hider.hidden_below(whole, path[len(here) :], here, span)
        data[row.field] = whole

    def _map_argument(self, row: Row, node: Attribute, scope: Scope, here: Path) -> object:
        """Return a map that is written as an object: of that, single values may be sensitive."""
        value, touched = _converted(row, node, scope)
        if not (touched or self.hider.inherited):
            return value
        names = _sensitive_names(node.value, scope)
        if names is None or self.hider.inherited:
            return self.hider.hidden(value, here, node.span)
        for name in names:
            value = self.hider.hidden_below(value, (name,), here, node.span)
        return value

    def _free(
        self, block: Block, scope: Scope, here: Path, hidden: dict[Path, Span]
    ) -> dict[str, Value]:
        """Return what stands in a block without a form; nested blocks are lists of maps.

        The places of what is sensitive come to `hidden`.
        """
        out: dict[str, Value] = {}
        for item, inner in self._items(block, scope):
            if isinstance(item, Attribute):
                try:
                    out[item.name], touched = _evaluated(item, inner)
                except Fault as e:
                    self.problems.add(e)
                    continue
                self.places[(*here, item.name)] = item.span
                if touched or self.hider.inherited:
                    hidden[(*here, item.name)] = item.span
            else:
                self.places[(*here, item.type)] = item.span
                value: Value = self._free(item, inner, (*here, item.type), hidden)
                for label in reversed(item.labels):
                    value = {label.text: (value,)}
                earlier = out.get(item.type, ())
                out[item.type] = (*earlier, value) if isinstance(earlier, tuple) else (value,)
        return out

    def _nested(
        self, row: Row, table: Table, item: _Item, data: dict[str, object], path: Path
    ) -> None:
        node = item.node
        if isinstance(node, Attribute):
            detail = f"Write `{row.name} {{ … }}`."
            raise Fault(node.name_span, f'"{row.name}" is a block, not an argument', detail)
        here = (*path, row.field)
        if row.shape is Shape.BLOCK:
            self._check_once(row, node, here)
            data[row.field] = self.decode(table, node, item.scope, here)
        elif row.shape is Shape.KEYED:
            key = node.labels[0].text if node.labels else ""
            self._check_once(row, node, (*here, key))
            kept = _as_map(data, row.field)
            kept[key] = self.decode(table, node, item.scope, (*here, key))
        else:
            items = _as_list(data, row.field)
            if node.labels:  # also found by its label
                self.places[(*here, node.labels[0].text)] = node.span
            items.append(self.decode(table, node, item.scope, (*here, len(items))))

    def _check_once(self, row: Row, node: Block, here: Path) -> None:
        if here in self.places:
            line, _ = self.problems.source.place(self.places[here].start)
            detail = f"The first one is on line {line}. Put both into one."
            raise Fault(node.span, f'A second "{row.name}" block', detail)


@dataclass(frozen=True, slots=True)
class _Item:
    node: Attribute | Block
    scope: Scope


def _as_list(data: dict[str, object], name: str) -> list[object]:
    if data[name] is None:
        data[name] = []
    return cast("list[object]", data[name])


def _as_map(data: dict[str, object], name: str) -> dict[str, object]:
    if data[name] is None:
        data[name] = {}
    return cast("dict[str, object]", data[name])


def _watched(work: Callable[[], _Result], scope: Scope, name: str) -> tuple[_Result, bool]:
    """Return what evaluating something comes to, and whether that has used a sensitive variable."""
    scope.notes.touched = False
    try:
        found = work()
    except Fault as e:
        if scope.notes.touched:
            raise Fault(e.span, f'Invalid value of "{name}"', HIDDEN) from None
        raise
    return found, scope.notes.touched


def _evaluated(node: Attribute, scope: Scope) -> tuple[Value, bool]:
    return _watched(lambda: evaluate(node.value, scope), scope, node.name)


def _converted(row: Row, node: Attribute, scope: Scope) -> tuple[object, bool]:
    """Return an argument's value as its row has it, and whether it is sensitive."""
    value, touched = _evaluated(node, scope)
    if value is None and row.kind is not duration:
        return row.default, touched
    try:
        return row.kind(value), touched
    except ValueFault as e:
        detail = HIDDEN if touched else f"{e}."
        raise Fault(node.value.span, f'Invalid value of "{row.name}"', detail) from None


def _sensitive_names(node: Expression, scope: Scope) -> list[str] | None:
    """Return under which names of an object there are sensitive values; None where that is all."""
    if not isinstance(node, ObjectOf):
        return None
    names: list[str] = []
    for key, value in node.items:
        name, touched = _watched(partial(evaluate, key, scope), scope, "name")
        if touched:
            return None
        _, touched = _watched(partial(evaluate, value, scope), scope, str(name))
        names += [str(name)] * touched
    return names


def _unknown(table: Table, item: Attribute | Block, rows: Mapping[str, Row]) -> Fault:
    name, span, noun = (
        (item.name, item.name_span, "argument")
        if isinstance(item, Attribute)
        else (item.type, item.type_span, "block")
    )
    detail = did_you_mean(name, rows)
    return Fault(span, f'Unknown {noun} "{name}" in {table.name}', detail)
