"""Which connections a host's sshd lets through, and what orch does where one is forbidden."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from executors.containers.client import SOCKET
from executors.transport import HostError, HostFault, Stream, Transport

_DEADLINE = 5.0
# Nobody listens there; that the host says so shows that the way to it is open.
_PORT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """Whether TCP connections, and connections to dockerd's socket, pass.

    `unix` is None where no dockerd answers: sshd words a refusal like a socket that is not there.
    """

    tcp: bool = True
    unix: bool | None = None

    def text(self) -> str:
        """Say it in one line, with what happens instead."""
        parts = ["tcp" if self.tcp else "no tcp (checks run on the host)"]
        if self.unix is not None:
            parts.append("unix sockets" if self.unix else f"no unix sockets ({DETOUR})")
        return ", ".join(parts)


DETOUR = "docker's dial-stdio is used"


async def forwarding(transport: Transport, *, docker: bool) -> Forwarding:
    """Try both; `docker` says whether dockerd answers commands there.

    Raises `HostError` only where the host itself can't be used any more.
    """
    return Forwarding(
        tcp=await _allowed(lambda: transport.dial("127.0.0.1", _PORT, deadline=_DEADLINE)),
        unix=await _answers(transport) if docker else None,
    )


async def _allowed(dial: Callable[[], Awaitable[Stream]]) -> bool:
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


async def _answers(transport: Transport) -> bool:
    try:
        stream = await transport.dial_unix(SOCKET, deadline=_DEADLINE)
    except HostError as e:
        if e.fault is HostFault.FORWARDING:
            return False
        raise
    except (OSError, TimeoutError):
        return False
    await stream.close()
    return True
