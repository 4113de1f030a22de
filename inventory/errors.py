"""What is wrong with an inventory, and where. Never stops at the first problem."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong at a place in the text; line and column count from 1.

    `path` is empty for the file that the error itself names.
    """

    line: int
    column: int
    text: str
    path: str = ""


class InventoryError(Exception):
    """An unusable inventory: every problem found, each with its place, and a hint.

    It has the shape of the planner's `OrchError` (message, hint, exit code), which this layer may
    not import.
    """

    exit_code = 1

    def __init__(self, path: str, problems: Iterable[Problem], hint: str = "") -> None:
        self.path = path
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.path, p)))
        places = (f"{p.path or path}:{p.line}:{p.column}: {p.text}" for p in self.problems)
        self.message = "\n".join(places)
        self.hint = hint
        super().__init__(self.message)


class PatternError(Exception):
    """A host pattern that can't be read or that names nothing."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)
