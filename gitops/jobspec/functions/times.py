"""Functions of timestamps, all given: none reads a clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from gitops.jobspec.durations import parse_duration
from gitops.jobspec.functions.lazily import Eager
from gitops.jobspec.values import Value, ValueFault, text

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+")
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_NOON = 12


def _timestamp(value: Value) -> datetime:
    given = text(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", given):
        try:
            return datetime.fromisoformat(given)
        except ValueError:
            pass
    raise ValueFault(f"{given[:40]!r} is no timestamp; write 2006-01-02T15:04:05Z")


def _zone(moment: datetime, colon: str, utc: str) -> str:
    shown = moment.strftime("%z")
    return utc if utc and shown == "+0000" else f"{shown[:3]}{colon}{shown[3:5]}"


def _hour12(moment: datetime) -> int:
    return moment.hour % _NOON or _NOON


_TOKENS: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda t: f"{t.year:04}",
    "YY": lambda t: f"{t.year % 100:02}",
    "MMMM": lambda t: _MONTHS[t.month - 1],
    "MMM": lambda t: _MONTHS[t.month - 1][:3],
    "MM": lambda t: f"{t.month:02}",
    "M": lambda t: str(t.month),
    "DD": lambda t: f"{t.day:02}",
    "D": lambda t: str(t.day),
    "EEEE": lambda t: _DAYS[t.weekday()],
    "EEE": lambda t: _DAYS[t.weekday()][:3],
    "hh": lambda t: f"{t.hour:02}",
    "h": lambda t: str(t.hour),
    "HH": lambda t: f"{_hour12(t):02}",
    "H": lambda t: str(_hour12(t)),
    "AA": lambda t: "AM" if t.hour < _NOON else "PM",
    "aa": lambda t: "am" if t.hour < _NOON else "pm",
    "mm": lambda t: f"{t.minute:02}",
    "m": lambda t: str(t.minute),
    "ss": lambda t: f"{t.second:02}",
    "s": lambda t: str(t.second),
    "ZZZZZ": lambda t: _zone(t, ":", ""),
    "ZZZZ": lambda t: _zone(t, "", ""),
    "ZZZ": lambda t: _zone(t, "", "UTC"),
    "Z": lambda t: _zone(t, ":", "Z"),
}


def _formatdate(pattern: str, moment: datetime) -> Value:
    if _TOKEN.sub("", pattern):
        raise ValueFault("a quote is not closed in the format")
    return _TOKEN.sub(lambda m: _token(m, moment), pattern)


def _token(match: re.Match[str], moment: datetime) -> str:
    if match.group(1) is not None:
        return match.group(1).replace("''", "'")
    if match.group(2) is None:
        return match.group()
    show = _TOKENS.get(match.group())
    if show is None:
        raise ValueFault(f"{match.group()[:20]!r} is no part of a date; quote what is not")
    return show(moment)


def _timeadd(moment: datetime, duration: str) -> Value:
    try:
        result = moment + timedelta(microseconds=parse_duration(duration) // 1000)
    except OverflowError:
        raise ValueFault("the result is not a date") from None
    return result.isoformat().replace("+00:00", "Z")


FUNCTIONS: dict[str, Eager] = {
    "formatdate": Eager(_formatdate, (text, _timestamp)),
    "timeadd": Eager(_timeadd, (_timestamp, text)),
}
