"""Parts of docs/jobspec.md, printed from the tables that decode the job language. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import fill

from gitops.jobspec import features
from gitops.jobspec.features import FEATURES, Feature
from gitops.jobspec.functions import functions
from gitops.jobspec.schema import rows
from gitops.jobspec.schema.job import GROUP, JOB
from gitops.jobspec.schema.network import NETWORK
from gitops.jobspec.schema.rows import Row, Shape, Table
from gitops.jobspec.schema.service import CHECK, SERVICE
from gitops.jobspec.schema.task import TASK
from tests.docs.language_defaults import default_text

_PART = re.compile(r"(<!-- (\w+) -->).*?(<!-- /\2 -->)", re.DOTALL)
# The tables whose rows the features of each scope point at.
_SCOPES: tuple[tuple[Table, tuple[Feature, ...]], ...] = (
    (JOB, features.JOB),
    (GROUP, features.GROUP),
    (TASK, features.TASK),
    (NETWORK, features.NETWORK),
    (SERVICE, features.SERVICE),
    (CHECK, features.CHECK),
)
# What each kind of value is called.
_KINDS: dict[object, str] = {
    rows.string: "string",
    rows.whole: "whole number",
    rows.real: "number",
    rows.flag: "bool",
    rows.duration: "duration",
    rows.strings: "list of strings",
    rows.wholes: "list of whole numbers",
    rows.texts_by_name: "map of strings",
    rows.lists_by_name: "map of lists",
    rows.free: "map",
    rows.anything: "any",
}


def printed(page: str) -> str:
    """Return the page with its marked parts printed anew; its prose stays."""
    parts = {
        "features": "".join(f"- {_ticked(f.name)}\n" for f in _once(FEATURES) if not f.part),
        "parts": "".join(f"- {_ticked(f.name)}: {f.part}\n" for f in FEATURES if f.part),
        "functions": _function_lists(),
        "blocks": "\n".join(_section(table, path) for table, path in _tables()),
    }
    return _PART.sub(lambda m: f"{m[1]}\n{parts[m[2]]}{m[3]}", page)


def _function_lists() -> str:
    offered = ", ".join(f"`{n}`" for n in sorted(functions()))
    return f"{fill(f'Functions: {offered}.', 100, break_on_hyphens=False)}\n"


def _ticked(feature: str) -> str:
    name, _, more = feature.partition(" ")
    return f"`{name}` {more}".rstrip()


def _once(found: Iterable[Feature]) -> Iterable[Feature]:
    return {f.name: f for f in found}.values()


def _tables() -> Iterator[tuple[Table, list[str]]]:
    """Yield each table once, in the order of the language, with the blocks it stands in."""
    places: dict[int, list[str]] = {}
    found: dict[int, Table] = {}
    queue: list[tuple[Table, str]] = [(JOB, "")]
    while queue:
        table, above = queue.pop(0)
        places.setdefault(id(table), []).append(above)
        if id(table) not in found:
            found[id(table)] = table
            queue += [(row.table, table.name) for row in table.rows if row.table]
    for key, table in found.items():
        yield table, [p for p in dict.fromkeys(places[key]) if p]


def _asked() -> dict[tuple[int, str], list[Feature]]:
    """Return the features by table and field."""
    found: dict[tuple[int, str], list[Feature]] = {}
    for table, asked in _SCOPES:
        for feature in asked:
            *blocks, last = feature.field.split(".")
            inner = table
            for name in blocks:
                inner = next(r.table for r in inner.rows if r.field == name and r.table)
            found.setdefault((id(inner), last), []).append(feature)
    return found


def _section(table: Table, above: list[str]) -> str:
    label = f' "{table.label.lower()}"' if table.label else ""
    where = f"In {', '.join(f'`{a}`' for a in above)}.\n\n" if above else ""
    if not table.rows:
        return f"### `{table.name}{label}`\n\n{where}It is empty.\n"
    asked = _asked()
    lines = [_line(table, row, asked.get((id(table), row.field), [])) for row in table.rows]
    head = "| name | is | default | limits | orch |\n|---|---|---|---|---|\n"
    return f"### `{table.name}{label}`\n\n{where}{head}" + "\n".join(lines) + "\n"


def _line(table: Table, row: Row, asked: list[Feature]) -> str:
    kind = _KINDS.get(row.kind, "value")
    shape = kind if row.shape in (Shape.ARGUMENT, Shape.MAP) else row.shape.value
    cells = [
        f"`{row.name}`",
        shape,
        default_text(table, row),
        row.note.replace("|", "\\|"),
        "; ".join(_honoured(row, f) for f in asked),
    ]
    return re.sub(r" +", " ", f"| {' | '.join(cells)} |")


def _honoured(row: Row, feature: Feature) -> str:
    if feature.name.rpartition(".")[2] == row.name:
        return f"in part: {feature.part}" if feature.part else "not yet"
    return f"in part: {feature.name}" if feature.part else f"not yet: {feature.name}"
