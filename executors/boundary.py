"""The points an apply passes around each write: a crash at any of them must converge."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Boundary(StrEnum):
    """In the order in which a run comes to them; those of a wave come once per wave or step."""

    PLANNED = "planned, nothing written"
    BEGUN = "jobs taken in the ledger, no host touched"
    ENROLLED = "hosts enrolled, their ids not recorded yet"
    FENCED = "nodes recorded, fences raised on the hosts"
    INTENDED = "a wave's intents journalled"
    STOPPED = "an allocation stopped"
    STARTED = "an allocation started"
    UPDATED = "an allocation updated in place"
    RECORDED = "a wave's results journalled"
    JUDGED = "an allocation's health journalled"
    ANSWERED = "what somebody asked for journalled, with the answer"
    CONCLUDED = "a deployment's end journalled"
    FOLDED = "the journal folded into the state, its ref still there"


# Told of each boundary just after it was passed.
Passing = Callable[[Boundary], None]


def pass_by(boundary: Boundary) -> None:
    """Do nothing at a boundary: what an apply does outside of tests."""
