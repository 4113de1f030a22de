"""Job specs in JSON, as the API has them: ``{"Job": {…}}`` or the job alone. Evaluates nothing.

Read by the tables that decode HCL too: each object is what its block would have become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import cast

from gitops.diagnostics import did_you_mean
from gitops.jobspec.decode import Path
from gitops.jobspec.json_value import JsonPlaces, read_value
from gitops.jobspec.schema import rows as kinds
from gitops.jobspec.schema.job import JOB
from gitops.jobspec.schema.network import PORT
from gitops.jobspec.schema.rows import Row, Shape, Table
from gitops.jobspec.syntax import Fault, Problems, Source, Span
from gitops.jobspec.values import Value, ValueFault, article, plain

# JSON says by itself what is text and what is a number: none is taken for another.
_WRITTEN: Mapping[object, tuple[str, tuple[type, ...]]] = {
    kinds.string: ("a string", (str,)),
    kinds.flag: ("a bool", (bool,)),
    kinds.whole: ("a whole number", (int,)),
    kinds.duration: ('a whole number of nanoseconds, or a string such as "30s",', (int, str)),
}
_OF_STRINGS: Mapping[object, str] = {
    kinds.strings: "a list of strings",
    kinds.texts_by_name: "an object of strings",
}


def parse_json_spec(
    source: Source, problems: Problems
) -> tuple[dict[str, object], dict[Path, Span]]:
    """Return the job data of a JSON spec, and the places of its parts.

    What is wrong with parts goes into `problems`; what can't be read at all raises `Fault`.
    """
    value = _value(source)
    try:
        places = JsonPlaces(source.text)
    except ValueFault as e:
        raise Fault(None, "The spec is nested too deeply", f"{e}.") from None
    base: Path = ()
    if isinstance(value, dict) and isinstance(value.get("Job"), dict):
        value, base = value["Job"], ("Job",)
    if not isinstance(value, dict):
        raise Fault(None, "A job is expected", 'Write {"Job": {"ID": …}}.')
    if "ID" not in value and "Name" not in value:
        detail = 'A JSON spec has the API\'s names: {"Job": {"ID": "name", "TaskGroups": [ … ]}}.'
        raise Fault(None, "The job has no ID", detail)
    reader = _Reader(problems, places, base)
    data = reader.table(JOB, value, ())
    reader.check_repeated()
    return data, _relative(reader)


def _value(source: Source) -> Value:
    try:
        return read_value(source.text.removeprefix("\ufeff"))
    except ValueFault as e:
        shift = int(source.text.startswith("\ufeff"))
        at = e.__context__.pos + shift if isinstance(e.__context__, JSONDecodeError) else None
        span = None if at is None else Span(at, at + 1)
        raise Fault(span, "This spec cannot be read", f"{e}.") from None


def _relative(reader: _Reader) -> dict[Path, Span]:
    """Return the places of the job's parts; those of ports also as an HCL spec has them."""
    cut = len(reader.base)
    values = reader.places.values
    found = {p[cut:]: s for p, s in values.items() if p[:cut] == reader.base}
    return found | {port: found[path] for port, path in reader.ports.items()}


@dataclass(slots=True)
class _Reader:
    problems: Problems
    places: JsonPlaces
    base: Path
    ports: dict[Path, Path] = field(default_factory=dict[Path, Path])

    def table(self, table: Table, given: Mapping[str, Value], path: Path) -> dict[str, object]:
        """Return the data of an object, with every field of its table."""
        rows = table.fields
        data: dict[str, object] = {f: r.default for f, r in rows.items()}
        data |= table.constants
        if table.label:
            data.setdefault(table.label, None)
        if table is PORT:
            self.ports[*path[:-2], "_ports", str(given.get("Label") or "")] = path
        rows |= {r.field: r for r in table.sparse}
        for given_name, value in given.items():
            name = table.also.get(given_name, given_name)
            here = (*path, given_name)
            if name in rows:
                self._field(rows[name], value, data, here)
            elif name in table.constants or name == table.label:
                data[name] = plain(value)
            elif name not in table.unread:
                self._unknown(table, name, here)
        return data

    def _field(self, row: Row, value: Value, data: dict[str, object], here: Path) -> None:
        if value is None:
            return
        try:
            data[row.field] = self._read(row, value, here)
        except ValueFault as e:
            self._wrong(here, f'Invalid value of "{shown(here)}"', f"{e}.")

    def _read(self, row: Row, value: Value, here: Path) -> object:
        if row.table is None:
            return _converted(row, value)
        if row.shape is Shape.BLOCK:
            return self._part(row.table, value, here)
        if row.shape is Shape.KEYED:
            named = _object(value).items()
            return {k: self._part(row.table, v, (*here, k), label=k) for k, v in named}
        if not isinstance(value, tuple):
            raise ValueFault(f"a list is required, not {article(value)}")
        return [self._part(row.table, v, (*here, i)) for i, v in enumerate(value)]

    def _part(
        self, table: Table, value: Value, here: Path, label: str | None = None
    ) -> dict[str, object]:
        if not isinstance(value, dict):
            detail = f"an object is required, not {article(value)}."
            self._wrong(here, f'Invalid value of "{shown(here)}"', detail)
            return {}
        named: Mapping[str, Value] = {} if label is None else {table.label: label}
        return self.table(table, {**named, **value}, here)

    def _unknown(self, table: Table, name: str, here: Path) -> None:
        known = {*table.fields, *table.constants}
        span = self.places.names.get((*self.base, *here))
        where = shown(here[:-1])
        summary = f'Unknown field "{name}"' + (f" in {where}" if where else "")
        self.problems.add(Fault(span, summary, did_you_mean(name, known)))

    def _wrong(self, here: Path, summary: str, detail: str) -> None:
        self.problems.add(Fault(self.places.values.get((*self.base, *here)), summary, detail))

    def check_repeated(self) -> None:
        """Note members that an object has twice: which of them counts is a guess."""
        for path in self.places.repeated:
            summary = f'"{shown(path)}" is given twice'
            self.problems.add(Fault(self.places.names[path], summary, "Remove one of them."))


def shown(path: Path) -> str:
    """Return a path as one writes it: ``TaskGroups[0].Tasks[1].Config``."""
    words = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    return words.removeprefix(".")


def _converted(row: Row, value: Value) -> object:
    words, wanted = _WRITTEN.get(row.kind, ("", ()))
    if wanted and type(value) not in wanted:
        raise ValueFault(f"{words} is required, not {article(value)}")
    if row.kind is kinds.free:
        return plain(cast("Value", _object(value)))
    found = row.kind(value)
    if row.kind in _OF_STRINGS and plain(value) != found:
        raise ValueFault(f"{_OF_STRINGS[row.kind]} is required")
    return found


def _object(value: Value) -> Mapping[str, Value]:
    if not isinstance(value, dict):
        raise ValueFault(f"an object is required, not {article(value)}")
    return cast("Mapping[str, Value]", value)
