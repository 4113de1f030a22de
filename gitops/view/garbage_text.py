"""What nothing needs any more, as text and JSON data. Decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gitops.garbage import Item, Kind
from gitops.view.columns import wrapped_table
from gitops.view.options import StatusView, joined

if TYPE_CHECKING:
    from gitops.view import fleet_shapes

_SHOWN = 30
NOTHING = "There is nothing to remove."


def garbage_list(items: Sequence[Item], view: StatusView) -> str:
    """Return the table of what can go, and how much of each kind."""
    if not items:
        return f"{NOTHING}\n"
    shown = items if view.verbose else items[:_SHOWN]
    rows = [(i.kind, i.host, _id(i, view), i.name, i.why) for i in shown]
    lines = wrapped_table(("Kind", "Host", "ID", "Name", "Why"), rows)
    if len(items) > len(shown):
        lines.append(f"… and {len(items) - len(shown)} more")
    return joined([lines, [f"{counted(items)} can be removed."]])


def counted(items: Sequence[Item]) -> str:
    """Return how many there are of each kind."""
    counts = Counter(i.kind for i in items)
    parts = [f"{counts[k]} {k}{'s' if counts[k] > 1 else ''}" for k in Kind if counts[k]]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def garbage_data(items: Sequence[Item], gone: Sequence[Item]) -> list[fleet_shapes.GarbageItem]:
    """Return what can go, and whether it has gone."""
    removed = {(i.kind, i.host, i.id) for i in gone}
    return [
        {
            "Kind": i.kind.value,
            "Host": i.host,
            "ID": i.id,
            "Job": i.job,
            "Name": i.name,
            "Reason": i.why,
            "Removed": (i.kind, i.host, i.id) in removed,
        }
        for i in items
    ]


def _id(item: Item, view: StatusView) -> str:
    return "" if item.kind is Kind.FENCE else view.id(item.id)
