from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import cast

import pytest

from executors.fake import FakeConnector, FakeHost, Reply
from executors.local import LocalTransport
from executors.logs import Follower, LogSource, LogStream, NoLogsError, Tail, follow, read
from executors.taskfiles import BadNameError, TaskPolicy
from executors.transport import Completed, HostError, HostFault, Transport
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


async def test_following_goes_on_through_rotation_and_restarts(host: HostUnderTest) -> None:
    policy = TaskPolicy(
        restart=RestartPolicy(attempts=1, interval=60 * SECOND, delay=SECOND // 10),
        logs=LogConfig(max_files=10, max_file_size_mb=1),
    )
    script = "head -c 1500000 /dev/zero; sleep 0.2; echo end; exit 1"
    record = await host.start(host.task(script, policy))

    async def everything() -> bytes:
        return b"".join([c async for c in follow(host.transport, source(host), Tail())])

    found = await asyncio.wait_for(everything(), 60)
    assert found == (b"\x00" * 1_500_000 + b"end\n") * 2
    await host.stop(record)


async def test_following_can_be_left(host: HostUnderTest) -> None:
    record = await host.start(host.task("echo up; exec sleep 100"))
    chunks = follow(host.transport, source(host), Tail(lines=5))
    assert await anext(chunks) == b"up\n"
    await chunks.aclose()  # type: ignore[attr-defined] # pyright: ignore
    await host.stop(record)


async def test_a_follower_goes_on_where_it_was_cut_off(host: HostUnderTest) -> None:
    logs = host.data / "alloc" / host.record().alloc_id / "alloc" / "logs"
    record = await host.start(host.task("exec sleep 100"))
    (logs / "t.stdout.3").write_bytes(b"1\n2\n3\n")
    follower = Follower(source=source(host), tail=Tail(lines=2))

    async def heard(size: int) -> bytes:
        found = b""
        coming = cast("AsyncGenerator[bytes]", follower.chunks(host.transport))
        async with aclosing(coming) as chunks:
            async for chunk in chunks:
                found += chunk
                if len(found) >= size:
                    break
        return found

    assert not follower.has_begun
    assert await asyncio.wait_for(heard(4), 60) == b"2\n3\n"
    assert follower.has_begun
    # meanwhile the file grows, and is rotated
    (logs / "t.stdout.3").write_bytes(b"1\n2\n3\n4\n")
    (logs / "t.stdout.4").write_bytes(b"5\n")
    assert await asyncio.wait_for(heard(4), 60) == b"4\n5\n"
    # what it had come to is removed meanwhile
    (logs / "t.stdout.3").unlink()
    (logs / "t.stdout.4").unlink()
    (logs / "t.stdout.6").write_bytes(b"8\n")
    assert await asyncio.wait_for(heard(2), 60) == b"8\n"
    await host.stop(record)


async def test_what_was_cut_off_in_the_end_of_the_log_is_not_lost(host: HostUnderTest) -> None:
    record = await host.start(host.task("exec sleep 100"))
    logs = host.data / "alloc" / record.alloc_id / "alloc" / "logs"
    (logs / "t.stdout.3").write_bytes(b"a" * 10)
    (logs / "t.stdout.4").write_bytes(b"b" * 10)
    transport = cast("Transport", CutTransport(host.transport, keep=5))
    follower = Follower(source=source(host), tail=Tail())
    found = b""
    with suppress(HostError):
        async for chunk in follower.chunks(transport):
            found += chunk
    assert found == b"aaaaa"
    await host.stop(record)
    found += b"".join([c async for c in follower.chunks(host.transport)])
    assert found == b"a" * 10 + b"b" * 10


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


class CutTransport:
    """Passes on some bytes of what is followed, and breaks off."""

    def __init__(self, inner: LocalTransport, keep: int) -> None:
        self._inner = inner
        self._keep = keep

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def follow(self, argv: Sequence[str]) -> AsyncIterator[bytes]:
        said = b""
        async for chunk in self._inner.follow(argv):
            said += chunk
            head, found, rest = said.partition(b"\n")
            if found and len(rest) >= self._keep:
                yield head + found + rest[: self._keep]
                raise HostError("h", HostFault.LOST, "")


TIMED = b"""\
orch-log times
2026-11-25T14:00:01.000000001Z one
2026-11-25T14:00:02.000000001Z two
orch-log again
"""
LATER = b"""\
orch-log times
2026-11-25T14:00:02.000000001Z two
2026-11-25T14:00:03.000000001Z thr"""
REST = b"""\
ee
orch-log over
"""


async def test_lines_that_carry_times_are_not_told_twice() -> None:
    said = [TIMED, LATER + REST]
    asked: list[str] = []

    def answer(argv: tuple[str, ...], stdin: bytes) -> Reply:
        asked.append(argv[-2])
        return Reply(completed=Completed(exit_status=0, stdout=said.pop(0)))

    transport = await FakeConnector({"h": FakeHost(default=answer)}).connect("h")
    follower = Follower(source=LogSource(alloc_id="a", task="t"), tail=Tail(lines=5))
    found = [c async for c in follower.chunks(transport)]
    assert b"".join(found) == b"one\ntwo\nthree\n"
    assert asked == ["lines:5", "since:2026-11-25T14:00:02.000000001Z"]
