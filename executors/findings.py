"""What was found where orch looked for what it needs, and how to mend it. Looks at nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How it stands with one thing that orch needs."""

    OK = "ok"
    NOT_NEEDED = "not needed"
    WARNING = "warning"
    FAILED = "failed"


_ORDER = tuple(Result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `remedy` is the next step where it is not as it should be."""

    name: str
    result: Result = Result.OK
    detail: str = ""
    remedy: str = ""

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should read it."""
        return self.result in (Result.WARNING, Result.FAILED)


def worst(findings: Iterable[Finding]) -> Result:
    """Return the worst result; that of nothing is ok."""
    found = [f.result for f in findings if f.is_trouble]
    return max(found, key=_ORDER.index, default=Result.OK)
