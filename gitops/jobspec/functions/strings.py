"""Functions of text."""

from __future__ import annotations

import posixpath
import re

from gitops.jobspec.functions.collection import items, ordered, texts
from gitops.jobspec.functions.formatting import formatted
from gitops.jobspec.functions.lazily import Eager, anything
from gitops.jobspec.values import MAX_TEXT, Value, ValueFault, integer, text

# A backtracking matcher takes a time that grows with the text's length to the power of the
# repetitions, and without bound where a group repeats: neither is let in.
_MAX_STEPS = 10_000_000
_PATTERN_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\)[*+{]|[*+{]|.", re.DOTALL)
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|\$)")


def _chomp(value: str) -> Value:
    return value.rstrip("\r\n")


def _indent(count: int, value: str) -> Value:
    if not 0 <= count <= 1000 or len(value) * (count + 1) > MAX_TEXT:  # noqa: PLR2004
        raise ValueFault("the indent is too large")
    return value.replace("\n", "\n" + " " * count)


def _join(separator: str, *lists: tuple[str, ...]) -> Value:
    return separator.join(v for values in lists for v in values)


def _regex_replace(value: str, pattern: str, replacement: str) -> Value:
    parts = _PATTERN_PART.findall(pattern)
    if any(part in (")*", ")+", "){") for part in parts):
        raise ValueFault("a repeated group takes too long; repeat a character or a [class]")
    repeats = sum(part in ("*", "+", "{") for part in parts)
    if (len(value) + len(pattern)) ** (repeats + 1) > _MAX_STEPS:
        raise ValueFault("this takes too long: use fewer repetitions, or a shorter text")
    try:
        return re.compile(pattern).sub(lambda m: _expanded(m, replacement), value)
    except (re.error, IndexError, RecursionError) as e:
        raise ValueFault(f"the pattern is not valid: {e}") from None


def _expanded(match: re.Match[str], replacement: str) -> str:
    def group(reference: re.Match[str]) -> str:
        name = reference.group(1) or reference.group(2)
        if name is None:
            return "$"
        known = int(name) <= (match.re.groups) if name.isdigit() else name in match.re.groupindex
        return (match.group(int(name) if name.isdigit() else name) or "") if known else ""

    return _REFERENCE.sub(group, replacement)


def _replace(value: str, old: str, new: str) -> Value:
    if value.count(old) * len(new) > MAX_TEXT:
        raise ValueFault("the text grows too large")
    return value.replace(old, new)


def _reverse(value: str) -> Value:
    return value[::-1]


def _split(separator: str, value: str) -> Value:
    return tuple(value.split(separator)) if separator else tuple(value)


def _strlen(value: str) -> Value:
    return len(value)


def _substr(value: str, offset: int, length: int) -> Value:
    start = max(0, len(value) + offset) if offset < 0 else offset
    return value[start:] if length < 0 else value[start : start + length]


def _title(value: str) -> Value:
    return re.sub(r"(^|[^\w'])(\w)", lambda m: m.group(1) + m.group(2).upper(), value)


def _trim(value: str, characters: str) -> Value:
    return value.strip(characters) if characters else value


def _trimprefix(value: str, prefix: str) -> Value:
    return value.removeprefix(prefix)


def _trimsuffix(value: str, suffix: str) -> Value:
    return value.removesuffix(suffix)


def _trimspace(value: str) -> Value:
    return value.strip()


def _upper(value: str) -> Value:
    return value.upper()


def _lower(value: str) -> Value:
    return value.lower()


def _basename(value: str) -> Value:
    return posixpath.basename(value.rstrip("/")) or ("/" if value else ".")


def _dirname(value: str) -> Value:
    return posixpath.normpath(posixpath.dirname(value) or ".")


def _format(pattern: str, *values: Value) -> Value:
    return formatted(pattern, values)


def _formatlist(pattern: str, *values: Value) -> Value:
    lengths = {len(items(v)) for v in values if isinstance(v, tuple)}
    if len(lengths) > 1:
        raise ValueFault("all lists have one length")
    count = next(iter(lengths), 1)
    rows = [
        tuple(ordered(v)[i] if isinstance(v, tuple) else v for v in values) for i in range(count)
    ]
    return tuple(formatted(pattern, row) for row in rows)


FUNCTIONS: dict[str, Eager] = {
    "basename": Eager(_basename, (text,)),
    "chomp": Eager(_chomp, (text,)),
    "dirname": Eager(_dirname, (text,)),
    "format": Eager(_format, (text,), anything),
    "formatlist": Eager(_formatlist, (text,), anything),
    "indent": Eager(_indent, (integer, text)),
    "join": Eager(_join, (text, texts), texts),
    "lower": Eager(_lower, (text,)),
    "regex_replace": Eager(_regex_replace, (text, text, text)),
    "replace": Eager(_replace, (text, text, text)),
    "reverse": Eager(_reverse, (text,)),
    "split": Eager(_split, (text, text)),
    "strlen": Eager(_strlen, (text,)),
    "strrev": Eager(_reverse, (text,)),
    "substr": Eager(_substr, (text, integer, integer)),
    "title": Eager(_title, (text,)),
    "trim": Eager(_trim, (text, text)),
    "trimprefix": Eager(_trimprefix, (text, text)),
    "trimspace": Eager(_trimspace, (text,)),
    "trimsuffix": Eager(_trimsuffix, (text, text)),
    "upper": Eager(_upper, (text,)),
}
