"""The functions of the job language, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gitops.jobspec.expressions import Function
from gitops.jobspec.functions import (
    collection,
    encoding,
    lazily,
    network,
    numeric,
    strings,
    times,
    yaml_text,
)

# Known to the language, and not offered here: the error says so instead of "no such function".
UNAVAILABLE = [
    "abspath",
    "bcrypt",
    "file",
    "filebase64",
    "fileexists",
    "fileset",
    "pathexpand",
    "rsadecrypt",
    "uuidv4",
    "yamldecode",
    "yamlencode",
]


@cache
def functions() -> Mapping[str, Function]:
    """Return all functions of the language, those that are not available too."""
    table: dict[str, Function] = dict.fromkeys(UNAVAILABLE, lazily.unavailable)
    table |= lazily.FUNCTIONS
    for module in (collection, encoding, network, numeric, strings, times, yaml_text):
        table |= {name: lazily.eager(function) for name, function in module.FUNCTIONS.items()}
    return table
