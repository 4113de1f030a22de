"""Functions of text."""

from __future__ import annotations

import posixpath
import re

from gitops.jobspec.functions.collection import items, list_of_strings
from gitops.jobspec.functions.formatting import formatted
from gitops.jobspec.functions.graphemes import clusters, length
from gitops.jobspec.functions.lazily import Eager, anything, position
from gitops.jobspec.functions.patterns import regex_replace
from gitops.jobspec.numbers import counted
from gitops.jobspec.types import STRING
from gitops.jobspec.values import (
    MAX_ITEMS,
    MAX_TEXT,
    ListValue,
    Value,
    ValueFault,
    normal,
    text,
)

_BLANKS = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def _chomp(value: str) -> Value:
    return value.rstrip("\r\n")


def _indent(count: int, value: str) -> Value:
    breaks = value.count("\n")
    if count < 0 or len(value) + breaks * min(count, MAX_TEXT) > MAX_TEXT:
        raise ValueFault("the indent is negative or too large")
    return value.replace("\n", "\n" + " " * count)


def _join(separator: str, *lists: tuple[Value, ...]) -> Value:
    values = [v for found in lists for v in found]
    if len(separator) * len(values) > MAX_TEXT:
        raise ValueFault("the text grows too large")
    return separator.join(text(v) for v in values)


def _replace(value: str, old: str, new: str) -> Value:
    if value.count(old) * len(new) > MAX_TEXT:
        raise ValueFault("the text grows too large")
    return value.replace(old, new)


def _reverse(value: str) -> Value:
    return "".join(reversed(clusters(value)))


def _split(separator: str, value: str) -> Value:
    parts = value.split(separator) if separator else list(value)
    return ListValue.of(map(normal, parts), STRING)


def _strlen(value: str) -> Value:
    return counted(length(value))


def _substr(value: str, offset: int, count: int) -> Value:
    seen = clusters(value)
    start = max(0, len(seen) + offset) if offset < 0 else offset
    return "".join(seen[start:] if count < 0 else seen[start : start + count])


def _title(value: str) -> Value:
    out: list[str] = []
    before = " "
    for c in value:
        out.append(_one(c, c.title()) if _separates(before) else c)
        before = c
    return "".join(out)


def _separates(c: str) -> bool:
    if c.isascii():
        return not (c.isalnum() or c == "_")
    return c in _BLANKS


def _one(c: str, changed: str) -> str:
    """Return a letter in another case, if that is one letter."""
    return changed if len(changed) == 1 else c


def _upper(value: str) -> Value:
    return value.upper() if value.isascii() else "".join(_one(c, c.upper()) for c in value)


def _lower(value: str) -> Value:
    # The one letter whose small form has a mark of its own loses it.
    return value.lower() if value.isascii() else "".join(c.lower()[:1] for c in value)


def _trim(value: str, characters: str) -> Value:
    return value.strip(characters) if characters else value


def _trimprefix(value: str, prefix: str) -> Value:
    return value.removeprefix(prefix)


def _trimsuffix(value: str, suffix: str) -> Value:
    return value.removesuffix(suffix)


def _trimspace(value: str) -> Value:
    return value.strip(_BLANKS)


def _basename(value: str) -> Value:
    return posixpath.basename(value.rstrip("/")) or ("/" if value else ".")


def clean_path(value: str) -> str:
    """Return a path without doubled slashes, "." and what ".." takes back."""
    return re.sub(r"^//", "/", posixpath.normpath(value or "."))


def _dirname(value: str) -> Value:
    return clean_path(value[: value.rfind("/") + 1])


def _format(pattern: str, *values: Value) -> Value:
    return formatted(pattern, values)


def _formatlist(pattern: str, *values: Value) -> Value:
    lengths = {len(items(v)) for v in values if isinstance(v, tuple)}
    if len(lengths) > 1:
        raise ValueFault("all lists have one length")
    count = next(iter(lengths), 1)
    rows = [tuple(v[i] if isinstance(v, tuple) else v for v in values) for i in range(count)]
    made: list[Value] = []
    left = MAX_TEXT
    for row in rows:
        made.append(normal(formatted(pattern, row)))
        left -= len(str(made[-1])) + MAX_TEXT // MAX_ITEMS
        if left < 0:
            raise ValueFault("the texts grow too large")
    return ListValue.of(made, STRING)


FUNCTIONS: dict[str, Eager] = {
    "basename": Eager(_basename, (text,)),
    "chomp": Eager(_chomp, (text,)),
    "dirname": Eager(_dirname, (text,)),
    "format": Eager(_format, (text,), anything),
    "formatlist": Eager(_formatlist, (text,), anything),
    "indent": Eager(_indent, (position, text)),
    "join": Eager(_join, (text, list_of_strings), list_of_strings),
    "lower": Eager(_lower, (text,)),
    "regex_replace": Eager(regex_replace, (text, text, text)),
    "replace": Eager(_replace, (text, text, text)),
    "reverse": Eager(_reverse, (text,)),
    "split": Eager(_split, (text, text)),
    "strlen": Eager(_strlen, (text,)),
    "strrev": Eager(_reverse, (text,)),
    "substr": Eager(_substr, (text, position, position)),
    "title": Eager(_title, (text,)),
    "trim": Eager(_trim, (text, text)),
    "trimprefix": Eager(_trimprefix, (text, text)),
    "trimspace": Eager(_trimspace, (text,)),
    "trimsuffix": Eager(_trimsuffix, (text, text)),
    "upper": Eager(_upper, (text,)),
}
