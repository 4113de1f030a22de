"""Host names with ranges, ``web[01:20].example.org``, spelled out. Bounded."""

from __future__ import annotations

import re

# Hosts that one inventory entry may stand for.
RANGE_LIMIT = 10_000

_RANGE = re.compile(r"\[([A-Za-z]|\d{1,9}):([A-Za-z]|\d{1,9})(?::(\d{1,9}))?\]")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")


def expanded(entry: str) -> tuple[str, ...]:
    """Return the host names that an entry stands for; `ValueError` says what is wrong with it."""
    names = [entry]
    while (found := _RANGE.search(names[0])) is not None:
        span = found.span()
        parts = _items(found)
        if len(parts) * len(names) > RANGE_LIMIT:
            raise ValueError(f"stands for more than {RANGE_LIMIT} hosts")
        # every name has the same text after the first range that is left, but maybe not before it
        tail = len(names[0]) - span[1]
        head = span[1] - span[0] + tail
        names = [n[:-head] + p + n[len(n) - tail :] for n in names for p in parts]
    bad = next((n for n in names if not _HOST.fullmatch(n)), None)
    if bad is not None:
        raise ValueError(_advice(bad))
    return tuple(names)


def _items(found: re.Match[str]) -> list[str]:
    first, last, step = found[1], found[2], int(found[3] or 1)
    if first.isdigit() != last.isdigit() or step == 0:
        raise ValueError(f"{found[0]} is not a range")
    if first.isdigit():
        if len(first) > 1 and first[0] == "0" and len(first) != len(last):
            raise ValueError(f"{found[0]}: both ends need as many digits")
        width = len(first) if first[0] == "0" else 0
        numbers = range(int(first), int(last) + 1, step)
        out = [str(n).zfill(width) for n in numbers[: RANGE_LIMIT + 1]]
    else:
        out = [chr(n) for n in range(ord(first), ord(last) + 1, step)]
    if not out:
        raise ValueError(f"{found[0]} is empty: its first end must be the smaller one")
    return out


def _advice(name: str) -> str:
    if ":" in name:
        return f"{name!r} is not a host name; a port goes into ansible_port, an address into \
ansible_host"
    return f"{name!r} is not a host name: letters, digits, '-', '_' and '.'"
