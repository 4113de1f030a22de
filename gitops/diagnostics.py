"""Errors and warnings that point at a place in a file. Makes text of them, never prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from planner.errors import OrchError

Severity = Literal["error", "warning"]

# Longer source lines are cut around the caret, so that one bad line cannot flood a terminal.
_LINE_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What is wrong, where (1-based line and column, 0 for the whole file), and what to do.

    The end lies behind the last character; where it has no line, it is on the same one.
    """

    path: str
    line: int
    column: int
    summary: str
    detail: str = ""
    severity: Severity = "error"
    source_line: str = ""
    end_column: int | None = None
    end_line: int | None = None

    def text(self) -> str:
        """Return ``path:line:column: summary``, the line with a caret under it, and the detail."""
        lines = [f"{self._place()}: {self._label()}{self.summary}"]
        if self.line and self.source_line:
            lines += self._excerpt()
        if self.detail:
            lines += [f"  {line}" for line in self.detail.splitlines()]
        return "\n".join(lines)

    def _place(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def _label(self) -> str:
        return "warning: " if self.severity == "warning" else ""

    def _excerpt(self) -> list[str]:
        start = max(0, self.column - 1 - _LINE_WIDTH // 2)
        shown = _printable(self.source_line[start : start + _LINE_WIDTH])
        margin = " " * (self.column - 1 - start)
        one_line = self.end_line in (None, self.line)
        end = (self.end_column or self.column + 1) if one_line else len(self.source_line) + 1
        carets = "^" * max(1, min(end - self.column, len(shown) - len(margin)))
        number = str(self.line)
        return [f"  {number} | {shown}", f"  {' ' * len(number)} | {margin}{carets}"]


class SpecErrors(OrchError):  # noqa: N818 - they come together
    """Everything that is wrong with the job specs that were read, at once."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        count = len(self.diagnostics)
        noun = "error" if count == 1 else "errors"
        hint = f"Correct the {count} {noun} above." if count else ""
        super().__init__("\n".join(d.text() for d in self.diagnostics), hint)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a sentence with the known word that is nearest to `word`, or nothing."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.7)
    return f'Did you mean "{near[0]}"?' if near else ""


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in line)
