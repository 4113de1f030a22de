"""Functions of encodings."""

from __future__ import annotations

from gitops.jobspec.functions.lazily import Eager

FUNCTIONS: dict[str, Eager] = {}
