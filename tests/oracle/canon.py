"""Recorded and printed things in one order, so that only what matters is compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast

Json = Any

_MARK = re.compile(r"\s*(\+/-|\+|-)? *(.*)")
_DRY_RUN = "Scheduler dry-run:"


def text(value: Json) -> str:
    """JSON as text that shows differences line by line; a whole number is one however written."""
    return json.dumps(_numbers(value), indent=1, sort_keys=True, ensure_ascii=False)


def _numbers(value: Json) -> Json:
    if isinstance(value, list):
        return [_numbers(item) for item in cast("list[object]", value)]
    if isinstance(value, Mapping):
        return {k: _numbers(v) for k, v in cast("Mapping[str, Json]", value).items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def diff_text(plan: str) -> str:
    """The diff of a printed plan: what stands above the dry run, siblings of equal name sorted."""
    above = plan.split(f"\n{_DRY_RUN}", 1)[0]
    lines = [line.rstrip() for line in above.rstrip().splitlines()]
    return "\n".join(_written(_blocks(iter(lines))))


@dataclass(slots=True)
class _Node:
    """A line, or a block with its last line."""

    first: str
    inner: list[_Node] = field(default_factory=list["_Node"])
    last: str = ""

    @property
    def key(self) -> tuple[str, str]:
        mark, _ = _marked(self.first)
        return mark, "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The lines, with those of blocks inside in order."""
        yield self.first
        yield from _written(self.inner)
        if self.last:
            yield self.last

    @property
    def name(self) -> str:
        """The name of a block; lines have none."""
        return _marked(self.first)[1] if self.last else ""


def _marked(line: str) -> tuple[str, str]:
    match = _MARK.match(line)
    return (match[1] or "", match[2]) if match else ("", line)


def _blocks(lines: Iterator[str]) -> list[_Node]:
    out: list[_Node] = []
    for line in lines:
        if line.strip() == "}":
            out.append(_Node(line))
            break
        if line.endswith(" {"):
            inner = _blocks(lines)
            last = inner.pop().first if inner else ""
            out.append(_Node(line, inner, last))
        else:
            out.append(_Node(line))
    return out


def _written(nodes: Iterable[_Node]) -> Iterator[str]:
    for name, run in groupby(nodes, key=lambda n: n.name):
        for node in sorted(run, key=lambda n: n.key) if name else run:
            yield from node.lines()


def diff_tree(diff: Json) -> Json:
    """A JSON diff with its objects sorted by type, name and content."""
    if isinstance(diff, list):
        return [diff_tree(item) for item in cast("list[object]", diff)]
    if not isinstance(diff, Mapping):
        return diff
    out = {k: diff_tree(v) for k, v in cast("Mapping[str, Json]", diff).items()}
    if out.get("Objects"):
        out["Objects"] = sorted(out["Objects"], key=_object_key)
    return out


def _object_key(diff: Mapping[str, Json]) -> tuple[str, str, str]:
    return diff["Type"], diff["Name"], json.dumps(diff, sort_keys=True)


def without_constraint_order(job: Json) -> Json:
    """A job whose constraints, at every level, are in one order."""
    if isinstance(job, list):
        return [without_constraint_order(item) for item in cast("list[object]", job)]
    if not isinstance(job, Mapping):
        return job
    out = {k: without_constraint_order(v) for k, v in cast("Mapping[str, Json]", job).items()}
    if out.get("Constraints"):
        out["Constraints"] = sorted(out["Constraints"], key=lambda c: json.dumps(c, sort_keys=True))
    return out


def entries(value: Json) -> dict[str, Json]:
    """A recorded object; null is an empty one."""
    return cast("dict[str, Json]", value or {})


def dropped(value: Mapping[str, Json], names: Sequence[str]) -> dict[str, Json]:
    """A copy without those names."""
    return {k: v for k, v in value.items() if k not in names}


def without_empty(value: Mapping[str, Json]) -> dict[str, Json]:
    """A copy in which null, {} and [] are the same as missing."""
    return {k: v for k, v in value.items() if v not in (None, {}, [])}
