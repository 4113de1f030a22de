"""What the hosts really have and run, as one probe saw it. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MIN_DYNAMIC_PORT = 20_000
MAX_DYNAMIC_PORT = 32_000


class NodeStatus(StrEnum):
    """`unknown` is a host that did not answer, or answered as somebody else: never *empty*."""

    READY = "ready"
    DOWN = "down"
    UNKNOWN = "unknown"


class TaskPhase(StrEnum):
    """State of a task as Nomad words it."""

    PENDING = "pending"
    RUNNING = "running"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvent:
    """One thing that happened to a task; `time` is in nanoseconds since the epoch."""

    time: int
    type: str
    message: str = ""
    details: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """What the supervisor on the host recorded about one task; times in ns, 0 = never."""

    state: TaskPhase = TaskPhase.PENDING
    failed: bool = False
    restarts: int = 0
    started_at: int = 0
    finished_at: int = 0
    last_restart: int = 0
    exit_code: int | None = None
    signal: int = 0
    events: Sequence[TaskEvent] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedAlloc:
    """An allocation record found on a host, with its tasks' states.

    `desired` is what the host was last told (``run`` or ``stop``; ``stop`` is the tombstone),
    `index` and `version` are those of the job when it was started or last updated in place.
    `unattended` says that it should run and that nobody on the host sees to it any more. `spec` is
    the hash of what it was started from, see `planner.fingerprint`; `created` is in ns. `missing`
    and `changed` say which of its containers is gone, or is not as it was made, and how.
    `unreleased` says that it was stopped, and that its host still has to let its room and ports go.
    """

    id: str
    node: str
    name: str
    namespace: str = "default"
    job_id: str
    group: str
    desired: str = "run"
    index: int = 0
    version: int = 0
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    cpu: int = 0
    memory_mb: int = 0
    disk_mb: int = 0
    tasks: Mapping[str, TaskState] = field(default_factory=dict[str, TaskState])
    unattended: bool = False
    unreleased: bool = False
    spec: str = ""
    created: int = 0
    missing: str = ""
    changed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResources:
    """Capacity of a node: MHz, MB, MB and whole cores."""

    cpu: int = 0
    memory_mb: int = 0
    disk_mb: int = 0
    cores: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The scheduler's view of one inventory host.

    `id` is empty until the host is enrolled. `used_ports` are TCP ports that something listens on
    at the moment; `foreign_ports` of them belong to no allocation of this cluster. Whoever keeps
    watching says since when it is unknown (`silent_since`), and when that is too long (`lost_at`),
    in ns; 0 where nobody does.
    """

    name: str
    id: str = ""
    status: NodeStatus = NodeStatus.READY
    reason: str = ""
    datacenter: str = "dc1"
    node_class: str = ""
    node_pool: str = "default"
    eligible: bool = True
    # what runs there is being moved away
    drain: bool = False
    address: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    drivers: frozenset[str] = frozenset()
    host_volumes: frozenset[str] = frozenset()
    # those of them that nobody may write to
    read_only_volumes: frozenset[str] = frozenset()
    resources: NodeResources = field(default_factory=NodeResources)
    reserved: NodeResources = field(default_factory=NodeResources)
    reserved_ports: frozenset[int] = frozenset()
    used_ports: frozenset[int] = frozenset()
    min_dynamic_port: int = MIN_DYNAMIC_PORT
    max_dynamic_port: int = MAX_DYNAMIC_PORT
    # job key → index of the fence that stands on the host
    fences: Mapping[str, int] = field(default_factory=dict[str, int])
    silent_since: int = field(default=0, metadata={"omitempty": True})
    lost_at: int = field(default=0, metadata={"omitempty": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Everything one round of probes saw: nodes by host name, allocations by id."""

    nodes: Mapping[str, Node] = field(default_factory=dict[str, Node])
    allocs: Mapping[str, ObservedAlloc] = field(default_factory=dict[str, ObservedAlloc])
