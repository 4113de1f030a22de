"""Files of an allocation as text and JSON data, their names fit for a terminal. Decides nothing."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable
from typing import Any

from executors.alloc_files import Entry, Found
from gitops.view.columns import table
from gitops.view.moment import timestamp
from gitops.view.options import joined
from gitops.view.safe import clean

_SECOND = 1_000_000_000
_KIB = 1024
_TEN = 10
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
# As Go writes what is no plain file.
_KINDS = (
    (stat.S_ISDIR, "d"),
    (stat.S_ISLNK, "L"),
    (stat.S_ISFIFO, "p"),
    (stat.S_ISSOCK, "S"),
    (stat.S_ISBLK, "D"),
    (stat.S_ISCHR, "Dc"),
)
_BITS = ((stat.S_ISUID, "u"), (stat.S_ISGID, "g"), (stat.S_ISVTX, "t"))


def file_list(entries: Iterable[Entry], *, exact: bool) -> str:
    """Return the table of a directory; `exact` gives sizes in bytes."""
    rows = [(_mode(e), _size(e, exact), _time(e), _shown(e)) for e in entries]
    return joined([table(("Mode", "Size", "Modified Time", "Name"), rows)])


def file_stat(found: Found, *, exact: bool) -> str:
    """Return the table of one thing that was looked at."""
    entry = found.entries[0]
    row = (_mode(entry), _size(entry, exact), _time(entry), _content(found), _shown(entry))
    header = ("Mode", "Size", "Modified Time", "Content Type", "Name")
    return joined([table(header, [row])])


def file_data(found: Found) -> Any:  # noqa: ANN401
    """Return the entries of a directory, or the one thing that was looked at."""
    entries = [
        {
            "Name": name_of(e),
            "IsDir": stat.S_ISDIR(e.mode),
            "Size": e.size,
            "FileMode": _mode(e),
            "ModTime": e.modified * _SECOND,
        }
        for e in found.entries
    ]
    return {**entries[0], "ContentType": _content(found)} if found.kind == "stat" else entries


def name_of(entry: Entry) -> str:
    """Return the name as text; bytes that are none are written as escapes."""
    return entry.name.decode("utf-8", "backslashreplace")


def _shown(entry: Entry) -> str:
    name = name_of(entry)
    shown = name if name.isprintable() and clean(name) == name else json.dumps(name)
    return f"{shown}/" if stat.S_ISDIR(entry.mode) else shown


def _mode(entry: Entry) -> str:
    kinds = "".join(word for test, word in _KINDS if test(entry.mode))
    bits = "".join(word for bit, word in _BITS if entry.mode & bit)
    rights = "".join(c if entry.mode >> (8 - i) & 1 else "-" for i, c in enumerate("rwx" * 3))
    return f"{kinds + bits or '-'}{rights}"


def _size(entry: Entry, exact: bool) -> str:
    if exact:
        return str(entry.size)
    value, unit = float(entry.size), 0
    while value >= _KIB and unit < len(_UNITS) - 1:
        value, unit = value / _KIB, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit and value < _TEN else f"{value:.0f} {_UNITS[unit]}"


def _time(entry: Entry) -> str:
    return timestamp(entry.modified * _SECOND)


def _content(found: Found) -> str:
    """Say whether a file is text, by its first bytes."""
    if not stat.S_ISREG(found.entries[0].mode):
        return ""
    # The last character may have been cut.
    text = found.head.decode("utf-8", "ignore")
    plain = set(found.head).isdisjoint({*range(9), 11, *range(14, 27), *range(28, 32)})
    is_text = plain and len(text.encode()) >= len(found.head) - 3
    return "text/plain; charset=utf-8" if is_text else "application/octet-stream"
