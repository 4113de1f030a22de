from __future__ import annotations

import pytest

from executors.stats import HostUsage, Usage, parse, usage
from executors.transport import HostError
from tests.executors.on_host import HostUnderTest, eventually, host

__all__ = ["host"]

SAID = b"""\
orch-probe\t1
unit\t100\t4096
time\t1000
host\t500\t9000
use\taaaaaaaa\tt\t10\t5
time\t1500
host\t550\t9100
use\taaaaaaaa\tt\t35\t7
use\taaaaaaaa\tu\t35\tx
nonsense
memory\t1000\t400
disk\t2000\t\x1b[1m
end\torch-probe
"""


def test_two_samples_make_a_speed() -> None:
    found = parse(SAID, "h")
    assert found.host == Usage(cores=1.0, memory=400 * 1024)
    assert found.of("aaaaaaaa") == {"t": Usage(cores=0.5, memory=7 * 4096), "u": Usage()}
    assert (found.memory_total, found.disk, found.disk_total) == (1000 * 1024, 0, 2000 * 1024)


def test_an_answer_that_is_cut_is_refused() -> None:
    with pytest.raises(HostError, match="cut off"):
        parse(SAID.rpartition(b"end")[0], "h")


async def test_what_a_task_uses_with_its_children(host: HostUnderTest) -> None:
    script = "sh -c 'while :; do :; done' & echo up; while :; do sleep 1; done"
    record = await host.start(host.task(script))
    await host.until_output(record, b"up")

    async def look() -> HostUsage | None:
        found = await usage(host.transport, str(host.data), [record.alloc_id])
        return found if found.of(record.alloc_id)["t"].cores > 0 else None

    found = await eventually(look, "it gets no time")
    task = found.of(record.alloc_id)["t"]
    assert 0 < task.memory < found.host.memory < found.memory_total
    await host.stop(record)
    after = await usage(host.transport, str(host.data), [record.alloc_id])
    assert after.of(record.alloc_id) == {"t": Usage()}
