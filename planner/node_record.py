"""What is recorded about a host: who it is, and what somebody has decided about it. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainStrategy:
    """How a node is drained. Times in ns.

    What has not moved after `deadline` of watched time is moved all at once: 0 is at once, a
    negative one never. With `ignore_system` system jobs stay. `started` is when it was decided.
    """

    deadline: int
    ignore_system: bool = False
    started: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """What is recorded about an enrolled host, by its random id.

    `lost` is when (ns) somebody declared it lost; as long as it does not answer, it counts as down.
    """

    id: str
    name: str
    eligible: bool = True
    host_key: str = ""
    machine_id: str = ""
    drain: DrainStrategy | None = field(default=None, metadata={"omitempty": True})
    lost: int = field(default=0, metadata={"omitempty": True})
