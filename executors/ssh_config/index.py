"""Finds the sections that may mean a host without asking each of thousands."""

from __future__ import annotations

from executors.ssh_config.patterns import is_plain
from executors.ssh_config.sections import Section


class Index:
    """Sections by the names on their Host lines; patterns may mean any host."""

    def __init__(self, sections: tuple[Section, ...]) -> None:
        self._sections = sections
        self._named: dict[str, list[int]] = {}
        self._others: list[int] = []
        for number, section in enumerate(sections):
            names = _plain_names(section)
            for name in names:
                self._named.setdefault(name, []).append(number)
            if not names:
                self._others.append(number)

    def sections(self, host: str) -> list[Section]:
        """Return the sections to evaluate for a host, in their order."""
        numbers = self._others
        if host in self._named:
            numbers = sorted([*self._named[host], *self._others])
        return [self._sections[n] for n in numbers]


def _plain_names(section: Section) -> frozenset[str]:
    for condition in section.conditions:
        if condition.names and all(map(is_plain, condition.names)):
            return frozenset(condition.names)
    return frozenset()
