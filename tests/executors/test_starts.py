from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from executors.fleet import JobFence
from executors.guard import StartRequest
from executors.refusals import BusyError
from executors.starts import Starts
from executors.taskfiles import BadNameError, Record
from executors.transport import HostError, HostFault
from planner.errors import OrchError
from planner.observed import NodeResources


def request(number: int, name: str = "web.g[0]") -> StartRequest:
    record = Record(
        alloc_id=f"{number:08d}", cluster="c", token="t", job_id="web", group="g", name=name
    )
    fence = JobFence(key="web", epoch=0, index=1)
    return StartRequest(fence=fence, record=record, limits=NodeResources(), tasks=())


@dataclass
class Host:
    """Notes what it is asked to start; refuses some, and breaks once if told to."""

    refused: frozenset[int] = frozenset()
    breaks: bool = False
    steps: list[list[int]] = field(default_factory=list[list[int]])
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def start_all(self, requests: Sequence[StartRequest]) -> tuple[OrchError | None, ...]:
        numbers = [int(r.record.alloc_id) for r in requests]
        self.steps.append(numbers)
        self.asked.set()
        for _ in range(5):
            await asyncio.sleep(0)
        if self.breaks:
            self.breaks = False
            raise HostError("h", HostFault.LOST, "")
        return tuple(BusyError(f"{n}") if n in self.refused else None for n in numbers)


async def started(host: Host, starts: Starts, numbers: Sequence[int]) -> list[object]:
    calls = (starts.start(host, request(n)) for n in numbers)
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_what_is_decided_together_is_sent_together() -> None:
    host = Host()
    assert await started(host, Starts(), range(23)) == [None] * 23
    assert [len(step) for step in host.steps] == [10, 10, 3]
    assert [n for step in host.steps for n in step] == list(range(23))


async def test_what_comes_meanwhile_is_sent_next() -> None:
    host, starts = Host(), Starts()
    first = asyncio.create_task(starts.start(host, request(0)))
    await host.asked.wait()
    await started(host, starts, [1, 2])
    await first
    assert host.steps == [[0], [1, 2]]


async def test_each_hears_of_its_own_refusal() -> None:
    ends = await started(Host(refused=frozenset([1])), Starts(), range(3))
    assert [type(e) for e in ends] == [type(None), BusyError, type(None)]


async def test_a_host_that_is_lost_is_lost_for_all_that_were_sent() -> None:
    host, starts = Host(breaks=True), Starts()
    ends = await started(host, starts, range(12))
    assert [isinstance(e, HostError) for e in ends] == [True] * 10 + [False] * 2


async def test_an_impossible_name_is_that_ones_error_alone() -> None:
    host, starts = Host(), Starts()
    bad = starts.start(host, request(1, name="a\nb"))
    ends = await asyncio.gather(starts.start(host, request(0)), bad, return_exceptions=True)
    assert [type(e) for e in ends] == [type(None), BadNameError]
    assert host.steps == [[0]]


async def test_one_that_gives_up_waiting_is_not_started() -> None:
    host, starts = Host(), Starts()
    first = asyncio.create_task(starts.start(host, request(0)))
    await host.asked.wait()
    second = asyncio.create_task(starts.start(host, request(1)))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await first
    assert (host.steps, starts.waiting) == ([[0]], [])
