"""Any number of outputs of a host over one channel, each heard once, whatever happens to it."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from executors.log_follower import Appeared, Ended, FollowedJob, HostFollower, News, Printed, Ready
from executors.logs import LogSource, LogStream, Tail
from executors.taskfiles import BadNameError, Record, TaskPolicy
from executors.transport import HostError, HostFault, Stream, Transport
from planner.job import SECOND, LogConfig, RestartPolicy
from tests.executors.on_host import CLUSTER, HostUnderTest, eventually, host

__all__ = ["host"]

FROM_START = Tail()


@dataclass(kw_only=True)
class Ear:
    """Hears a follower, and keeps all that it was told."""

    follower: HostFollower
    printed: dict[LogSource, bytes] = field(default_factory=lambda: defaultdict(bytes))
    ended: list[Ended] = field(default_factory=list[Ended])
    appeared: list[str] = field(default_factory=list[str])
    ready: int = 0

    async def hear(self, transport: Transport) -> None:
        """Until all has ended."""
        coming = cast("AsyncGenerator[News]", self.follower.news(transport))
        async with aclosing(coming) as news:
            async for each in news:
                self.keep(each)

    def keep(self, news: News) -> None:
        match news:
            case Printed():
                self.printed[news.source] += news.data
            case Ended():
                self.ended.append(news)
            case Appeared():
                self.appeared.append(news.alloc_id)
            case Ready():
                self.ready += 1

    @asynccontextmanager
    async def hearing(self, transport: Transport) -> AsyncGenerator[asyncio.Task[None]]:
        """Hear in the background; whoever leaves has closed its ears."""
        task = asyncio.create_task(self.hear(transport))
        yield task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def source(host: HostUnderTest, record: Record, task: str = "t") -> LogSource:
    return LogSource(alloc_id=record.alloc_id, task=task, data_dir=str(host.data))


def logs_of(host: HostUnderTest, record: Record) -> Path:
    return host.data / "alloc" / record.alloc_id / "alloc" / "logs"


async def ear(host: HostUnderTest, *sources: LogSource, tail: Tail = FROM_START) -> Ear:
    job = FollowedJob(cluster=CLUSTER, namespace="default", job_id="web")
    follower = HostFollower(data_dir=str(host.data), job=job)
    await follower.add(sources, tail)
    return Ear(follower=follower)


async def until(true: Callable[[], bool], otherwise: str) -> None:
    async def look() -> bool | None:
        return true() or None

    await eventually(look, otherwise)


async def sleeper(host: HostUnderTest, number: int = 1) -> Record:
    """An allocation that prints nothing, whose supervisor has begun its log."""
    record = await host.start(host.task("exec sleep 100"), record=host.record(number))
    logs = logs_of(host, record)
    await until((logs / "t.stdout.0").exists, "its log has not begun")
    return record


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (FROM_START, b"1\n2\n3\n4"),
        (Tail(lines=2), b"3\n4"),
        (Tail(lines=0), b""),
        (Tail(lines=99), b"1\n2\n3\n4"),
        (Tail(size=4), b"\n3\n4"),
        (Tail(size=0), b""),
        (Tail(size=99), b"1\n2\n3\n4"),
    ],
)
async def test_the_end_that_was_asked_for_comes_first(
    host: HostUnderTest, tail: Tail, expected: bytes
) -> None:
    record = await sleeper(host)
    for number, text in ((9, "1\n2\n"), (10, "3\n"), (11, "4")):
        (logs_of(host, record) / f"t.stdout.{number}").write_text(text)
    (logs_of(host, record) / "t.stdout.x").write_text("no")
    out = source(host, record)
    err = replace(out, stream=LogStream.STDERR)
    heard = await ear(host, out, tail=tail)
    # once this one is heard the place in the other one is found
    (logs_of(host, record) / "t.stderr.0").write_text("bad\n")
    await heard.follower.add([err], FROM_START)
    async with heard.hearing(host.transport):
        await until(lambda: heard.printed[err] == b"bad\n", "the host is silent")
        with (logs_of(host, record) / "t.stdout.11").open("ab") as file:
            file.write(b"|more\n")
        await until(lambda: heard.printed[out] == expected + b"|more\n", "too much, or little")
    await host.stop(record)


async def test_rotation_and_restarts_are_followed_byte_for_byte(host: HostUnderTest) -> None:
    policy = TaskPolicy(
        restart=RestartPolicy(attempts=1, interval=60 * SECOND, delay=SECOND // 10),
        logs=LogConfig(max_files=10, max_file_size_mb=1),
    )
    script = "head -c 1500000 /dev/zero; echo bad >&2; sleep 0.2; echo end; exit 1"
    record = await host.start(host.task(script, policy))
    out = source(host, record)
    err = replace(out, stream=LogStream.STDERR)
    heard = await ear(host, out, err)
    await asyncio.wait_for(heard.hear(host.transport), 60)
    assert heard.printed[out] == (b"\x00" * 1_500_000 + b"end\n") * 2
    assert heard.printed[err] == b"bad\nbad\n"
    assert sorted(e.source.stream for e in heard.ended) == ["stderr", "stdout"]
    assert not any(e.missing for e in heard.ended)
    assert not heard.follower.has_outputs


async def test_many_outputs_at_once_and_ends_of_single_ones(host: HostUnderTest) -> None:
    script = (
        'n=0; while [ $n -lt 50 ]; do n=$((n+1)); printf "%s\\0%s\\n" "$n" "$NOMAD_ALLOC_ID"; done'
    )
    records = [
        await host.start(
            host.task(f"{script}; exec sleep 100"),
            record=host.record(n, cpu=10, memory_mb=10, disk_mb=10),
        )
        for n in range(1, 13)
    ]
    heard = await ear(host, *(source(host, r) for r in records))
    async with heard.hearing(host.transport) as hearing:

        def all_said() -> bool:
            return sum(map(len, heard.printed.values())) == len(records) * len(expected)

        expected = b"".join(b"%d\0\n" % n for n in range(1, 51))
        await until(all_said, "not all was heard")
        assert list(heard.printed.values()) == [expected] * len(records)
        await host.stop(records[0])
        await until(lambda: len(heard.ended) == 1, "no end was told")
        assert heard.ended[0].source.alloc_id == records[0].alloc_id
        assert not hearing.done()
    for record in records[1:]:
        await host.stop(record)


async def test_each_output_goes_on_where_it_was_cut_off(host: HostUnderTest) -> None:
    first, second = [await sleeper(host, n) for n in (1, 2)]
    one, two = source(host, first), source(host, second)
    (logs_of(host, first) / "t.stdout.3").write_bytes(b"1\n2\n3\n")
    (logs_of(host, second) / "t.stdout.0").write_bytes(b"a\n")
    heard = await ear(host, one, two, tail=Tail(lines=2))
    async with heard.hearing(host.transport):
        await until(lambda: dict(heard.printed) == {one: b"2\n3\n", two: b"a\n"}, "too little")
    await host.until_alone_but(first, second)
    # meanwhile one grows and is rotated, and what the other one had come to is removed
    (logs_of(host, first) / "t.stdout.3").write_bytes(b"1\n2\n3\n4\n")
    (logs_of(host, first) / "t.stdout.4").write_bytes(b"5\n")
    (logs_of(host, second) / "t.stdout.0").unlink()
    (logs_of(host, second) / "t.stdout.6").write_bytes(b"b\n")
    async with heard.hearing(host.transport):
        await until(
            lambda: dict(heard.printed) == {one: b"2\n3\n4\n5\n", two: b"a\nb\n"}, "too little"
        )
    assert heard.ready == 2
    await host.stop(first)
    await host.stop(second)


async def test_a_connection_that_breaks_in_a_frame_loses_nothing(host: HostUnderTest) -> None:
    record = await sleeper(host)
    (logs_of(host, record) / "t.stdout.3").write_bytes(b"a" * 300_000)
    (logs_of(host, record) / "t.stdout.4").write_bytes(b"b" * 300_000)
    heard = await ear(host, source(host, record))
    cut = cast("Transport", CutTransport(host.transport, keep=270_000))
    with pytest.raises(HostError) as lost:
        await asyncio.wait_for(heard.hear(cut), 60)
    assert lost.value.fault is HostFault.LOST
    # the first frame was whole
    assert heard.printed[source(host, record)] == b"a" * 262_144
    await host.stop(record)
    await asyncio.wait_for(heard.hear(host.transport), 60)
    assert heard.printed[source(host, record)] == b"a" * 300_000 + b"b" * 300_000


async def test_whoever_goes_leaves_nothing_behind(host: HostUnderTest) -> None:
    record = await sleeper(host)
    heard = await ear(host, source(host, record))
    stream = await host.transport.pipe(heard.follower._argv(), deadline=10)  # pyright: ignore
    await stream.write(b"1 %s stdout all 0 t\n\n" % record.alloc_id.encode())
    assert await stream.read(15) == b"orch-log ready "
    process = cast("asyncio.subprocess.Process", stream.process)  # type: ignore[attr-defined] # pyright: ignore
    assert process.stdin is not None
    process.stdin.close()
    await host.until_alone_but(record)
    await stream.close()
    await host.stop(record)


async def test_new_allocations_of_the_job_are_told_and_can_be_added(host: HostUnderTest) -> None:
    first = await sleeper(host)
    heard = await ear(host, source(host, first))
    async with heard.hearing(host.transport):
        await until(lambda: heard.ready > 0, "the host is silent")
        other = await host.start(host.task("exec sleep 100"), record=host.record(2, job_id="other"))
        second = await host.start(host.task("echo here; exec sleep 100"), record=host.record(3))
        await until(lambda: heard.appeared == [second.alloc_id], "it was not told")
        await heard.follower.add([source(host, second)], FROM_START)
        await until(lambda: heard.printed[source(host, second)] == b"here\n", "it is not heard")
    for record in (first, second, other):
        await host.stop(record)


async def test_logs_that_are_not_there(host: HostUnderTest) -> None:
    heard = await ear(host, source(host, host.record(7)))
    await asyncio.wait_for(heard.hear(host.transport), 60)
    assert heard.ended == [Ended(source=source(host, host.record(7)), missing=True)]


async def test_names_that_are_none_are_refused(host: HostUnderTest) -> None:
    for odd in (
        replace(source(host, host.record()), task="../../x"),
        replace(source(host, host.record()), alloc_id="a b"),
    ):
        with pytest.raises(BadNameError):
            await ear(host, odd)


async def test_files_that_are_older_are_left_out(host: HostUnderTest) -> None:
    record = await sleeper(host)
    for number, age in ((0, 7200), (3, 7200), (4, 60), (5, 30)):
        file = logs_of(host, record) / f"t.stdout.{number}"
        file.write_text(f"{number}\n")
        then = time.time() - age
        os.utime(file, (then, then))
    heard = await ear(host, source(host, record), tail=Tail(since=int(time.time()) - 600))
    async with heard.hearing(host.transport):
        await until(lambda: heard.printed[source(host, record)] == b"4\n5\n", "too much, or little")
    await host.stop(record)


class CutTransport:
    """Passes on some bytes of what a command says, and breaks off."""

    def __init__(self, inner: Transport, keep: int) -> None:
        self._inner = inner
        self._keep = keep

    @property
    def host(self) -> str:
        return self._inner.host

    async def pipe(self, argv: tuple[str, ...], *, deadline: float) -> Stream:
        return CutStream(await self._inner.pipe(argv, deadline=deadline), self._keep)


@dataclass
class CutStream:
    inner: Stream
    left: int

    async def write(self, data: bytes) -> None:
        await self.inner.write(data)

    async def read(self, limit: int) -> bytes:
        if not self.left:
            raise ConnectionResetError
        data = await self.inner.read(min(limit, self.left))
        self.left -= len(data)
        return data

    async def close(self) -> None:
        await self.inner.close()
