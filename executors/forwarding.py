"""Which connections a host's sshd lets through, and what orch does where one is forbidden."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from executors.transport import HostError, HostFault, Stream, Transport

_DEADLINE = 5.0
# Nobody listens there; that the host says so shows that the way to it is open.
_PORT = 1
_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """Whether TCP connections, and connections to unix sockets, pass."""

    tcp: bool = True
    unix: bool = True

    def text(self) -> str:
        """Say it in one line, with what happens instead."""
        tcp = "tcp" if self.tcp else "no tcp (checks run on the host)"
        unix = "unix sockets" if self.unix else "no unix sockets (docker's dial-stdio is used)"
        return f"{tcp}, {unix}"


async def forwarding(transport: Transport) -> Forwarding:
    """Try both. Raises `HostError` only where the host itself can't be used any more."""
    return Forwarding(
        tcp=await _passes(lambda: transport.dial("127.0.0.1", _PORT, deadline=_DEADLINE)),
        unix=await _passes(lambda: transport.dial_unix(_SOCKET, deadline=_DEADLINE)),
    )


async def _passes(dial: Callable[[], Awaitable[Stream]]) -> bool:
    try:
        stream = await dial()
    except HostError as e:
        if e.fault is HostFault.FORWARDING:
            return False
        raise
    except (OSError, TimeoutError):
        return True
    await stream.close()
    return True
