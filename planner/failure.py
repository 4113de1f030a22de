"""Why a placement failed, as plans show it and evaluations keep it. A value only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementFailure:
    """Why a group could not be placed in full; counts are of nodes."""

    nodes_evaluated: int = 0
    nodes_filtered: int = 0
    nodes_exhausted: int = 0
    nodes_in_pool: int = 0
    node_pool: str = "default"
    nodes_available: Mapping[str, int] = field(default_factory=dict[str, int])
    class_filtered: Mapping[str, int] = field(default_factory=dict[str, int])
    constraint_filtered: Mapping[str, int] = field(default_factory=dict[str, int])
    class_exhausted: Mapping[str, int] = field(default_factory=dict[str, int])
    dimension_exhausted: Mapping[str, int] = field(default_factory=dict[str, int])
    coalesced_failures: int = 0
