"""One command, or one file, on many hosts at once: outside of any job, guarded by nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from executors.interaction import TerminalSize
from executors.transport import Bounds, Connector, HostError, HostFault, Transport

# What is copied is held in memory, once for all hosts.
COPY_LIMIT = 64 * 1024 * 1024

# Written beside the place, then moved there: a file is there whole or not at all.
_PUT = """\
[ ! -d "$1" ] || set -- "${1%/}/$3" "$2" "$3"
umask 077
t=$1.orch-$$
trap 'rm -f "$t"' EXIT
cat >"$t" && chmod "$2" "$t" && mv -f "$t" "$1"
"""
_GET = """\
[ -f "$1" ] || { echo "not a file, or not there" >&2; exit 3; }
exec cat -- "$1"
"""

Write = Callable[[str, bytes, bool], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How it went on one host: an exit status, or the error that kept it from having one.

    Output of what was streamed is not kept.
    """

    host: str
    exit_status: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    truncated: bool = False
    error: HostError | None = None

    @property
    def ok(self) -> bool:
        """Whether it did what was wanted, in full."""
        return self.exit_status == 0 and not self.truncated


Work = Callable[[Transport], Awaitable[Ran]]


async def everywhere(
    connector: Connector, hosts: Sequence[str], work: Work, done: Callable[[Ran], None], most: int
) -> list[Ran]:
    """Do something on every host, at most so many at a time; return the ends by host.

    `done` is told of each end as it comes. A host that fails does not keep the others from it. The
    connection to a host ends with what was done there.
    """
    slots = asyncio.Semaphore(most)

    async def on(host: str) -> Ran:
        async with slots:
            try:
                end = await work(await connector.connect(host))
            except HostError as e:
                end = Ran(host=host, error=e)
            done(end)
            await connector.hang_up(host)
        return end

    return list(await asyncio.gather(*(on(h) for h in hosts)))


def collected(argv: Sequence[str], bounds: Bounds) -> Work:
    """Return the work of running a command and keeping its output."""

    async def work(transport: Transport) -> Ran:
        found = await transport.run(argv, bounds=bounds)
        return Ran(
            host=transport.host,
            exit_status=found.exit_status,
            stdout=found.stdout,
            stderr=found.stderr,
            truncated=found.truncated,
        )

    return work


def streamed(argv: Sequence[str], deadline: float, write: Write) -> Work:
    """Return the work of running a command whose output goes to `write` as it comes."""

    async def work(transport: Transport) -> Ran:
        console = _Streaming(transport.host, write)
        try:
            async with asyncio.timeout(deadline):
                status = await transport.interact(argv, console)
        except TimeoutError:
            detail = f"no end within {deadline:.0f} s"
            raise HostError(transport.host, HostFault.TIMEOUT, detail) from None
        return Ran(host=transport.host, exit_status=status)

    return work


def put(data: bytes, mode: int, name: str, path: str) -> Work:
    """Return the work of writing a file; into `path` under its name where that is a folder."""
    argv = ("sh", "-c", _PUT, "sh", path, f"{mode & 0o777:o}", name)
    bounds = Bounds(deadline=_copy_deadline(len(data)))

    async def work(transport: Transport) -> Ran:
        found = await transport.run(argv, stdin=data, bounds=bounds)
        return Ran(host=transport.host, exit_status=found.exit_status, stderr=found.stderr)

    return work


def get(path: str) -> Work:
    """Return the work of reading a file of up to `COPY_LIMIT` bytes: it is the stdout."""
    bounds = Bounds(deadline=_copy_deadline(COPY_LIMIT), output=COPY_LIMIT)
    return collected(("sh", "-c", _GET, "sh", path), bounds)


def _copy_deadline(size: int) -> float:
    """A slow line carries 100 kB/s, in seconds."""
    return 60 + size / 100_000


@dataclass(frozen=True, slots=True)
class _Streaming:
    """The near end of a command that is given nothing; see `Console`."""

    host: str
    told: Write
    terminal: str = ""

    def size(self) -> TerminalSize:
        return TerminalSize()

    async def resized(self) -> TerminalSize:
        await asyncio.Event().wait()
        return TerminalSize()

    async def read(self) -> bytes:
        return b""

    async def write(self, data: bytes, *, stderr: bool = False) -> None:
        await self.told(self.host, data, stderr)
