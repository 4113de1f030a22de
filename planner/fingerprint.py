"""A short name for what forces a new allocation of a group: the same name, the same allocation.

It is kept on hosts beside what runs, so that records that were lost can be matched to it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, cast

from planner.job import Job
from planner.update import forcing_values

_LENGTH = 32


def spec_hash(job: Job, group: str) -> str:
    """Return the hash of all fields of `group` that force a new allocation when they change.

    Empty where the job has no such group. Fields that stand at their defaults do not count, so
    that a newer orch with more fields comes to the same hash.
    """
    values = forcing_values(job, group)
    if not values:
        return ""
    text = json.dumps(_plain(values), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON has no closed type
    """Return plain JSON data in one order; what is empty or a default is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: _plain(v) for f in fields(value) if (v := getattr(value, f.name)) != _default(f)
        }
    if isinstance(value, Mapping):
        named = cast("Mapping[object, object]", value)
        return {str(k): _plain(v) for k, v in named.items()}
    if isinstance(value, AbstractSet):
        return sorted((_plain(v) for v in cast("AbstractSet[object]", value)), key=json.dumps)
    if isinstance(value, tuple | list):
        return [_plain(v) for v in cast("tuple[object, ...]", value)]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _default(f: Field[Any]) -> object:
    if f.default_factory is not MISSING:
        return f.default_factory()
    return f.default
