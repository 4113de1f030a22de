"""Reads a dataclass from a table of TOML: each field's type is its default's. Knows no setting.

What a field is for is its metadata, with a rule on its values if there is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, cast

_SHOWN = 40
_KINDS = {
    str: "text in double quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What values have to be besides of their type: `limits` in short, `must` in full."""

    holds: Callable[[Any], bool]
    must: str
    limits: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A setting, by its name with dots, and what is wrong with it."""

    setting: str
    what: str

    def text(self) -> str:
        """The problem in words, without its place."""
        return f"{self.setting!r} {self.what}"


def about(description: str, rule: Rule | None = None) -> dict[str, Any]:
    """The metadata of a setting: what it is for, and the rule on its values."""
    return {"description": description, "rule": rule}


def between(least: float, most: float) -> Rule:
    """A number from `least` to `most`."""
    must = f"must be from {least:g} to {most:g}"
    return Rule(lambda v: least <= v <= most, must, f"at least {least:g}, at most {most:g}")


def above_0(most: float) -> Rule:
    """A number above 0, of at most `most`."""
    limits = f"above 0, at most {most:g}"
    return Rule(lambda v: 0 < v <= most, f"must be above 0 and at most {most:g}", limits)


def at_most(characters: int) -> Rule:
    """Text of so many characters."""
    limits = f"at most {characters} characters"
    return Rule(lambda v: len(v) <= characters, f"may have {limits}", limits)


def one_of(*words: str) -> Rule:
    """One of some words."""
    return Rule(lambda v: v in words, "must be " + " or ".join(f'"{w}"' for w in words))


def written_like(pattern: re.Pattern[str], must: str, limits: str) -> Rule:
    """Text of a pattern."""
    return Rule(lambda v: pattern.fullmatch(v) is not None, must, limits)


def read_settings(
    kind: type[Any], data: Mapping[str, Any], above: str = ""
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the fields' values and all that is wrong; below `above`, a name with a dot or none."""
    known = {f.name: f for f in fields(kind)}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, f in known.items():
        if name in data:
            values[name], found = _read(f, data[name], above + name)
            problems += found
    return values, problems + list(_unknown(known, data, above))


def _read(f: Field[Any], value: object, name: str) -> tuple[Any, list[Problem]]:
    default = "" if f.default is MISSING else f.default
    if is_dataclass(default):
        return _section(cast("type[Any]", type(default)), value, name)
    if isinstance(default, tuple):
        return _texts(value, name)
    # A bool is an int to Python, but no number to anybody else.
    kind = cast("type[Any]", type(default))
    if type(value) is not kind and (kind, type(value)) != (float, int):
        return default, [Problem(name, f"must be {_KINDS[kind]}")]
    rule: Rule | None = f.metadata.get("rule")
    if rule is not None and not rule.holds(value):
        return default, [Problem(name, rule.must)]
    return kind(value), []


def _section(kind: type[Any], value: object, name: str) -> tuple[Any, list[Problem]]:
    if not isinstance(value, dict):
        return kind(), [Problem(name, f"must be a section: [{name}]")]
    values, problems = read_settings(kind, cast("dict[str, Any]", value), f"{name}.")
    return kind(**values), problems


def _texts(value: object, name: str) -> tuple[tuple[str, ...], list[Problem]]:
    if not isinstance(value, list):
        return (), [Problem(name, f'must be a list, as in {name} = ["…"]')]
    items = cast("list[object]", value)
    texts = tuple(v for v in items if isinstance(v, str))
    wrong = f"must be a list of {_KINDS[str]}"
    return texts, [Problem(name, wrong)] if len(texts) < len(items) else []


def _unknown(
    known: Mapping[str, Field[Any]], data: Mapping[str, Any], above: str
) -> Iterator[Problem]:
    for name in data:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            yield Problem(above + name[:_SHOWN], f"is not a setting of orch{meant}")
