"""``regex_replace``, on RE2: its time grows with the text, whatever the pattern is. Pure."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Protocol, cast

from gitops.jobspec.values import MAX_TEXT, Value, ValueFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REFERENCE = re.compile(r"\$(?:(?P<sign>\$)|\{(?P<braced>\w+)\}|(?P<name>\w+))")
_MAX_PATTERN = 1000
_MAX_MEMORY = 8 * 1024 * 1024


class _Match(Protocol):
    def span(self) -> tuple[int, int]: ...
    def group(self, key: int | str) -> str | None: ...


class _Pattern(Protocol):
    groups: int
    groupindex: Mapping[str, int]

    def finditer(self, text: str) -> Iterator[_Match]: ...


def regex_replace(value: str, pattern: str, replacement: str) -> Value:
    """Return `value` with each match replaced; ``$1`` and ``${name}`` stand for groups."""
    compiled = _compiled(pattern)
    pieces: list[str] = []
    at, size, last = 0, 0, -1
    for match in compiled.finditer(value):
        start, end = match.span()
        if start == end == last:
            continue  # nothing right behind a match is no other match
        pieces += [value[at:start], _expanded(match, compiled, replacement)]
        size += len(pieces[-1])
        if size > MAX_TEXT:
            raise ValueFault("the text grows too large")
        at = last = end
    return "".join([*pieces, value[at:]])


class _Options(Protocol):
    log_errors: bool
    max_mem: int


class _Re2(Protocol):
    """What of the library is used; it has no types of its own."""

    error: type[Exception]

    def Options(self) -> _Options: ...  # noqa: N802 - the library's name
    def compile(self, pattern: str, options: _Options) -> _Pattern: ...


def _compiled(pattern: str) -> _Pattern:
    re2 = cast("_Re2", importlib.import_module("re2"))
    if len(pattern) > _MAX_PATTERN:
        raise ValueFault(f"a pattern has at most {_MAX_PATTERN} characters")
    if r"\C" in pattern.replace(r"\\", ""):
        raise ValueFault(r"the pattern is not valid: \C is not known")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as e:
        raise ValueFault(f"the pattern is not valid: {_told(e)}") from None


def _told(error: Exception) -> str:
    """Return what RE2 says, which comes as bytes."""
    message = cast("object", error.args[0]) if error.args else ""
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)


def _expanded(match: _Match, pattern: _Pattern, replacement: str) -> str:
    def group(reference: re.Match[str]) -> str:
        if reference["sign"]:
            return "$"
        name = reference["braced"] or reference["name"]
        if name.isascii() and name.isdigit():
            number = int(name[:6])
            return (match.group(number) or "") if number <= pattern.groups else ""
        return (match.group(name) or "") if name in pattern.groupindex else ""

    return _REFERENCE.sub(group, replacement)
