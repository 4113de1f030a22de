from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace

import pytest

from executors.fake import FakeConnector, FakeHost, Reply
from executors.logs import LogSource, LogStream, NoLogsError, Tail, read, read_lines
from executors.taskfiles import BadNameError
from executors.transport import Completed
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
    record = await host.start(host.task("echo bad >&2; echo up; exec sleep 100"))
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


async def test_files_that_are_older_are_left_out(host: HostUnderTest) -> None:
    record = await host.start(host.task("exec sleep 100"))
    logs = host.data / "alloc" / record.alloc_id / "alloc" / "logs"
    # the supervisor goes on in the newest file it finds: let it find none of these
    async with asyncio.timeout(60):
        while not (logs / "t.stdout.0").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    for number, age in ((0, 7200), (3, 7200), (4, 60)):
        file = logs / f"t.stdout.{number}"
        file.write_text(f"{number}\n")
        then = time.time() - age
        os.utime(file, (then, then))
    since = int(time.time()) - 600
    assert await read(host.transport, source(host), Tail(since=since)) == b"4\n"
    os.utime(logs / "t.stdout.4", (then - 7200, then - 7200))
    assert await read(host.transport, source(host), Tail(since=since + 60)) == b""
    await host.stop(record)


async def test_lines_with_times_may_hold_carriage_returns() -> None:
    said = b"orch-log times\n2026-11-25T14:00:01.000000001Z 10%\r20%\n"
    host = FakeHost(default=Reply(completed=Completed(exit_status=0, stdout=said)))
    transport = await FakeConnector({"h": host}).connect("h")
    (line,) = await read_lines(transport, LogSource(alloc_id="a", task="t"))
    assert line.line == b"10%\r20%\n"
