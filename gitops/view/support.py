"""What of the jobs of a repository orch honours, in part, or not: a table, and JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from gitops.diagnostics import Diagnostic
from gitops.view.columns import WIDTH
from gitops.view.safe import clean

if TYPE_CHECKING:
    from gitops.view import shapes

Status = Literal["honoured", "in part", "not honoured"]
HONOURED: Final = "honoured"
PART: Final = "in part"
NOT: Final = "not honoured"
_NAME_WIDTH = 34
_COUNT_WIDTH = 6
_INDENT = "  "


@dataclass(slots=True)
class Use:
    """A block or driver, what orch does of it, and the files whose jobs have it."""

    name: str
    status: Status
    part: str = ""
    files: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Support:
    """What was found in the files that could be read, and what is wrong with the others."""

    files: int
    uses: Mapping[tuple[Status, str], Use]
    broken: Mapping[str, Sequence[Diagnostic]]

    def of(self, status: str) -> list[Use]:
        """Return the uses of one status, the most frequent first."""
        found = [u for u in self.uses.values() if u.status == status]
        return sorted(found, key=lambda u: (-len(u.files), u.name))

    def text(self) -> str:
        """The table, within 80 columns."""
        lines = [_counted(self.files, "job"), ""]
        for status, title in ((NOT, "Not honoured"), (PART, "In part"), (HONOURED, "Honoured")):
            if uses := self.of(status):
                lines += [_row(title, "Jobs", "Files", indent="")]
                lines += [line for use in uses for line in _rows(use)] + [""]
        if self.broken:
            lines.append(f"Not read: {_counted(len(self.broken), 'file')}")
            lines += [line for found in self.broken.values() for line in _told(found[0])]
        return "\n".join(lines).rstrip()

    def data(self) -> list[shapes.BlockUse]:
        """The blocks for a program, with all files."""
        return [
            {
                "Block": u.name,
                "Status": status,
                "Part": u.part,
                "Jobs": len(u.files),
                "Files": u.files,
            }
            for status in (NOT, PART, HONOURED)
            for u in self.of(status)
        ]


def _rows(use: Use) -> Iterable[str]:
    first, *more = _wrapped(use.name)
    yield _row(first, str(len(use.files)), _shown(use.files))
    yield from (_INDENT * 2 + line for line in more)
    if use.part:
        yield from (_INDENT * 2 + line for line in _wrapped(use.part, WIDTH - 4))


def _told(wrong: Diagnostic) -> Iterable[str]:
    place = f"{wrong.path}:{wrong.line}:{wrong.column}" if wrong.line else wrong.path
    yield _INDENT + _cut(clean(place), WIDTH - len(_INDENT))
    yield from (_INDENT * 2 + line for line in _wrapped(wrong.summary, WIDTH - 4))


def _row(name: str, count: str, files: str, indent: str = _INDENT) -> str:
    width = _NAME_WIDTH + len(_INDENT) - len(indent)
    return f"{indent}{name.ljust(width)}{count.rjust(_COUNT_WIDTH)}  {files}".rstrip()


def _wrapped(text: str, width: int = _NAME_WIDTH) -> list[str]:
    from textwrap import wrap

    return wrap(clean(text), width, break_on_hyphens=False) or [""]


def _shown(files: Sequence[str]) -> str:
    """Name the first file, cut at its start where it is too long, and how many more there are."""
    more = f" +{len(files) - 1}" if files[1:] else ""
    room = WIDTH - len(_INDENT) - _NAME_WIDTH - _COUNT_WIDTH - 2 - len(more)
    return _cut(clean(files[0]), room) + more


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"…{text[1 - width :]}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
