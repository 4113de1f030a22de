"""Whether a cron expression and a time zone can be read. Computes no times."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

_SHORT = frozenset(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"])
_FIELDS = (
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
    ("year", 1970, 2099),
)
_NAMES = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "day of week": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
_ITEM = re.compile(r"(?P<first>\*|\?|[a-z]+|\d+)(?:-(?P<last>[a-z]+|\d+))?(?:/(?P<step>\d+))?")
_SPECIAL = {
    "day of month": re.compile(r"l|w|\d+w|lw"),
    "day of week": re.compile(r"\d[l]|\d#[1-5]|l"),
}
_MIN_FIELDS, _MAX_FIELDS, _WITH_YEAR = 5, 7, 6


def cron_problem(spec: str) -> str:
    """Return what is wrong with a cron expression of 5 to 7 fields, or nothing."""
    text = spec.strip().lower()
    if text in _SHORT:
        return ""
    parts = text.split()
    if not _MIN_FIELDS <= len(parts) <= _MAX_FIELDS:
        return "It has 5 fields: minute, hour, day of month, month, day of week; or is @daily."
    start = 0 if len(parts) == _MAX_FIELDS else 1
    for part, field in zip(parts, _FIELDS[start:], strict=False):
        if not all(_item_fits(item, *field) for item in part.split(",")):
            return f'"{part}" is not valid as {field[0]} ({field[1]} to {field[2]}).'
    return ""


def is_time_zone(name: str) -> bool:
    """Whether `name` is a time zone that this machine's tables have; UTC and Local always are."""
    if name in ("", "UTC", "Local"):
        return True
    try:
        ZoneInfo(name)
    except (OSError, ValueError):
        return False
    except KeyError:
        return not _has_zones()
    return True


def _has_zones() -> bool:
    """Whether there are tables of time zones at all; without them nothing can be said."""
    try:
        ZoneInfo("Europe/London")
    except KeyError:
        return False
    return True


def _item_fits(item: str, name: str, low: int, high: int) -> bool:
    special = _SPECIAL.get(name)
    if special and special.fullmatch(item):
        return True
    match = _ITEM.fullmatch(item)
    if match is None or match.group("step") == "0":
        return False
    first, last = match.group("first"), match.group("last")
    if first in ("*", "?"):
        return last is None
    numbers = [_number(v, name) for v in (first, last) if v is not None]
    return all(low <= n <= high for n in numbers) and numbers == sorted(numbers)


def _number(text: str, name: str) -> int:
    if text.isdigit():
        return int(text[:6])
    names = _NAMES.get(name, [])
    offset = 1 if name == "month" else 0
    short = text[:3]
    return names.index(short) + offset if short in names else -1
