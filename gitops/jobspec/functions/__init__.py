"""The functions of the job language, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gitops.jobspec.functions import (
    collection,
    encoding,
    lazily,
    network,
    numeric,
    reading,
    secrecy,
    setwise,
    strings,
    times,
    yaml_text,
)
from gitops.jobspec.scope import Function

_MODULES = (
    collection,
    encoding,
    network,
    numeric,
    reading,
    secrecy,
    setwise,
    strings,
    times,
    yaml_text,
)


@cache
def functions() -> Mapping[str, Function]:
    """Return all functions of the language."""
    table: dict[str, Function] = dict(lazily.FUNCTIONS)
    for module in _MODULES:
        table |= {name: lazily.eager(function) for name, function in module.FUNCTIONS.items()}
    return table
