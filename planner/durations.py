"""Durations in words."""

from __future__ import annotations

from planner.job import SECOND

_MS = SECOND // 1000


def duration(nanoseconds: int) -> str:
    """A duration as Go writes it: 1m0s, 1.5s, 500ms."""
    if nanoseconds < SECOND:
        return f"{nanoseconds / _MS:g}ms" if nanoseconds else "0s"
    minutes, rest = divmod(nanoseconds, 60 * SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / SECOND:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds
