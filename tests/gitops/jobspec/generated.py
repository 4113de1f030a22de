"""Specs drawn from the tables of the job language, in HCL: any block, any argument."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hypothesis import strategies as st

from gitops.jobspec.schema import rows as kinds
from gitops.jobspec.schema.job import JOB
from gitops.jobspec.schema.rows import Row, Shape, Table

WORDS = st.sampled_from(["a", "b-c", "${attr.x}", "", "ü", 'q"uote', "1", "x y"])
NAMES = st.sampled_from(["a", "b", "c_d", "e-f"])
_LITERALS: Mapping[object, st.SearchStrategy[object]] = {
    kinds.string: WORDS,
    kinds.whole: st.integers(0, 9),
    kinds.real: st.integers(0, 9),
    kinds.flag: st.booleans(),
    kinds.duration: st.sampled_from(["5s", "1m30s", 7]),
    kinds.strings: st.lists(WORDS, max_size=2),
    kinds.texts_by_name: st.dictionaries(NAMES, WORDS, max_size=2),
    kinds.lists_by_name: st.dictionaries(NAMES, st.lists(WORDS, max_size=2), max_size=2),
    kinds.free: st.dictionaries(NAMES, WORDS | st.integers(0, 9) | st.booleans(), max_size=2),
}


@st.composite
def blocks(draw: st.DrawFn, table: Table, name: str = "", depth: int = 4) -> str:
    """A block of a table: some of its rows, each with a value of its kind."""
    count = {"job": (2, 8), "group": (1, 6), "task": (1, 8)}.get(table.name, (0, 4))
    chosen = draw(st.lists(st.sampled_from(table.rows), min_size=count[0], max_size=count[1]))
    label = f' "{draw(NAMES)}"' if table.label else ""
    once: dict[str, Row] = {r.name: r for r in chosen}
    lines = [draw(_item(row, depth)) for row in once.values()]
    return f"{name or table.name}{label} {{\n{''.join(lines)}}}\n"


@st.composite
def _item(draw: st.DrawFn, row: Row, depth: int) -> str:
    if row.table is None:
        return f"{row.name} = {json.dumps(draw(_LITERALS[row.kind]), ensure_ascii=False)}\n"
    if not depth:
        return ""
    times = draw(st.integers(1, 2)) if row.shape is Shape.BLOCKS else 1
    return "".join(draw(blocks(row.table, row.name, depth - 1)) for _ in range(times))


HCL_SPECS = blocks(JOB)
