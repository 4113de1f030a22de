"""Tables and key-value lists in plain text, two blanks between columns. Knows no values."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from gitops.view.safe import clean

WIDTH = 80
_MIN_LAST = 24


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a header line and one line a row, left-aligned, without trailing blanks."""
    cells = [list(header), *([clean(str(c)) for c in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def wrapped_table(
    header: Sequence[str], rows: Iterable[Sequence[object]], width: int = WIDTH
) -> list[str]:
    """Return a table whose last column is wrapped so that lines stay within `width`."""
    cells = [[clean(str(c)) for c in row] for row in rows]
    rest = sum(max(len(row[i]) for row in [header, *cells]) + 2 for i in range(len(header) - 1))
    lines: list[Sequence[str]] = []
    for row in cells:
        first, *more = textwrap.wrap(row[-1], max(width - rest, _MIN_LAST)) or [""]
        lines.append([*row[:-1], first])
        lines.extend([*[""] * (len(header) - 1), part] for part in more)
    return table(header, lines)


def pairs(items: Iterable[tuple[str, object]]) -> list[str]:
    """Return ``key = value`` lines, the keys padded to the longest."""
    shown = [(key, clean(str(value))) for key, value in items]
    width = max((len(key) for key, _ in shown), default=0)
    return [f"{key.ljust(width)} = {value}" for key, value in shown]
