"""The closed set of what a plan can do to an allocation, with Nomad's words and marks."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """One kind of change. The value is the word that plans and annotations use."""

    CREATE = "create"
    CANARY = "canary"
    MIGRATE = "migrate"
    DESTRUCTIVE = "create/destroy update"
    DESTROY = "destroy"
    IN_PLACE = "in-place update"
    IGNORE = "ignore"

    @property
    def touches(self) -> bool:
        """Whether tasks are started or stopped (what the exit code of `plan` counts in Nomad)."""
        return self not in (Action.IN_PLACE, Action.IGNORE)
