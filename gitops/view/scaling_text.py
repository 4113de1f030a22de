"""Changes of counts as text. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gitops.view.columns import table
from gitops.view.moment import timestamp
from gitops.view.options import joined
from planner.job_notes import ScalingEvent


def events_table(events: Sequence[ScalingEvent]) -> str:
    """Return the table of events, in the order given."""
    rows = [(e.group, e.count, e.previous_count, timestamp(e.time)) for e in events]
    if not rows:
        return "No events found\n"
    return joined([table(("Task Group", "Count", "PrevCount", "Date"), rows)])
