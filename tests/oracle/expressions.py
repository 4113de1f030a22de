"""HCL expressions: each recorded line is put into a spec, and comes out as a task's env value."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gitops.jobspec.variables import Variables
from tests.oracle.report import Compared, Report
from tests.oracle.specs import loaded_text

_WRAPPER = "wrapper.nomad.hcl"
_PLACE = "@EXPR@"


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression with the value it has, or with the fact that it is an error."""

    number: int
    expression: str
    value: str | None

    def check(self, wrapper: str) -> Compared:
        """Evaluate it in the wrapper."""
        text = wrapper.replace(_PLACE, self.expression)
        first = wrapper[: wrapper.index(_PLACE)].count("\n") + 1
        lines = range(first, first + self.expression.count("\n") + 2)
        found = loaded_text(text, _WRAPPER, Variables(), Path.cwd())
        recorded = "an error" if self.value is None else f"value {self.value!r}"
        if found.spec is None:
            placed = any(e.line in lines for e in found.errors)
            told = "\n".join(e.text() for e in found.errors)
            return Compared(recorded, "an error" if placed and self.value is None else told)
        env = found.job.task_groups[0].tasks[0].env
        return Compared(recorded, f"value {env['V']!r}")


def expressions(path: Path) -> Iterator[Expression]:
    """The recorded expressions, one a line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            entry: dict[str, Any] = json.loads(line)
            yield Expression(number, entry["expr"], entry.get("value"))


def replay(directory: Path, report: Report) -> None:
    """Check all expressions of a directory, which is the working directory meanwhile."""
    wrapper = (directory / _WRAPPER).read_text(encoding="utf-8")
    with contextlib.chdir(directory):
        for entry in expressions(directory / "cases.jsonl"):
            name = f"expressions:{entry.number}"
            report.check(name, "expressions", partial(entry.check, wrapper))
