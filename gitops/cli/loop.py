"""Runs what waits for hosts. Commands that ask none do not load what this takes."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end, and return what it came to."""
    import asyncio

    return asyncio.run(work)
