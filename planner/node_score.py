"""How good a node was for one placement. A value, and how much of it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Decimals of scores that are recorded: more than are ever shown.
_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeScore:
    """How good a node was for one placement: each scorer's part, and their mean."""

    node: str
    parts: Mapping[str, float] = field(default_factory=dict[str, float])
    final: float = 0.0


def kept(scores: Iterable[NodeScore]) -> tuple[NodeScore, ...]:
    """Return scores as an allocation's record keeps them: rounded."""
    return tuple(
        NodeScore(
            node=s.node,
            parts={name: round(part, _KEPT) for name, part in s.parts.items()},
            final=round(s.final, _KEPT),
        )
        for s in scores
    )
