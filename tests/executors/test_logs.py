from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from executors.logs import LogSource, LogStream, NoLogsError, Tail, follow, read
from executors.taskfiles import BadNameError, TaskPolicy
from planner.job import SECOND, LogConfig, RestartPolicy
from tests.executors.on_host import HostUnderTest, host

__all__ = ["host"]


def source(host: HostUnderTest, task: str = "t") -> LogSource:
    return LogSource(alloc_id=host.record().alloc_id, task=task, data_dir=str(host.data))


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (Tail(), b"1\n2\n3\n4\n"),
        (Tail(lines=2), b"3\n4\n"),
        (Tail(lines=0), b""),
        (Tail(lines=99), b"1\n2\n3\n4\n"),
        (Tail(size=3), b"\n4\n"),
    ],
)
async def test_tail_goes_over_rotated_files(
    host: HostUnderTest, tail: Tail, expected: bytes
) -> None:
    record = await host.start(host.task("exit 0"))
    await host.until_dead(record)
    logs = host.data / "alloc" / record.alloc_id / "alloc" / "logs"
    for number, text in ((9, "1\n2\n"), (10, "3\n"), (11, "4\n")):
        (logs / f"t.stdout.{number}").write_text(text)
    (logs / "t.stdout.x").write_text("no")
    (logs / "t.stdout.0").unlink(missing_ok=True)
    assert await read(host.transport, source(host), tail) == expected


async def test_stopped_allocation_still_has_its_logs(host: HostUnderTest) -> None:
    record = await host.start(host.task("echo up; echo bad >&2; exec sleep 100"))
    await host.until_output(record, b"up")
    await host.stop(record)
    assert await read(host.transport, source(host)) == b"up\n"
    err = replace(source(host), stream=LogStream.STDERR)
    assert await read(host.transport, err) == b"bad\n"


async def test_no_directory_no_logs(host: HostUnderTest) -> None:
    with pytest.raises(NoLogsError, match="00000001"):
        await read(host.transport, source(host))
    with pytest.raises(BadNameError):
        await read(host.transport, source(host, "../../x"))


async def test_following_goes_on_through_rotation_and_restarts(host: HostUnderTest) -> None:
    policy = TaskPolicy(
        restart=RestartPolicy(attempts=1, interval=60 * SECOND, delay=SECOND // 10),
        logs=LogConfig(max_files=10, max_file_size_mb=1),
    )
    script = "head -c 1500000 /dev/zero; sleep 0.2; echo end; exit 1"
    record = await host.start(host.task(script, policy))

    async def everything() -> bytes:
        return b"".join([c async for c in follow(host.transport, source(host), Tail())])

    found = await asyncio.wait_for(everything(), 20)
    assert found == (b"\x00" * 1_500_000 + b"end\n") * 2
    await host.stop(record)


async def test_following_can_be_left(host: HostUnderTest) -> None:
    record = await host.start(host.task("echo up; exec sleep 100"))
    chunks = follow(host.transport, source(host), Tail(lines=5))
    assert await anext(chunks) == b"up\n"
    await chunks.aclose()  # type: ignore[attr-defined] # pyright: ignore
    await host.stop(record)
