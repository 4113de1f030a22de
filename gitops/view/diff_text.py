"""A job's field diff as text, in Nomad's layout. Compares nothing: the diff says it all.

Siblings form a set: the widest mark among them decides the column where their names begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitops.view.palette import MARKS, PLAIN, Palette
from gitops.view.safe import clean, quoted
from planner.diff import DiffType, FieldDiff, JobDiff, ObjectDiff, TaskDiff, TaskGroupDiff

_MARK = {DiffType.ADDED: "+", DiffType.DELETED: "-", DiffType.EDITED: "+/-", DiffType.NONE: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    verbose: bool
    palette: Palette

    def open(self, diff: JobDiff | TaskGroupDiff) -> bool:
        """Whether the fields and blocks of a job or group are printed."""
        return self.verbose or diff.type is DiffType.EDITED

    def mark(self, kind: DiffType, width: int) -> str:
        """Return the mark, filled with blanks up to the width of its set."""
        mark = _MARK[kind]
        return self.palette.paint(MARKS.get(mark, ""), mark) + " " * (width - len(mark))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a set of siblings stands: its indent, and the width of its widest mark."""

    indent: int
    width: int

    @property
    def blanks(self) -> str:
        return " " * self.indent

    def inside(self, kind: DiffType, kinds: Iterable[DiffType]) -> _Place:
        """Return the place of the children of a sibling of that kind."""
        return _Place(indent=self.indent + 2 + self.width - _width(kind), width=_widest(kinds))


def diff_lines(diff: JobDiff, *, verbose: bool = False, palette: Palette = PLAIN) -> list[str]:
    """Return the lines of a job's diff, with an empty line between groups and none at the end.

    Without `verbose`, added and deleted things show only their own line.
    """
    layout = _Layout(verbose=verbose, palette=palette)
    name = palette.paint("bold", f"Job: {quoted(diff.id)}")
    lines = [layout.mark(diff.type, _width(diff.type)) + name]
    fields, objects = (diff.fields, diff.objects) if layout.open(diff) else ((), ())
    place = _Place(indent=0, width=_widest(_kinds(fields, objects, diff.task_groups)))
    lines += _contents(fields, objects, place, layout)
    for group in diff.task_groups:
        lines += [*_group(group, place, layout), ""]
    while not lines[-1]:
        lines.pop()
    return lines


def _width(kind: DiffType) -> int:
    mark = _MARK[kind]
    return len(mark) + 1 if mark else 0


def _widest(kinds: Iterable[DiffType]) -> int:
    return max((_width(k) for k in kinds), default=0)


def _kinds(
    *siblings: Iterable[FieldDiff | ObjectDiff | TaskDiff | TaskGroupDiff],
) -> list[DiffType]:
    return [d.type for some in siblings for d in some]


def _contents(
    fields: Sequence[FieldDiff], objects: Sequence[ObjectDiff], place: _Place, layout: _Layout
) -> list[str]:
    longest = max((len(f.name) for f in fields), default=0)
    lines = [_field(f, longest, place, layout) for f in fields]
    for block in objects:
        lines += _object(block, place, layout)
    return lines


def _field(diff: FieldDiff, longest: int, place: _Place, layout: _Layout) -> str:
    name = f"{clean(diff.name)}:".ljust(longest + 2)
    mark = layout.mark(diff.type, place.width)
    return f"{place.blanks}{mark}{name}{_value(diff)}{_notes(diff.annotations, layout)}"


def _value(diff: FieldDiff) -> str:
    if diff.type is DiffType.EDITED:
        return f"{quoted(diff.old)} => {quoted(diff.new)}"
    return quoted(diff.old if diff.type is DiffType.DELETED else diff.new)


def _notes(notes: Sequence[str], layout: _Layout) -> str:
    if not notes:
        return ""
    return f" ({', '.join(layout.palette.action(n, n) for n in notes)})"


def _object(diff: ObjectDiff, place: _Place, layout: _Layout) -> list[str]:
    inner = place.inside(diff.type, _kinds(diff.fields, diff.objects))
    return [
        f"{place.blanks}{layout.mark(diff.type, place.width)}{clean(diff.name)} {{",
        *_contents(diff.fields, diff.objects, inner, layout),
        f"{place.blanks}{' ' * place.width}}}",
    ]


def _group(diff: TaskGroupDiff, place: _Place, layout: _Layout) -> list[str]:
    name = layout.palette.paint("bold", f"Task Group: {quoted(diff.name)}")
    mark = layout.mark(diff.type, place.width)
    lines = [f"{place.blanks}{mark}{name}{_counts(diff, layout)}"]
    fields, objects = (diff.fields, diff.objects) if layout.open(diff) else ((), ())
    inner = place.inside(diff.type, _kinds(fields, objects, diff.tasks))
    lines += _contents(fields, objects, inner, layout)
    for task in diff.tasks:
        lines += _task(task, inner, layout)
    return lines


def _counts(diff: TaskGroupDiff, layout: _Layout) -> str:
    if not diff.updates:
        return ""
    parts = [layout.palette.action(word, f"{n} {word}") for word, n in diff.updates]
    return f" ({', '.join(parts)})"


def _task(diff: TaskDiff, place: _Place, layout: _Layout) -> list[str]:
    name = layout.palette.paint("bold", f"Task: {quoted(diff.name)}")
    mark = layout.mark(diff.type, place.width)
    lines = [f"{place.blanks}{mark}{name}{_notes(diff.annotations, layout)}"]
    if diff.type is DiffType.NONE or not (diff.type is DiffType.EDITED or layout.verbose):
        return lines
    inner = place.inside(diff.type, _kinds(diff.fields, diff.objects))
    body = _contents(diff.fields, diff.objects, inner, layout)
    return lines + (body or [""])
