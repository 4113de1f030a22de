"""A run that only looks at hosts: to watch how allocations fare, with nothing to decide."""

from __future__ import annotations

from collections.abc import Sequence

from executors.clock import Clock
from executors.fleet import Fleet
from executors.run import Run
from gitops.planning import Look
from planner.errors import OrchError
from planner.recorded import JobChange


class _Unwritten:
    """A journal for looks alone."""

    def append(self, kind: str, changes: Sequence[JobChange], time: int) -> None:
        """Refuse: nothing is decided here."""
        del changes, time
        raise OrchError(f"nothing is decided while allocations are watched: {kind}")


def looking_run(look: Look, fleet: Fleet, clock: Clock) -> Run:
    """Return a run that knows what `look` has found; its journal refuses every decision."""
    return Run(
        id="",
        recorded=look.recorded,
        observed=look.observed,
        journal=_Unwritten(),
        fleet=fleet,
        clock=clock,
        ids=lambda: "",
        tell=lambda _: None,
    )
