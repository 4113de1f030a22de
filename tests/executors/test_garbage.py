from __future__ import annotations

from dataclasses import replace

import pytest

from executors import probe
from executors.fleet import JobFence
from executors.probe import HostFence, Probe
from executors.refusals import FencedError
from executors.transport import HostError
from tests.executors.on_host import CLUSTER, HostUnderTest, host

__all__ = ["host"]


async def probed(host: HostUnderTest) -> Probe:
    done = await host.transport.run(probe.command(str(host.data), CLUSTER))
    return probe.parse(done.stdout, "h", CLUSTER)


async def test_forgotten_fences_leave_a_floor(host: HostUnderTest) -> None:
    other = JobFence(key="a b/c@ns", epoch=0, index=7, commit="c7")
    await host.guard.raise_fences([other])
    await host.guard.collect([host.fence, other], [])
    seen = await probed(host)
    assert (seen.fences, seen.floor) == ({}, HostFence(epoch=0, index=7))
    assert seen.decisions == (HostFence(epoch=0, index=7),)
    # Whoever was frozen in the middle of an old decision comes too late, about any job.
    for old in (host.fence, other, replace(other, commit="x"), JobFence(key="n", epoch=0, index=3)):
        with pytest.raises(FencedError):
            await host.guard.raise_fences([old])
    with pytest.raises(FencedError):
        await host.start(host.task("exec sleep 100"))
    await host.guard.raise_fences([replace(host.fence, index=8)])
    assert (await probed(host)).fences == {"web": HostFence(epoch=0, index=8)}


async def test_a_floor_never_sinks(host: HostUnderTest) -> None:
    await host.guard.collect([replace(host.fence, index=9)], [])
    assert (await probed(host)).fences == {}
    await host.guard.raise_fences([replace(host.fence, index=10)])
    await host.guard.collect([replace(host.fence, index=4)], [])
    seen = await probed(host)
    assert seen.floor == HostFence(epoch=0, index=9)
    # A fence that was raised meanwhile stays.
    assert seen.fences == {"web": HostFence(epoch=0, index=10)}
    await host.guard.collect([replace(host.fence, epoch=1, index=1)], [])
    assert (await probed(host)).floor == HostFence(epoch=1, index=1)
    assert (await probed(host)).fences == {}


async def test_nothing_to_drop_leaves_no_floor(host: HostUnderTest) -> None:
    (host.data / "records/.new-start").mkdir()
    await host.guard.collect([], [])
    seen = await probed(host)
    assert (seen.floor, list(seen.fences)) == (None, ["web"])
    assert list((host.data / "records").iterdir()) == []


async def test_a_damaged_floor_is_not_taken_for_none(host: HostUnderTest) -> None:
    floor = host.data / "clusters" / CLUSTER / "floor"
    floor.write_text("")
    with pytest.raises(HostError, match="the floor of its fences is damaged"):
        await probed(host)
    floor.write_text("1 x\n")
    with pytest.raises(HostError, match="damaged"):
        await probed(host)
