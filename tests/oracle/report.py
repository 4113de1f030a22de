"""What the checks came to: differences as they are found, rules and figures at the end."""

from __future__ import annotations

import difflib
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

# Lines of a difference that are shown.
LIMIT = 40
# Lines of a traceback that are shown: the end says what went wrong.
LAST = 12


@dataclass(frozen=True, slots=True)
class Compared:
    """What was recorded and what orch says, as text; equal texts pass."""

    recorded: str
    orch: str

    @property
    def passed(self) -> bool:
        return self.recorded == self.orch

    def difference(self) -> list[str]:
        """A unified diff, cut after `LIMIT` lines."""
        lines = list(
            difflib.unified_diff(
                self.recorded.splitlines(), self.orch.splitlines(), "recorded", "orch", lineterm=""
            )
        )
        lines = lines or ["the line ends differ"]
        more = len(lines) - LIMIT
        return [*lines[:LIMIT], f"… and {more} more lines"] if more > 0 else lines


Check = Callable[[], Compared | None]
Say = Callable[[str], None]


@dataclass(slots=True)
class Report:
    """Runs checks and counts them; a check that returns None has nothing to compare."""

    say: Say
    passed: Counter[str] = field(default_factory=Counter[str])
    failed: Counter[str] = field(default_factory=Counter[str])
    touched: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def check(self, case: str, name: str, check: Check) -> None:
        """Run one check of one case; an exception in it is a failure of this check alone."""
        try:
            found = check()
        except Exception:
            self._fail(case, name, traceback.format_exc().splitlines()[-LAST:])
            return
        if found is None:
            return
        if found.passed:
            self.passed[name] += 1
        else:
            self._fail(case, name, found.difference())

    def touch(self, rule: str, case: str) -> None:
        """Note that a rule changed what is expected of a case."""
        self.touched.setdefault(rule, set()).add(case)

    def skip(self, what: str) -> None:
        """Say that a part is not there, or not replayed."""
        self.say(f"skipped: {what}")

    def _fail(self, case: str, name: str, lines: Iterable[str]) -> None:
        self.failed[name] += 1
        self.say(f"{case} {name}")
        for line in lines:
            self.say(f"    {line}")

    def close(self, rules: Iterable[str]) -> bool:
        """Say the figures; return whether nothing failed."""
        for rule in rules:
            self.say(f"rule {rule}: {len(self.touched.get(rule, ()))} cases")
        for name in dict.fromkeys((*self.passed, *self.failed)):
            self.say(f"{name}: {self.passed[name]} passed, {self.failed[name]} failed")
        self.say(f"{self.passed.total()} passed, {self.failed.total()} failed")
        return not self.failed
