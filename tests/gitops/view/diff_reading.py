"""Reads a printed diff back: lines in, the value out. Only what -verbose prints is complete."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.difference import DiffType, FieldDiff, JobDiff, ObjectDiff, TaskDiff, TaskGroupDiff

_MARKS = {
    "+": DiffType.ADDED,
    "-": DiffType.DELETED,
    "+/-": DiffType.EDITED,
    "": DiffType.NONE,
}
_TEXT = r'"(?:[^"\\]|\\.)*"'
_HEAD = re.compile(rf"(?P<mark>\+/-|\+|-|) *(?P<kind>Job|Task Group|Task): (?P<name>{_TEXT})")
_FIELD = re.compile(
    rf"(?P<mark>\+/-|\+|-|) *(?P<name>\S.*?): +(?P<old>{_TEXT})(?: => (?P<new>{_TEXT}))?"
    r"(?: \((?P<notes>[^\"]*)\))?"
)
_OPEN = re.compile(r"(?P<mark>\+/-|\+|-|) *(?P<name>\S.*) \{")


@dataclass
class _Level:
    """A job, group, task or block that is being read."""

    kind: str
    type: DiffType
    name: str
    fields: list[FieldDiff] = field(default_factory=list[FieldDiff])
    inner: list[_Level] = field(default_factory=list["_Level"])

    def objects(self) -> tuple[ObjectDiff, ...]:
        return tuple(
            ObjectDiff(type=i.type, name=i.name, fields=tuple(i.fields), objects=i.objects())
            for i in self.inner
            if i.kind == "block"
        )

    def job(self) -> JobDiff:
        groups = tuple(i.group() for i in self.inner if i.kind == "Task Group")
        return JobDiff(
            type=self.type,
            id=self.name,
            fields=tuple(self.fields),
            objects=self.objects(),
            task_groups=groups,
        )

    def group(self) -> TaskGroupDiff:
        return TaskGroupDiff(
            type=self.type,
            name=self.name,
            fields=tuple(self.fields),
            objects=self.objects(),
            tasks=tuple(i.task() for i in self.inner if i.kind == "Task"),
        )

    def task(self) -> TaskDiff:
        return TaskDiff(
            type=self.type, name=self.name, fields=tuple(self.fields), objects=self.objects()
        )


def _text(quoted: str) -> str:
    return str(json.loads(quoted))


def _field(match: re.Match[str]) -> FieldDiff:
    kind, first = _MARKS[match["mark"]], _text(match["old"])
    second = first if match["new"] is None else _text(match["new"])
    return FieldDiff(
        type=kind,
        name=match["name"],
        old="" if kind is DiffType.ADDED else first,
        new="" if kind is DiffType.DELETED else second,
    )


def read_diff(lines: Sequence[str]) -> JobDiff:
    """Return the diff that the lines tell; counts and notes are not read."""
    job = _Level("Job", DiffType.NONE, "")
    path: list[_Level] = []
    for line in (text.strip() for text in lines):
        if match := _HEAD.match(line):
            level = _Level(match["kind"], _MARKS[match["mark"]], _text(match["name"]))
            if level.kind == "Job":
                job, path = level, [level]
                continue
            depth = {"Task Group": 1, "Task": 2}[level.kind]
            path[depth - 1].inner.append(level)
            path[depth:] = [level]
        elif line == "}":
            path.pop()
        elif match := _OPEN.fullmatch(line):
            level = _Level("block", _MARKS[match["mark"]], match["name"])
            path[-1].inner.append(level)
            path.append(level)
        elif match := _FIELD.fullmatch(line):
            path[-1].fields.append(_field(match))
        elif line:
            raise ValueError(f"not a line of a diff: {line!r}")
    return job.job()
