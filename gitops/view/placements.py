"""Where each allocation of a plan goes and why, as tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from gitops.view.columns import table, wrapped_table
from gitops.view.palette import Palette
from planner.action import Action
from planner.plan import Change
from planner.recorded import PortMapping


def placement_lines(changes: Sequence[Change], palette: Palette) -> list[str]:
    """Return one row for each change: allocation, action, node, ports and reason."""
    if not changes:
        return []
    header = ["Alloc", "Action", "Node", "Ports", "Reason"]
    rows = [[c.name, c.action, _node(c), _ports(c.ports), c.reason] for c in changes]
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


def _ports(ports: Sequence[PortMapping]) -> str:
    return ",".join(f"{p.label}={p.value}" for p in ports)


def score_lines(changes: Sequence[Change]) -> list[str]:
    """Return the scores of the nodes that were looked at for each placement, best first."""
    lines: list[str] = []
    for change in (c for c in changes if c.scores):
        parts = sorted({p for s in change.scores for p in s.parts})
        ranked = sorted(change.scores, key=lambda s: (-s.final, s.node))
        rows = [
            (s.node, *(_score(s.parts.get(p, 0)) for p in parts), _score(s.final)) for s in ranked
        ]
        lines += [f"Scores for {change.name}:", *table(("Node", *parts, "final score"), rows), ""]
    return lines[:-1]


def _score(value: float) -> str:
    return f"{value:.3g}"
