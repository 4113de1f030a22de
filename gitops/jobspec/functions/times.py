"""Functions of timestamps, all given: none reads a clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from gitops.jobspec.durations import parse_duration
from gitops.jobspec.functions.lazily import Eager
from gitops.jobspec.values import Value, ValueFault, text

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+")
_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?"
    r"(?:Z|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
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
_DAY = 86_400
_SECOND = 1_000_000_000
# The calendar repeats every 400 years, which are so many days. Python's begins with year 1, so
# years are looked up in the cycle from 400 on.
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
_CYCLE_START = date(_CYCLE_YEARS, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment: whole seconds since year 0 as its clock shows them, and that clock's offset.

    `offset` is in minutes east of UTC; `rest` are the nanoseconds of the second, never shown.
    Years beyond 9999 can be computed, not written.
    """

    seconds: int
    offset: int
    rest: int = 0

    @property
    def day(self) -> date:
        """The date, in a year of the same rules that Python knows."""
        return date.fromordinal(self.seconds // _DAY % _CYCLE_DAYS + _CYCLE_START)

    @property
    def year(self) -> int:
        """The year."""
        return self.day.year + (self.seconds // _DAY // _CYCLE_DAYS - 1) * _CYCLE_YEARS

    @property
    def clock(self) -> tuple[int, int, int]:
        """Hour, minute and second."""
        minutes, second = divmod(self.seconds % _DAY, 60)
        return minutes // 60, minutes % 60, second


def _timestamp(value: Value) -> Stamp:
    given = text(value)
    match = _STAMP.fullmatch(given)
    if match:
        try:
            return _stamp(match)
        except ValueError:
            pass
    raise ValueFault(f"{given[:40]!r} is no timestamp; write 2006-01-02T15:04:05Z")


def _stamp(match: re.Match[str]) -> Stamp:
    year, month, day, hour, minute, second = (int(g) for g in match.groups()[:6])
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004
        raise ValueError("no time of day")
    cycles, year = divmod(year, _CYCLE_YEARS)
    days = date(year + _CYCLE_YEARS, month, day).toordinal() - _CYCLE_START + cycles * _CYCLE_DAYS
    fraction, sign, hours, minutes = match.groups()[6:]
    offset = int(hours or 0) * 60 + int(minutes or 0)
    if int(hours or 0) > 23 or int(minutes or 0) > 59:  # noqa: PLR2004
        raise ValueError("no offset")
    seconds = days * _DAY + hour * 3600 + minute * 60 + second
    rest = int((fraction or "0")[:9].ljust(9, "0"))
    return Stamp(seconds, -offset if sign == "-" else offset, rest)


def _zone(moment: Stamp, colon: str, utc: str) -> str:
    if utc and not moment.offset:
        return utc
    sign = "-" if moment.offset < 0 else "+"
    hours, minutes = divmod(abs(moment.offset), 60)
    return f"{sign}{hours:02}{colon}{minutes:02}"


def _hour12(moment: Stamp) -> int:
    return moment.clock[0] % _NOON or _NOON


_TOKENS: dict[str, Callable[[Stamp], str]] = {
    "YYYY": lambda t: f"{t.year:04}",
    "YY": lambda t: f"{t.year % 100:02}",
    "MMMM": lambda t: _MONTHS[t.day.month - 1],
    "MMM": lambda t: _MONTHS[t.day.month - 1][:3],
    "MM": lambda t: f"{t.day.month:02}",
    "M": lambda t: str(t.day.month),
    "DD": lambda t: f"{t.day.day:02}",
    "D": lambda t: str(t.day.day),
    "EEEE": lambda t: _DAYS[t.day.weekday()],
    "EEE": lambda t: _DAYS[t.day.weekday()][:3],
    "hh": lambda t: f"{t.clock[0]:02}",
    "h": lambda t: str(t.clock[0]),
    "HH": lambda t: f"{_hour12(t):02}",
    "H": lambda t: str(_hour12(t)),
    "AA": lambda t: "AM" if t.clock[0] < _NOON else "PM",
    "aa": lambda t: "am" if t.clock[0] < _NOON else "pm",
    "mm": lambda t: f"{t.clock[1]:02}",
    "m": lambda t: str(t.clock[1]),
    "ss": lambda t: f"{t.clock[2]:02}",
    "s": lambda t: str(t.clock[2]),
    "ZZZZZ": lambda t: _zone(t, ":", ""),
    "ZZZZ": lambda t: _zone(t, "", ""),
    "ZZZ": lambda t: _zone(t, "", "UTC"),
    "Z": lambda t: _zone(t, ":", "Z"),
}


def _formatdate(pattern: str, moment: Stamp) -> Value:
    if _TOKEN.sub("", pattern):
        raise ValueFault("a quote is not closed in the format")
    return _TOKEN.sub(lambda m: _token(m, moment), pattern)


def _token(match: re.Match[str], moment: Stamp) -> str:
    if match.group(1) is not None:
        return match.group(1).replace("''", "'")
    if match.group(2) is None:
        return match.group()
    show = _TOKENS.get(match.group())
    if show is None:
        raise ValueFault(f"{match.group()[:20]!r} is no part of a date; quote what is not")
    return show(moment)


def _timeadd(moment: Stamp, duration: str) -> Value:
    passed = (moment.rest + parse_duration(duration)) // _SECOND
    later = Stamp(moment.seconds + passed, moment.offset)
    day, (hour, minute, second) = later.day, later.clock
    clock = f"{hour:02}:{minute:02}:{second:02}"
    zone = _zone(later, ":", "Z")
    return f"{later.year:04}-{day.month:02}-{day.day:02}T{clock}{zone}"


FUNCTIONS: dict[str, Eager] = {
    "formatdate": Eager(_formatdate, (text, _timestamp)),
    "timeadd": Eager(_timeadd, (_timestamp, text)),
}
