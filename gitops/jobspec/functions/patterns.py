"""``regex_replace``, on RE2: its time grows with the text, whatever the pattern is. Pure."""

from __future__ import annotations

import re

from gitops.jobspec.values import MAX_TEXT, Value, ValueFault
from planner.pattern import Match, Pattern, PatternError, compiled

_REFERENCE = re.compile(r"\$(?:(?P<sign>\$)|\{(?P<braced>\w+)\}|(?P<name>\w+))")


def regex_replace(value: str, pattern: str, replacement: str) -> Value:
    """Return `value` with each match replaced; ``$1`` and ``${name}`` stand for groups."""
    found = _compiled(pattern)
    pieces: list[str] = []
    at, size, last = 0, 0, -1
    for match in found.finditer(value):
        start, end = match.span()
        if start == end == last:
            continue  # nothing right behind a match is no other match
        pieces += [value[at:start], _expanded(match, found, replacement)]
        size += len(pieces[-1])
        if size > MAX_TEXT:
            raise ValueFault("the text grows too large")
        at = last = end
    return "".join([*pieces, value[at:]])


def _compiled(pattern: str) -> Pattern:
    try:
        return compiled(pattern)
    except PatternError as e:
        raise ValueFault(str(e)) from None


def _expanded(match: Match, pattern: Pattern, replacement: str) -> str:
    def group(reference: re.Match[str]) -> str:
        if reference["sign"]:
            return "$"
        name = reference["braced"] or reference["name"]
        if name.isascii() and name.isdigit():
            number = int(name[:6])
            return (match.group(number) or "") if number <= pattern.groups else ""
        return (match.group(name) or "") if name in pattern.groupindex else ""

    return _REFERENCE.sub(group, replacement)
