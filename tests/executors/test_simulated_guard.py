"""The guarded steps of a simulated host and those of the real scripts agree, case by case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from executors.fleet import JobFence
from executors.guard import UpdateRequest
from executors.handled import Handled
from executors.refusals import GuardError
from executors.sim.disk import Asked, Caller
from executors.sim.host import SimulatedHost
from executors.taskfiles import Record
from planner.job import SECOND, Task, TaskGroup
from planner.observed import Node
from tests.executors.on_host import CLUSTER, NODE, HostUnderTest, host

__all__ = ["host"]

GROUP = TaskGroup(name="g", tasks=(Task(name="t"),))
IDLE = "exec sleep 100"


@dataclass(slots=True, kw_only=True)
class Pair:
    """A real host and a simulated one; each step is asked of both."""

    real: HostUnderTest
    time: int = 0
    simulated: SimulatedHost = field(init=False)
    node: str = NODE

    def __post_init__(self) -> None:
        node = Node(name=self.real.transport.host)
        self.simulated = SimulatedHost(node=node, now=lambda: self.time)
        self.simulated.disk.node_id = NODE
        self.simulated.disk.raise_fence(self.caller, self.real.fence)

    @property
    def caller(self) -> Caller:
        return Caller(cluster=CLUSTER, node_id=self.node)

    def asked(self, record: Record) -> Asked:
        return Asked(
            fence=self.real.fence,
            record=record,
            group=GROUP,
            job_type="service",
            limits=self.real.limits,
        )

    async def start(self, record: Record) -> str:
        request = self.real.request(self.real.task(IDLE), record=record)
        guard = replace(self.real.guard, node_id=self.node)
        return await self._both(
            guard.start(request), lambda: self.simulated.start(self.caller, self.asked(record))
        )

    async def stop(self, record: Record) -> str:
        def simulated() -> None:
            self.simulated.begin_stop(self.caller, self.asked(record))
            self.time += 60 * SECOND
            assert not self.simulated.stop_wait(record.alloc_id)

        return await self._both(self.real.stop(record), simulated)

    async def update(self, record: Record) -> str:
        request = UpdateRequest(fence=self.real.fence, record=record)
        return await self._both(
            self.real.guard.update(request),
            lambda: self.simulated.update(self.caller, self.asked(record)),
        )

    async def restart(self, record: Record, fence: JobFence | None = None) -> str:
        fence = fence or self.real.fence
        handled = Handled(alloc_id=record.alloc_id, tasks=("t",), blame="its check fails")
        return await self._both(
            self.real.guard.restart(fence, handled),
            lambda: self.simulated.restart(self.caller, fence, handled),
        )

    async def remove(self, record: Record) -> str:
        fence = self.real.fence
        return await self._both(
            self.real.guard.remove(fence, record.alloc_id),
            lambda: self.simulated.remove(self.caller, fence, record.alloc_id),
        )

    async def raise_fence(self, fence: JobFence) -> str:
        return await self._both(
            self.real.guard.raise_fences([fence]),
            lambda: self.simulated.disk.raise_fence(self.caller, fence),
        )

    async def _both(self, real: Awaitable[object], simulated: Callable[[], object]) -> str:
        """Return how both ended: the kind of the refusal, or nothing."""
        told: list[tuple[str, str]] = []
        try:
            await real
            told.append(("", ""))
        except GuardError as e:
            told.append((type(e).__name__, e.message))
        try:
            simulated()
            told.append(("", ""))
        except GuardError as e:
            told.append((type(e).__name__, e.message))
        assert told[0] == told[1]
        return told[0][0]


async def test_starts_and_stops(host: HostUnderTest) -> None:
    both = Pair(real=host)
    one, two = host.record(1), host.record(2)
    assert await both.start(one) == ""
    assert await both.start(one) == "", "again"
    assert await both.start(replace(one, token="another")) == "TakenError"
    assert await both.remove(one) == "StillAliveError"
    assert await both.stop(one) == ""
    assert await both.stop(one) == "", "again"
    assert await both.start(one) == "TombstonedError"
    assert await both.stop(two) == "", "never heard of"
    assert await both.start(two) == "TombstonedError"
    assert await both.remove(one) == ""
    assert await both.remove(one) == "", "again"


async def test_restarts(host: HostUnderTest) -> None:
    both = Pair(real=host)
    one = host.record(1)
    assert await both.restart(one) == "DamagedError", "never heard of"
    assert await both.start(one) == ""
    await host.until(one, "running")
    both.time += SECOND
    assert await both.restart(one, replace(host.fence, index=99)) == "FencedError"
    assert await both.restart(one) == ""
    life = both.simulated.disk.records[one.alloc_id].life
    assert life is not None
    both.time += SECOND
    events = [e for e in life.at(both.time).tasks["t"].events if e.type == "Restart Signaled"]
    assert [e.message for e in events] == ["its check fails"]
    assert await both.stop(one) == ""
    assert await both.restart(one) == "TombstonedError"


async def test_room_and_ports(host: HostUnderTest) -> None:
    both = Pair(real=host)
    assert await both.start(host.record(1, cpu=600, ports={"http": 29_871})) == ""
    assert await both.start(host.record(2, cpu=401)) == "NoRoomError"
    assert await both.start(host.record(3, memory_mb=901)) == "NoRoomError"
    assert await both.start(host.record(4, disk_mb=901)) == "NoRoomError"
    assert await both.start(host.record(5, ports={"x": 29_872, "y": 29_871})) == "PortTakenError"
    assert await both.start(host.record(6, cpu=400, ports={"x": 29_872})) == ""
    assert await both.stop(host.record(1)) == ""
    assert await both.start(host.record(7, cpu=600, ports={"http": 29_871})) == ""


async def test_fences_and_nodes(host: HostUnderTest) -> None:
    both = Pair(real=host)
    one, old = host.record(1), host.fence
    assert await both.start(one) == ""
    newer = JobFence(key="web", epoch=old.epoch, index=9, commit="c9")
    assert await both.raise_fence(newer) == ""
    assert await both.raise_fence(newer) == "", "again"
    assert await both.raise_fence(replace(newer, commit="other")) == "FencedError"
    assert await both.raise_fence(replace(newer, index=8)) == "FencedError"
    for refused in (both.start, both.stop, both.update, both.remove):
        assert await refused(one) == "FencedError"
    host.fence = newer
    assert await both.start(one) == ""
    both.node = "99999999"
    assert await both.start(one) == "OtherNodeError"


async def test_updates(host: HostUnderTest) -> None:
    both = Pair(real=host)
    one = host.record(1)
    assert await both.update(one) == "DamagedError", "not there"
    assert await both.start(one) == ""
    assert await both.update(replace(one, version=2, index=7)) == ""
    assert await both.update(replace(one, token="another")) == "TakenError"
    assert await both.stop(one) == ""
    assert await both.update(one) == "TombstonedError"
