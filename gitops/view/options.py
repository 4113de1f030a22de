"""How statuses are shown. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from gitops.view.moment import ago, timestamp

SHORT = 8
NONE = "<none>"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """`now` is in ns; `verbose` gives full ids and times, `short` leaves out the tables."""

    now: int
    verbose: bool = False
    short: bool = False
    evals: bool = False
    # what tasks use in detail
    stats: bool = False

    def id(self, full: str) -> str:
        """Return an id as long as it is to be shown."""
        return (full if self.verbose else full[:SHORT]) or NONE

    def time(self, moment: int) -> str:
        """Return a time, or its age."""
        return timestamp(moment) if self.verbose else ago(moment, self.now)


def joined(sections: list[list[str]]) -> str:
    """Return sections with an empty line between them; empty ones are left out."""
    return "\n\n".join("\n".join(s) for s in sections if s) + "\n"
