"""What of a job's past is kept, and what may be forgotten. Pure."""

from __future__ import annotations

from collections import defaultdict

from planner.recorded import AllocRecord, Desired, JobState

# Ended allocations that are kept per name, for their logs and for rescheduling.
KEPT_PER_NAME = 5
_ENDS_BY_ITSELF = ("batch", "sysbatch")


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


def garbage(state: JobState) -> tuple[AllocRecord, ...]:
    """Return the ended allocations that no later decision needs.

    Those that were told to stop and have; not those that another one was rescheduled from, since
    they count; and none of a batch job that is not stopped: that they have run is why it does not
    run again.
    """
    job = state.current.job if state.current else None
    if job is not None and job.type in _ENDS_BY_ITSELF and not job.stop:
        return ()
    by_id = {a.id: a for a in state.allocs}
    needed: set[str] = set()
    for alloc in state.allocs:
        before = alloc.previous
        for _ in range(alloc.reschedules if alloc.desired is Desired.RUN else 0):
            needed.add(before)
            before = by_id[before].previous if before in by_id else ""
    return tuple(
        a
        for a in state.allocs
        if a.desired is Desired.STOP and a.client.terminal and a.id not in needed
    )
