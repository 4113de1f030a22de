"""A host under test: this machine with a data directory of its own, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from executors import probe
from executors.driver import TaskLaunch
from executors.fleet import JobFence
from executors.guard import Guard, StartRequest, StopRequest, TaskStart
from executors.local import LocalTransport
from executors.logs import LogSource, LogStream, read
from executors.records import HostAlloc, Life
from executors.taskfiles import Record, TaskPolicy
from planner.job import SECOND, RestartPolicy
from planner.observed import NodeResources, TaskState
from tests.lab import packages
from tests.lab.fixtures import refuse
from tests.lab.programs import LabUnavailableError

T = TypeVar("T")
CLUSTER = "c1"
NODE = "11111111-2222-3333-4444-555555555555"
PATIENCE = 60.0
# shells, and the packages that they come from
_PACKAGES = {"dash": "dash", "busybox": "busybox-static"}
SHELLS = tuple(_PACKAGES)
ONCE = RestartPolicy(attempts=0, interval=60 * SECOND, delay=0)


@dataclass
class HostUnderTest:
    data: Path
    transport: LocalTransport
    fence: JobFence = field(default_factory=lambda: JobFence(key="web", epoch=0, index=5))
    limits: NodeResources = field(
        default_factory=lambda: NodeResources(cpu=1000, memory_mb=1000, disk_mb=1000)
    )

    # Control groups are named by allocation, and tests of other processes run beside this one.
    tail: str = field(default_factory=lambda: secrets.token_hex(6))

    @property
    def guard(self) -> Guard:
        return Guard(
            transport=self.transport, cluster=CLUSTER, node_id=NODE, data_dir=str(self.data)
        )

    @property
    def gate(self) -> Path:
        """A file that a task waits for at `wait_at_gate`."""
        return self.data.with_name("gate")

    @property
    def wait_at_gate(self) -> str:
        """Shell text for a task."""
        return f"while [ ! -e {self.gate} ]; do sleep 0.1; done"

    def record(self, number: int = 1, **changes: object) -> Record:
        values: dict[str, object] = {
            "alloc_id": f"{number:08d}-aaaa-bbbb-cccc-{self.tail}",
            "cluster": CLUSTER,
            "token": f"t{number}",
            "job_id": "web",
            "group": "g",
            "name": f"web.g[{number}]",
            "cpu": 100,
            "memory_mb": 100,
            "disk_mb": 100,
        }
        return Record(**{**values, **changes})  # type: ignore[arg-type] # pyright: ignore

    def task(self, script: str, policy: TaskPolicy | None = None, name: str = "t") -> TaskStart:
        return self.command(("sh", "-c", script), policy, name)

    def command(
        self, argv: tuple[str, ...], policy: TaskPolicy | None = None, name: str = "t"
    ) -> TaskStart:
        # a directory that is there for every allocation
        launch = TaskLaunch(argv=argv, env=self.env(name), cwd="/", search=())
        return TaskStart(name=name, launch=launch, policy=policy or TaskPolicy(restart=ONCE))

    def env(self, task: str) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "NOMAD_TASK_NAME": task}

    def request(self, *tasks: TaskStart, record: Record | None = None) -> StartRequest:
        return StartRequest(
            fence=self.fence, record=record or self.record(), limits=self.limits, tasks=tasks
        )

    async def start(self, *tasks: TaskStart, record: Record | None = None) -> Record:
        request = self.request(*tasks, record=record)
        await self.guard.start(request)
        return request.record

    async def stop(self, record: Record, patience: int = 60 * SECOND) -> None:
        await self.guard.stop(StopRequest(fence=self.fence, record=record, patience=patience))

    async def inspect(self, record: Record) -> HostAlloc:
        done = await self.transport.run(probe.inspect(str(self.data), [record.alloc_id]))
        (alloc,) = probe.parse_allocs(done.stdout, "h")
        return alloc

    async def state(self, record: Record, task: str = "t") -> TaskState:
        return (await self.inspect(record)).alloc.tasks[task]

    async def until_dead(self, record: Record, task: str = "t") -> TaskState:
        return await self.until(record, "dead", task)

    async def until(self, record: Record, state: str, task: str = "t") -> TaskState:
        async def look() -> TaskState | None:
            found = await self.state(record, task)
            return found if found.state.value == state else None

        return await eventually(look, f"{task} is not {state}")

    async def until_settled(self, record: Record, task: str = "t") -> None:
        """Wait until the task runs, and nothing is written any more unless it prints."""
        await self.until(record, "running", task)
        logs = self.data / "alloc" / record.alloc_id / "alloc" / "logs"

        async def look() -> bool | None:
            files = [logs / f"{task}.{stream.value}.0" for stream in LogStream]
            return True if all(f.exists() for f in files) else None

        await eventually(look, "there are no log files")

    async def until_life(self, record: Record, life: Life) -> HostAlloc:
        async def look() -> HostAlloc | None:
            found = await self.inspect(record)
            return found if found.lives == {"t": life} else None

        return await eventually(look, f"the task is not {life}")

    async def until_event(self, record: Record, kind: str, count: int = 1) -> TaskState:
        async def look() -> TaskState | None:
            found = await self.state(record)
            return found if kinds(found).count(kind) >= count else None

        return await eventually(look, f"there are no {count} events {kind!r}")

    async def output(self, record: Record, stream: str = "stdout", task: str = "t") -> bytes:
        source = LogSource(
            alloc_id=record.alloc_id,
            task=task,
            stream=LogStream(stream),
            data_dir=str(self.data),
        )
        return await read(self.transport, source)

    async def until_output(self, record: Record, text: bytes) -> bytes:
        async def look() -> bytes | None:
            found = await self.output(record)
            return found if text in found else None

        return await eventually(look, f"{text!r} was not printed")

    async def until_alone(self) -> None:
        async def look() -> bool | None:
            return None if self.processes() else True

        await eventually(look, "processes are left")

    async def until_alone_but(self, *records: Record) -> None:
        """Wait until only the processes of these allocations are left."""
        names = [r.alloc_id.encode() for r in records]

        async def look() -> bool | None:
            left = [p for p in self.processes() if not _names(p, names)]
            return None if left else True

        await eventually(look, "processes are left")

    def task_dir(self, record: Record, task: str = "t") -> Path:
        return self.data / "records" / record.alloc_id / "tasks" / task

    def pid(self, record: Record, file: str = "pid", task: str = "t") -> int:
        return int((self.task_dir(record, task) / file).read_text().split()[0])

    def processes(self) -> list[int]:
        """Every process that names this data directory in its command or its environment."""
        mark = str(self.data).encode()
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with suppress(OSError):
                if mark in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return found


def _names(pid: int, words: list[bytes]) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return True
    return any(w in command for w in words)


async def eventually(look: Callable[[], Awaitable[T | None]], otherwise: str) -> T:
    end = time.monotonic() + PATIENCE
    while (found := await look()) is None:
        assert time.monotonic() < end, otherwise
        await asyncio.sleep(0.05)
    return found


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kinds(state: TaskState) -> list[str]:
    return [e.type for e in state.events]


def messages(state: TaskState) -> list[str]:
    return [e.message for e in state.events]


def found_shell(shell: str) -> str:
    """Where a shell is. Root gets one that is missing, as the lab gets what it needs."""
    if shutil.which(shell) is None and os.geteuid() == 0:
        try:
            packages.bring({shell: _PACKAGES[shell]})
        except LabUnavailableError as error:
            refuse(str(error))
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


def shell_path(shell: str, folder: Path) -> str:
    """A PATH whose `sh` is this shell; with busybox, whose every tool is busybox's own."""
    found = found_shell(shell)
    folder.mkdir()
    if shell == "dash":
        (folder / "sh").symlink_to(found)
        return f"{folder}:{os.environ['PATH']}"
    import subprocess

    applets = subprocess.run([found, "--list"], capture_output=True, check=True, text=True)
    for applet in applets.stdout.split():
        (folder / applet).symlink_to(found)
    for tool in ("flock", "setpriv"):
        if not (folder / tool).exists() and (real := shutil.which(tool)):
            (folder / tool).symlink_to(real)
    return str(folder)


@pytest.fixture(params=SHELLS)
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HostUnderTest]:
    path = shell_path(request.param, tmp_path / "bin")
    env = {"PATH": path, "HOME": str(tmp_path), "ORCH_NO_SYSTEMD": "1"}
    found = HostUnderTest(tmp_path / "data", LocalTransport(name="h", env=env))
    await found.guard.enrol()
    await found.guard.raise_fences([found.fence])
    yield found
    await leave_nothing(found)


async def leave_nothing(host: HostUnderTest) -> None:
    for folder in _folders(host.data / "records"):
        with suppress(Exception):
            await host.stop(host.record(int(folder.name[:8])))
    with suppress(AssertionError):
        await host.until_alone()
    left = host.processes()
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left, "processes were left behind"


def _folders(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (p for p in path.iterdir() if p.name[:8].isdigit())
