"""How commands reach a host: the one small interface everything else is written against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from executors.interaction import Console
from planner.errors import OrchError

# What one command may print before it is cut off, in bytes.
OUTPUT_LIMIT = 8 * 1024 * 1024


class HostFault(StrEnum):
    """Kinds of trouble with a host, told apart because their remedies differ."""

    UNREACHABLE = "unreachable"
    REFUSED = "connection refused"
    TIMEOUT = "timed out"
    HOST_KEY_UNKNOWN = "host key unknown"
    HOST_KEY_CHANGED = "host key changed"
    AUTH = "permission denied"
    KEY_FILE = "unreadable key"
    CONFIG = "ssh configuration"
    LOST = "connection lost"
    OUTPUT = "unusable output"
    FORWARDING = "forwarding forbidden"
    COMMAND = "command failed"
    DOCKER = "docker does not answer"


class HostError(OrchError):
    """A host could not be used. `str()` is one line that begins with the host's name."""

    def __init__(self, host: str, fault: HostFault, detail: str, hint: str = "") -> None:
        super().__init__(f"{host}: {fault}: {detail}" if detail else f"{host}: {fault}", hint)
        self.host = host
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A finished command. Output beyond the limit was cut (`truncated`) and the command ended."""

    exit_status: int
    stdout: bytes = b""
    stderr: bytes = b""
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a command may take, in seconds, and how much it may print, in bytes."""

    deadline: float = 30.0
    output: int = OUTPUT_LIMIT


class Stream(Protocol):
    """A connection opened from the host's side: TCP, a unix socket, or a command's two ends."""

    async def write(self, data: bytes) -> None:
        """Send bytes; `ConnectionError` where the other side is gone."""
        ...

    async def read(self, limit: int) -> bytes:
        """Return up to `limit` bytes, nothing at the end; `ConnectionError` where it broke."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class Transport(Protocol):
    """One open way to one host. Every wait is bounded; every failure is a `HostError`."""

    @property
    def host(self) -> str:
        """The inventory name of the host."""
        ...

    async def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", bounds: Bounds | None = None
    ) -> Completed:
        """Run a command (quoted once, here) and return its end, whatever its exit status."""
        ...

    async def interact(self, argv: Sequence[str], console: Console) -> int:
        """Run a command with a console at its near end, for as long as it takes.

        Returns its exit status as shells give it. A console with a terminal gets a pty.
        """
        ...

    async def dial(self, address: str, port: int, *, deadline: float) -> Stream:
        """Open a TCP connection from the host; `ConnectionError` or `TimeoutError` if it fails."""
        ...

    async def dial_unix(self, path: str, *, deadline: float) -> Stream:
        """Connect to a unix socket of the host; errors are those of `dial`.

        A `HostError` of fault FORWARDING says that the host's sshd allows no such connection.
        """
        ...

    async def pipe(self, argv: Sequence[str], *, deadline: float) -> Stream:
        """Start a command and return its stdin and stdout as a stream; closing it ends it."""
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...


class Connector(Protocol):
    """Opens transports: one per host and run, a bounded number at a time."""

    async def connect(self, host: str) -> Transport:
        """Return the transport of an inventory host, opening it at the first call."""
        ...

    async def hang_up(self, host: str) -> None:
        """End a host's connection, of which nothing more is wanted; to connect opens another."""
        ...

    async def close(self) -> None:
        """Close every transport."""
        ...
