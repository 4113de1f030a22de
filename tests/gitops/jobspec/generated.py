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
    kinds.wholes: st.lists(st.integers(0, 9), max_size=2),
    kinds.anything: st.just(True),
    kinds.texts_by_name: st.dictionaries(NAMES, WORDS, max_size=2),
    kinds.lists_by_name: st.dictionaries(NAMES, st.lists(WORDS, max_size=2), max_size=2),
    kinds.free: st.dictionaries(NAMES, WORDS | st.integers(0, 9) | st.booleans(), max_size=2),
}


def _block(draw: st.DrawFn, table: Table, name: str, depth: int) -> str:
    """A block of a table: some of its rows, each with a value of its kind."""
    most = 5 if table.name in ("job", "group", "task") else 2
    chosen = draw(st.lists(st.integers(0, len(table.rows) - 1), max_size=most, unique=True))
    label = f' "{draw(NAMES)}"' if table.label else ""
    lines = [_item(draw, table.rows[i], depth) for i in chosen]
    return f"{name}{label} {{\n{''.join(lines)}}}\n"


def _item(draw: st.DrawFn, row: Row, depth: int) -> str:
    if row.table is None:
        return f"{row.name} = {json.dumps(draw(_LITERALS[row.kind]), ensure_ascii=False)}\n"
    if not depth or not row.table.rows:
        return ""
    times = 2 if row.shape is Shape.BLOCKS and draw(st.booleans()) else 1
    return "".join(_block(draw, row.table, row.name, depth - 1) for _ in range(times))


@st.composite
def hcl_specs(draw: st.DrawFn) -> str:
    """A spec; whether the job is valid is left open."""
    return _block(draw, JOB, "job", 4)
