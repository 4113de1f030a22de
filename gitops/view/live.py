"""What was seen of an allocation or a node at the moment of asking. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from executors.stats import HostUsage, Usage
from planner.observed import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A service check that was made just now; `why` is empty where it succeeded."""

    service: str
    task: str
    name: str
    mode: str = "healthiness"
    kind: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What an allocation's tasks use, by name, on which node, and what its checks said."""

    usage: Mapping[str, Usage] = field(default_factory=dict[str, Usage])
    node: Node | None = None
    checks: tuple[CheckResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLive:
    """What a node's host uses, the allocations of this cluster on it, and what its sshd allows."""

    usage: HostUsage = field(default_factory=HostUsage)
    forwarding: str = ""
    allocs: tuple[str, ...] = ()


def megahertz(usage: Usage, node: Node | None) -> int:
    """Return how much of a node's compute is used, in MHz."""
    if node is None or not node.resources.cores:
        return 0
    return round(usage.cores * node.resources.cpu / node.resources.cores)
