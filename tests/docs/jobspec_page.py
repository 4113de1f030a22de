"""Parts of docs/jobspec.md, printed from the tables that decode the job language. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import fill

from gitops.jobspec import unsupported
from gitops.jobspec.functions import functions
from gitops.jobspec.schema import rows
from gitops.jobspec.schema.job import JOB
from gitops.jobspec.schema.rows import Row, Shape, Table

_PART = re.compile(r"(<!-- (\w+) -->).*?(<!-- /\2 -->)", re.DOTALL)
_FEATURES = ("_JOB", "_GROUP", "_TASK", "_NETWORK", "_SERVICE", "_CHECK")
# What each kind of value is called.
_KINDS: dict[object, str] = {
    rows.string: "string",
    rows.whole: "whole number",
    rows.real: "number",
    rows.flag: "bool",
    rows.duration: "duration",
    rows.strings: "list of strings",
    rows.texts_by_name: "map of strings",
    rows.lists_by_name: "map of lists",
    rows.free: "map",
    rows.anything: "any",
}


def printed(page: str) -> str:
    """Return the page with its marked parts printed anew; its prose stays."""
    parts = {
        "features": "".join(f"- {_ticked(name)}\n" for name in _unsupported()),
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


def _unsupported() -> Iterable[str]:
    groups = (vars(unsupported)[name] for name in _FEATURES)
    return dict.fromkeys(str(name) for group in groups for name, _ in group)


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


def _section(table: Table, above: list[str]) -> str:
    label = f' "{table.label.lower()}"' if table.label else ""
    where = f"In {', '.join(f'`{a}`' for a in above)}.\n\n" if above else ""
    lines = [_line(row) for row in table.rows]
    head = "| name | is | note |\n|---|---|---|\n"
    return f"### `{table.name}{label}`\n\n{where}{head}" + "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    kind = _KINDS.get(row.kind, "value")
    shape = kind if row.shape in (Shape.ARGUMENT, Shape.MAP) else row.shape.value
    note = row.note.replace("|", "\\|")
    return f"| `{row.name}` | {shape} | {note} |".replace("|  |", "| |")
