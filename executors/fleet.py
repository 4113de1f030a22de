"""What an apply does to hosts, as one Protocol: the real fleet over SSH and the simulated one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from executors.checks import BoundCheck
from executors.handled import Handled
from planner.check_status import CheckAnswer
from planner.observed import Node, ObservedAlloc
from planner.recorded import AllocRecord
from planner.steps import Start, Stop, Update


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFence:
    """The newest decision about a job that a host may act on: ledger epoch, index and commit."""

    key: str
    epoch: int
    index: int
    commit: str = ""


class Fleet(Protocol):
    """Effects on hosts. Each is idempotent; each failure is a `HostError` or a `GuardError`."""

    async def enrol(self, node: Node, node_id: str) -> str:
        """Give the host its id unless it has one; return the id that stands."""
        ...

    async def fence(self, node: Node, fences: Sequence[JobFence]) -> None:
        """Raise fences; refused where the host has seen a newer decision."""
        ...

    async def start(self, step: Start, node: Node) -> None:
        """Reserve and start the allocation, guarded on the host."""
        ...

    def pulled(self) -> Mapping[str, str]:
        """Digests, by reference, that starts have found out so far, where nobody had told one."""
        ...

    async def stop(self, step: Stop, node: Node) -> None:
        """Tombstone the allocation, end its tasks, and return when they are dead."""
        ...

    async def update(self, step: Update, node: Node) -> None:
        """Write the new version and policies beside the running tasks."""
        ...

    async def restart(self, node: Node, fence: JobFence, handled: Handled) -> None:
        """End tasks that run, so that they begin anew; return when they ended."""
        ...

    async def remove(self, node: Node, fence: JobFence, alloc: str) -> None:
        """Forget an ended allocation, its directory and its tombstone."""
        ...

    async def look(self, host: str) -> tuple[Node, tuple[ObservedAlloc, ...]]:
        """Probe one host anew."""
        ...

    async def inspect(self, host: str, allocs: Sequence[str]) -> tuple[ObservedAlloc, ...]:
        """Return those of the allocations that the host has."""
        ...

    async def check(self, host: str, bound: BoundCheck) -> CheckAnswer:
        """Make a service check once; return its result."""
        ...

    async def tail(self, alloc: AllocRecord, task: str, lines: int) -> str:
        """Return the last lines of a task's log, stderr after stdout."""
        ...
