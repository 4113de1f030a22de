"""Every promise has a row that says what keeps it, and which tests prove it; those are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows() -> dict[str, str]:
    """The rows of the table, by promise."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


def test_every_promise_has_a_row() -> None:
    promised = PAGE.partition("## Promised")[2].partition("\n## ")[0]
    assert re.findall(r"^\*\*(.+?)[.,]?\*\*", promised, re.MULTILINE) == list(rows())


def test_every_row_names_tests_that_are_there() -> None:
    for row in rows().values():
        named = TEST.findall(row)
        assert named, row
        for file, test in named:
            text = (ROOT / file).read_text(encoding="utf-8")
            assert f"def {test}(" in text, f"{file}::{test}"
