"""A container that was made and waits to be started, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A container that waits to be started: what its task's record is bound to."""

    task: str
    bound: Mapping[str, str]
    is_new: bool = True


def is_supervised(bound: Mapping[str, str]) -> bool:
    """Whether a supervisor on the host sees to the container, and not dockerd."""
    return bound.get("supervised") == "1"
