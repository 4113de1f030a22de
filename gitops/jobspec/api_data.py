"""Reads API-shaped data, which may come from anywhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

from planner.codec import FormatError

Data: TypeAlias = "dict[str, object]"


def as_data(given: object) -> Data:
    """Return an object; an empty one for null. Raises `FormatError` for anything else."""
    if given is not None and not isinstance(given, dict):
        raise FormatError(f"expected an object, got {str(given)[:40]!r}")
    return cast("Data", given) if given else {}


def as_items(given: object) -> list[Data]:
    """Return a list of objects; an empty one for null. Raises `FormatError` for anything else."""
    if given is not None and not isinstance(given, list):
        raise FormatError(f"expected a list, got {str(given)[:40]!r}")
    return [as_data(item) for item in cast("list[object]", given or [])]


def merged(*layers: Data) -> Data:
    """Return the fields of all layers that are not null; a later one's win."""
    return {k: v for layer in layers for k, v in layer.items() if v is not None}


def without_empty(given: Mapping[str, object]) -> Data:
    """Return the fields with null for empty lists and maps."""
    return {k: None if v in ([], {}) else v for k, v in given.items()}
