"""Durations as they are written, ``1h30m``, and as whole nanoseconds. Pure."""

from __future__ import annotations

import re
from fractions import Fraction

from gitops.jobspec.values import ValueFault

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"(\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(ns|us|µs|ms|s|m|h)")
_LIMIT = 2**63


def parse_duration(text: str) -> int:
    """Return the nanoseconds of ``1h30m5.5s``; raises `ValueFault`."""
    sign = -1 if text.startswith("-") else 1
    body = text.removeprefix("-").removeprefix("+")
    if body == "0":
        return 0
    parts = list(_PART.finditer(body))
    if not parts or "".join(p.group() for p in parts) != body:
        raise ValueFault(f"{text[:40]!r} is no duration; write it as 30s, 10m or 1h30m")
    total = sum((Fraction(p.group(1)) * _UNITS[p.group(2)] for p in parts), Fraction(0))
    if total >= _LIMIT:
        raise ValueFault(f"the duration {text[:40]!r} is too long")
    return sign * int(total)
