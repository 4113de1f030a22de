from __future__ import annotations

import asyncio

import pytest

from executors.exec_task import TaskCommand, run_beside
from executors.interaction import ScriptedConsole
from executors.taskfiles import Record
from tests.executors.on_host import HostUnderTest, host

__all__ = ["host"]

BINARY = bytes(range(256)) * 2000


def beside(host: HostUnderTest, record: Record, *argv: str, task: str = "t") -> TaskCommand:
    return TaskCommand(alloc_id=record.alloc_id, task=task, argv=argv, data_dir=str(host.data))


async def up(host: HostUnderTest) -> Record:
    record = await host.start(host.task("echo up; exec sleep 100"))
    await host.until_output(record, b"up")
    return record


async def test_a_command_is_where_the_task_is(host: HostUnderTest) -> None:
    record = await up(host)
    console = ScriptedConsole()
    script = 'echo "$NOMAD_TASK_NAME"; pwd; echo "${LC_ALL-none}"; echo bad >&2; exit 7'
    status = await run_beside(host.transport, beside(host, record, "sh", "-c", script), console)
    where = host.data / "alloc" / record.alloc_id / "t"
    assert (status, console.out.decode(), bytes(console.err)) == (
        7,
        f"t\n{where}\nnone\n",
        b"bad\n",
    )
    await host.stop(record)


async def test_input_arrives_whole_and_ends(host: HostUnderTest) -> None:
    record = await up(host)
    console = ScriptedConsole(said=[BINARY, b"\x00\xff"])
    assert await run_beside(host.transport, beside(host, record, "cat"), console) == 0
    assert bytes(console.out) == BINARY + b"\x00\xff"
    await host.stop(record)


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (("true",), 0),
        (("sh", "-c", "kill -TERM $$"), 143),
        (("/no/such",), 127),
        (("/",), 126),
        (("printf", "%s", "a b"), 0),
    ],
)
async def test_the_status_is_the_one_that_shells_give(
    host: HostUnderTest, argv: tuple[str, ...], status: int
) -> None:
    record = await up(host)
    assert (
        await run_beside(host.transport, beside(host, record, *argv), ScriptedConsole()) == status
    )
    await host.stop(record)


async def test_a_command_ends_before_it_has_read_everything(host: HostUnderTest) -> None:
    record = await up(host)
    console = ScriptedConsole(said=[BINARY] * 20, holds=True)
    assert await run_beside(host.transport, beside(host, record, "head", "-c", "3"), console) == 0
    assert bytes(console.out) == b"\x00\x01\x02"
    await host.stop(record)


async def test_without_the_task_there_is_no_command(host: HostUnderTest) -> None:
    record = await up(host)
    console = ScriptedConsole()
    assert await run_beside(host.transport, beside(host, record, "true", task="x"), console) == 125
    await host.stop(record)
    assert await run_beside(host.transport, beside(host, record, "true"), console) == 125
    assert b'task "t" is not running.' in console.err


async def test_a_command_ends_with_its_task(host: HostUnderTest) -> None:
    record = await up(host)
    console = ScriptedConsole(holds=True)
    command = beside(host, record, "sh", "-c", "echo here; sleep 50; echo never")
    running = asyncio.create_task(run_beside(host.transport, command, console))
    await console.until(b"here")
    await host.stop(record)
    assert await asyncio.wait_for(running, 60) == 137
    assert b"never" not in console.out
