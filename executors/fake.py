"""A fleet that answers from a script: the Transport and Connector of tests. Touches nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from executors.interaction import Console
from executors.transport import Bounds, Completed, HostError, HostFault

_DEFAULT = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a command comes to: an end or a fault, after `delay` seconds."""

    completed: Completed = field(default_factory=lambda: Completed(exit_status=0))
    fault: HostFault | None = None
    detail: str = ""
    delay: float = 0.0


# A reply that depends on the argument list and on stdin.
Answer = Reply | Callable[[tuple[str, ...], bytes], Reply]


@dataclass(frozen=True, slots=True)
class Call:
    """One command that was run."""

    host: str
    argv: tuple[str, ...]
    stdin: bytes = b""


@dataclass(slots=True, kw_only=True)
class FakeHost:
    """What one host answers.

    `answers` are found by the whole argument list; `default` takes the rest. `fault` meets every
    attempt to connect. `listening` maps an (address, port) to what is sent to those who dial it,
    `sockets` a path to what a unix socket there says; `forwards` off forbids both, as sshd can.
    """

    answers: Mapping[tuple[str, ...], Answer] = field(default_factory=dict[tuple[str, ...], Answer])
    default: Answer = field(
        default_factory=lambda: Reply(completed=Completed(exit_status=127, stderr=b"not found"))
    )
    fault: HostFault | None = None
    detail: str = ""
    listening: Mapping[tuple[str, int], bytes] = field(default_factory=dict[tuple[str, int], bytes])
    sockets: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    forwards: bool = True

    def reply(self, argv: tuple[str, ...], stdin: bytes) -> Reply:
        """Return what the command comes to."""
        answer = self.answers.get(argv, self.default)
        return answer if isinstance(answer, Reply) else answer(argv, stdin)


@dataclass(slots=True)
class FakeStream:
    """A dialled connection that says one thing and swallows what it is told."""

    said: bytes
    written: bytearray = field(default_factory=bytearray)

    async def write(self, data: bytes) -> None:
        """Keep the bytes."""
        self.written += data

    async def read(self, limit: int) -> bytes:
        """Return the next bytes."""
        data, self.said = self.said[:limit], self.said[limit:]
        return data

    async def close(self) -> None:
        """Say nothing more."""
        self.said = b""


@dataclass(frozen=True, slots=True)
class FakeTransport:
    """Answers for one host; see `Transport`. Calls go into `calls`."""

    name: str
    script: FakeHost
    calls: list[Call] = field(default_factory=list[Call])

    @property
    def host(self) -> str:
        """The inventory name of the host."""
        return self.name

    async def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", bounds: Bounds | None = None
    ) -> Completed:
        """Return the scripted end, within the bounds."""
        bounds = bounds or _DEFAULT
        reply = self._reply(argv, stdin)
        if reply.delay > bounds.deadline:
            detail = f"{argv[0]} did not end within {bounds.deadline:g} s"
            raise HostError(self.name, HostFault.TIMEOUT, detail)
        await asyncio.sleep(reply.delay)
        self._refuse(reply)
        return _cut(reply.completed, bounds.output)

    async def interact(self, argv: Sequence[str], console: Console) -> int:
        """Hear the console out, then say what is scripted."""
        stdin = bytearray()
        while not console.terminal and (data := await console.read()):
            stdin += data
        reply = self._reply(argv, bytes(stdin))
        await asyncio.sleep(reply.delay)
        self._refuse(reply)
        await console.write(reply.completed.stdout)
        await console.write(reply.completed.stderr, stderr=not console.terminal)
        return reply.completed.exit_status

    async def dial(self, address: str, port: int, *, deadline: float) -> FakeStream:
        """Return a stream where something listens; `ConnectionRefusedError` elsewhere."""
        self._allow_forwarding()
        said = self.script.listening.get((address, port))
        if said is None:
            raise ConnectionRefusedError(f"{address} port {port}: connection refused")
        return FakeStream(said)

    async def dial_unix(self, path: str, *, deadline: float) -> FakeStream:
        """Return a stream where something listens; `ConnectionRefusedError` elsewhere."""
        self._allow_forwarding()
        said = self.script.sockets.get(path)
        if said is None:
            raise ConnectionRefusedError(f"{path}: connection refused")
        return FakeStream(said)

    async def pipe(self, argv: Sequence[str], *, deadline: float) -> FakeStream:
        """Return the scripted stdout as a stream."""
        reply = self._reply(argv, b"")
        self._refuse(reply)
        return FakeStream(reply.completed.stdout)

    def _allow_forwarding(self) -> None:
        if not self.script.forwards:
            raise HostError(self.name, HostFault.FORWARDING, "sshd refuses")

    async def close(self) -> None:
        """Nothing is held."""

    def _reply(self, argv: Sequence[str], stdin: bytes) -> Reply:
        self.calls.append(Call(self.name, tuple(argv), stdin))
        return self.script.reply(tuple(argv), stdin)

    def _refuse(self, reply: Reply) -> None:
        if reply.fault is not None:
            raise HostError(self.name, reply.fault, reply.detail)


class FakeConnector:
    """Connects to scripted hosts; see `Connector`. `calls` are the commands of all of them."""

    def __init__(self, hosts: Mapping[str, FakeHost]) -> None:
        self._hosts = hosts
        self._open: dict[str, FakeTransport] = {}
        self.calls: list[Call] = []

    async def connect(self, host: str) -> FakeTransport:
        """Return the host's transport, the same at each call."""
        script = self._hosts.get(host)
        if script is None:
            raise HostError(host, HostFault.UNREACHABLE, "it is not in the inventory")
        if script.fault is not None:
            raise HostError(host, script.fault, script.detail)
        return self._open.setdefault(host, FakeTransport(host, script, self.calls))

    async def hang_up(self, host: str) -> None:
        """Forget the host's transport."""
        self._open.pop(host, None)

    async def close(self) -> None:
        """Forget every transport."""
        self._open.clear()


def _cut(completed: Completed, limit: int) -> Completed:
    if len(completed.stdout) + len(completed.stderr) <= limit:
        return completed
    out = completed.stdout[:limit]
    err = completed.stderr[: limit - len(out)]
    return Completed(exit_status=137, stdout=out, stderr=err, truncated=True)
