"""Amounts of memory and disk in the unit that suits them. Knows no values."""

from __future__ import annotations

_KIB = 1024
_MIB = _KIB * _KIB
_TEN = 10
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(megabytes: int) -> str:
    """Return an amount given in MiB in the unit that suits it, with two digits or more."""
    return amount(megabytes * _MIB)


def amount(size_in_bytes: int) -> str:
    """Return an amount given in bytes in the unit that suits it, with two digits or more."""
    value, unit = float(size_in_bytes), 0
    while value >= _KIB and unit < len(_UNITS) - 1:
        value, unit = value / _KIB, unit + 1
    text = f"{value:.1f}" if value < _TEN and not value.is_integer() else f"{value:.0f}"
    return f"{text} {_UNITS[unit]}"
