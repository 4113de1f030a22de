"""Version numbers and the comparisons that constraints make with them. Reads nothing else."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_FORM = re.compile(
    r"v?(?P<base>\d{1,12}(?:\.\d{1,12}){0,7})"
    r"(?:-(?P<pre>[0-9A-Za-z~-]+(?:\.[0-9A-Za-z~-]+)*))?"
    # 1.2rc1: only where versions are read loosely
    r"(?P<joined>[A-Za-z~][0-9A-Za-z~-]*(?:\.[0-9A-Za-z~-]+)*)?"
    r"(?:\+[0-9A-Za-z~.-]+)?"
)
_CONDITION = re.compile(r"\s*(?P<sign>!=|>=|<=|~>|=|>|<)?\s*(?P<version>\S+)\s*")
_SEGMENTS = 3

# A part of a pre-release: numbers sort before words.
_Part = tuple[int, int, str]
_Order = tuple[tuple[int, ...], bool, tuple[_Part, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version: numbers padded to three, the parts of a pre-release, how many were written."""

    base: tuple[int, ...]
    pre: tuple[str, ...] = ()
    written: int = _SEGMENTS

    @property
    def order(self) -> _Order:
        """The key by which versions sort: a pre-release comes before its release."""
        return (self.base, not self.pre, tuple(map(_part, self.pre)))


def _part(text: str) -> _Part:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def parsed_version(text: str, *, strict: bool = False) -> Version | None:
    """Return the version that `text` writes, or None where it is none."""
    match = _FORM.fullmatch(text.strip())
    if match is None or (match["joined"] and (strict or match["pre"])):
        return None
    numbers = [int(n) for n in match["base"].split(".")]
    padding = [0] * (_SEGMENTS - len(numbers))
    written = match["pre"] or match["joined"]
    pre = tuple(written.split(".")) if written else ()
    return Version(base=(*numbers, *padding), pre=pre, written=len(numbers))


_SIGNS: dict[str, Callable[[_Order, _Order], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def version_matches(text: str, conditions: str, *, strict: bool) -> bool:
    """Whether the version `text` meets every one of the comma-separated `conditions`.

    Loosely, a pre-release meets only conditions that name a pre-release of the same base;
    `strict` (semver) orders pre-releases like all others and knows no ``~>``. What cannot be
    read matches nothing.
    """
    version = parsed_version(text, strict=strict)
    if version is None:
        return False
    return all(_meets(version, c, strict) for c in conditions.split(","))


def _meets(version: Version, condition: str, strict: bool) -> bool:
    match = _CONDITION.fullmatch(condition)
    wanted = parsed_version(match["version"], strict=strict) if match else None
    if match is None or wanted is None:
        return False
    sign = match["sign"] or "="
    if sign == "~>":
        return not strict and _is_close(version, wanted)
    if not strict and sign not in ("=", "!=") and not _comparable(version, wanted):
        return False
    return _SIGNS[sign](version.order, wanted.order)


def _comparable(version: Version, wanted: Version) -> bool:
    return not version.pre or (bool(wanted.pre) and version.base == wanted.base)


def _is_close(version: Version, wanted: Version) -> bool:
    fixed = wanted.written - 1
    return (
        _comparable(version, wanted)
        and bool(version.pre) >= bool(wanted.pre)
        and version.base[:fixed] == wanted.base[:fixed]
        and version.order >= wanted.order
    )
