"""What ssh_config files say, in their order: settings, and the conditions they stand under."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One line: its keyword in lower case and its words; `place` is ``file:line``."""

    name: str
    words: tuple[str, ...]
    place: str

    @property
    def word(self) -> str:
        """The first word."""
        return self.words[0]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One test of a Match line; without a `pattern` it is ``all``, ``canonical`` or ``final``."""

    name: str
    pattern: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A Host line (`names`) or a Match line (`criteria`). Two lines are never the same one."""

    place: str
    names: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Settings that count where all conditions hold: its own line, and those of who included it."""

    conditions: tuple[Condition, ...]
    settings: tuple[Setting, ...]
