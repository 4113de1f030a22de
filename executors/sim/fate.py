"""What becomes of one message over a network that can't be relied on."""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    """What becomes of one request and its answer."""

    ARRIVES = "arrives"
    # it never gets there
    FAILS = "fails"
    # it is done, and nobody says so
    UNANSWERED = "unanswered"
    # nobody says what became of it; it is done some time later, whoever has sent it
    LATE = "late"
    # it is done, and done again
    TWICE = "twice"
