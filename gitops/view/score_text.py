"""Scores of nodes as a table, best first. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gitops.view.columns import table
from planner.node_score import NodeScore


def score_table(scores: Sequence[NodeScore]) -> list[str]:
    """Return each node's scores, a column for each scorer, and their mean."""
    parts = sorted({p for s in scores for p in s.parts})
    ranked = sorted(scores, key=lambda s: (-s.final, s.node))
    rows = [(s.node, *(_score(s.parts.get(p, 0)) for p in parts), _score(s.final)) for s in ranked]
    return table(("Node", *parts, "final score"), rows)


def _score(value: float) -> str:
    return f"{value:.3g}"
