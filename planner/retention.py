"""What of a job's past is kept, and what may be forgotten. Pure."""

from __future__ import annotations

from collections import defaultdict

from planner.recorded import AllocRecord, JobState

# Ended allocations that are kept per name, for their logs and for rescheduling.
KEPT_PER_NAME = 5


def forgettable(state: JobState) -> tuple[AllocRecord, ...]:
    """Return the ended allocations that are neither among the newest of their name nor in use."""
    names: dict[str, list[AllocRecord]] = defaultdict(list)
    for alloc in state.allocs:
        if alloc.terminal and alloc.client.terminal:
            names[alloc.name].append(alloc)
    used = {a.previous for a in state.allocs if not a.terminal}
    return tuple(
        alloc
        for ended in names.values()
        for alloc in sorted(ended, key=lambda a: (a.created, a.id))[:-KEPT_PER_NAME]
        if alloc.id not in used
    )
