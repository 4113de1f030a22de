"""Finds the sections that may mean a host without asking each of thousands."""

from __future__ import annotations

import re

from executors.ssh_config.patterns import expression, is_plain
from executors.ssh_config.sections import Condition, Section

_Search = tuple[re.Pattern[str] | None, Section]


class Index:
    """Sections by the names on their Host lines; of patterns, one expression a line is tried."""

    def __init__(self, sections: tuple[Section, ...]) -> None:
        self._named: dict[str, list[int]] = {}
        self._others: list[int] = []
        self._searches: list[_Search] = []
        for number, section in enumerate(sections):
            line = next((c for c in section.conditions if c.names), None)
            if line is not None and all(map(is_plain, line.names)):
                for name in dict.fromkeys(line.names):
                    self._named.setdefault(name, []).append(number)
                self._searches.append((None, section))
            else:
                self._others.append(number)
                self._searches.append((_search(line), section))

    def sections(self, host: str) -> list[Section]:
        """Return the sections to evaluate for a host, in their order."""
        numbers = self._others
        if host in self._named:
            numbers = sorted([*self._named[host], *self._others])
        found = (self._searches[n] for n in numbers)
        return [section for search, section in found if search is None or search.fullmatch(host)]


def _search(line: Condition | None) -> re.Pattern[str] | None:
    """Return what finds all that a Host line may mean, and what it takes out again too."""
    if line is None:
        return None
    wanted = [expression(name) for name in line.names if not name.startswith("!")]
    return re.compile("|".join(wanted) or "(?!)", re.DOTALL)
