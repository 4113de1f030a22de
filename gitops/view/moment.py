"""Points in time and spans as text; all in nanoseconds. Reads no clock: *now* is given."""

from __future__ import annotations

from datetime import UTC, datetime

NEVER = "N/A"
_SECOND = 1_000_000_000
_UNITS = ((365 * 86400, "y"), (30 * 86400, "mo"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def timestamp(moment: int) -> str:
    """Return the time in RFC 3339, UTC, to the second; 0 is never.

    One beyond the calendar's end, as a file may have it, is the seconds since 1970: ``@SECONDS``.
    """
    if not moment:
        return NEVER
    seconds = moment // _SECOND
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OSError, OverflowError, ValueError):
        return f"@{seconds}"


def ago(moment: int, now: int) -> str:
    """Return how long ago that was, or how long it is off, in its two largest units."""
    if not moment:
        return NEVER
    span = span_text(abs(now - moment))
    return f"{span} ago" if now >= moment else f"{span} from now"


def span_text(span: int) -> str:
    """Return a length of time in its two largest units: ``1m50s``, ``2m``, ``3d4h``."""
    seconds = span // _SECOND
    for i, (size, unit) in enumerate(_UNITS):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            return f"{whole}{unit}{_part(rest, i + 1)}"
    return "0s"


def _part(seconds: int, i: int) -> str:
    if i == len(_UNITS):
        return ""
    size, unit = _UNITS[i]
    return f"{seconds // size}{unit}" if seconds >= size else ""
