"""What is noted of a job beside its spec: names given to versions, and changes of counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.job import Job

# Changes of counts that are kept, per group.
KEPT_EVENTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTag:
    """The name that somebody gave a version, why, and when (ns)."""

    name: str
    description: str = ""
    tagged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingEvent:
    """A change of a group's count by itself, apart from its file; `time` in ns."""

    group: str
    count: int
    previous_count: int
    time: int


def scaling_events(old: Job | None, new: Job, now: int) -> tuple[ScalingEvent, ...]:
    """Return how the counts of two specs of a job differ, as events of the moment `now` (ns)."""
    before = {g.name: g.count for g in old.task_groups} if old else dict[str, int]()
    return tuple(
        ScalingEvent(group=g.name, count=g.count, previous_count=before[g.name], time=now)
        for g in new.task_groups
        if before.get(g.name, g.count) != g.count
    )


def kept_events(events: Iterable[ScalingEvent]) -> tuple[ScalingEvent, ...]:
    """Return the events, oldest first, without those of each group that are too old to keep."""
    found = tuple(events)
    left = dict.fromkeys({e.group for e in found}, KEPT_EVENTS)
    kept: list[ScalingEvent] = []
    for event in reversed(found):
        left[event.group] -= 1
        if left[event.group] >= 0:
            kept.append(event)
    return tuple(reversed(kept))
