"""Regular expressions as job files have them: RE2's, so that time grows with the text alone. Pure.

The library is loaded when the first pattern is there: most jobs have none.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Neither patterns nor what they are compiled to may grow without a limit.
_MAX_PATTERN = 1_000
_MAX_MEMORY = 8 * 1024 * 1024


class Match(Protocol):
    """Where a pattern was found; groups by number or name, None where one took no part."""

    def span(self) -> tuple[int, int]:
        """Return where the match begins and ends."""
        ...

    def group(self, key: int | str) -> str | None:
        """Return the text of a group."""
        ...


class Pattern(Protocol):
    """A compiled pattern, searched for anywhere in a text."""

    groups: int
    groupindex: Mapping[str, int]

    def finditer(self, text: str) -> Iterator[Match]:
        """Yield the matches from left to right."""
        ...

    def search(self, text: str) -> Match | None:
        """Return the first match."""
        ...


class PatternError(ValueError):
    """The pattern is none; says why."""


class _Options(Protocol):
    log_errors: bool
    max_mem: int


class _Re2(Protocol):
    """What of the library is used; it has no types of its own."""

    error: type[Exception]

    def Options(self) -> _Options: ...  # noqa: N802 - the library's name
    def compile(self, pattern: str, options: _Options) -> Pattern: ...


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern:
    """Return the pattern that `pattern` writes; raises `PatternError`."""
    re2 = cast("_Re2", importlib.import_module("re2"))
    if len(pattern) > _MAX_PATTERN:
        raise PatternError(f"a pattern has at most {_MAX_PATTERN} characters")
    if r"\C" in pattern.replace(r"\\", ""):
        raise PatternError(r"the pattern is not valid: \C is not known")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as e:
        raise PatternError(f"the pattern is not valid: {_told(e)}") from None


def _told(error: Exception) -> str:
    """Return what RE2 says, which comes as bytes."""
    message = cast("object", error.args[0]) if error.args else ""
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
