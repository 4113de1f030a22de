"""What can go wrong with a ledger. Each error says what, where and what to do next."""

from __future__ import annotations

from planner.errors import ConflictError, OrchError


class LedgerError(OrchError):
    """The ledger can't be read or written, or what it holds can't be understood."""


class UnreachableError(LedgerError):
    """The ledger did not answer."""


class RewoundError(LedgerError):
    """The ledger went back behind, or beside, what was seen of it before."""


class OutcomeUnknownError(LedgerError):
    """A write was sent and nobody said whether it arrived. No host was touched because of it."""


class SealedError(ConflictError):
    """The journal was taken over (or removed): this run must stop at once."""


def refused(name: str, reason: str) -> LedgerError:
    """Return the error for a place that leaves a ref as it is though nobody has moved it."""
    return LedgerError(
        f"the ledger {name} refuses to be changed: {reason or 'no reason given'}",
        "look for missing permission, a protected ref, or a left-over *.lock file in the ledger",
    )
