"""Where each allocation of a plan goes and why, as tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from gitops.view.columns import wrapped_table
from gitops.view.palette import Palette
from gitops.view.score_text import score_table
from planner.action import Action
from planner.plan import Change
from planner.recorded import PortMapping


def placement_lines(changes: Sequence[Change], palette: Palette) -> list[str]:
    """Return one row for each change: allocation, action, node, ports and reason."""
    if not changes:
        return []
    header = ["Alloc", "Action", "Node", "Ports", "Reason"]
    rows = [[c.name, c.action, _node(c), _ports(c.ports), _reason(c)] for c in changes]
    if not any(c.ports for c in changes):
        for row in (header, *rows):
            del row[3]
    return [palette.paint("bold", "Placements:"), *wrapped_table(header, rows)]


def _node(change: Change) -> str:
    if change.action is Action.DESTROY:
        return change.node or change.previous_node
    node = change.node or "<none>"
    moved = change.previous_node not in ("", change.node)
    return f"{change.previous_node} -> {node}" if moved else node


def _reason(change: Change) -> str:
    return f"{change.reason}; starts first" if change.start_first else change.reason


def _ports(ports: Sequence[PortMapping]) -> str:
    return ",".join(f"{p.label}={p.value}" for p in ports)


def score_lines(changes: Sequence[Change]) -> list[str]:
    """Return the scores of the nodes that were looked at for each placement, best first."""
    lines: list[str] = []
    for change in (c for c in changes if c.scores):
        lines += [f"Scores for {change.name}:", *score_table(change.scores), ""]
    return lines[:-1]
