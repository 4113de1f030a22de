"""Why allocations found no node, as the lines that plans, statuses and monitors share."""

from __future__ import annotations

from collections.abc import Mapping

from gitops.view.safe import clean
from planner.failure import PlacementFailure


def failure_title(group: str, failure: PlacementFailure) -> str:
    """Return the line that says how many allocations of the group were not placed."""
    n = failure.coalesced_failures + 1
    plural = "" if n == 1 else "s"
    return f'Task Group "{clean(group)}" (failed to place {n} allocation{plural}):'


def failure_lines(failure: PlacementFailure) -> list[str]:
    """Return what kept the nodes from being used, one reason a line."""
    lines: list[str] = []
    if failure.nodes_evaluated == 0:
        lines.append("* No nodes were eligible for evaluation")
    empty = sorted(dc for dc, n in failure.nodes_available.items() if n == 0)
    lines += [f'* No nodes are available in datacenter "{clean(dc)}"' for dc in empty]
    lines += _counted('Class "{}": {} nodes excluded by filter', failure.class_filtered)
    lines += _counted('Constraint "{}": {} nodes excluded by filter', failure.constraint_filtered)
    if failure.nodes_exhausted:
        lines.append(f"* Resources exhausted on {failure.nodes_exhausted} nodes")
    lines += _counted('Class "{}" exhausted on {} nodes', failure.class_exhausted)
    lines += _counted('Dimension "{}" exhausted on {} nodes', failure.dimension_exhausted)
    return lines


def _counted(form: str, counts: Mapping[str, int]) -> list[str]:
    return [f"* {form.format(clean(name), n)}" for name, n in sorted(counts.items())]
