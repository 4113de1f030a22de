"""docker-py's client for one host's dockerd, through the host's one connection, in threads.

Errors of the library, of HTTP and of the channel become `OrchError`s here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from executors.printable import printable
from executors.transport import HostError, HostFault, Stream, Transport
from planner.errors import OrchError

if TYPE_CHECKING:
    from executors.containers.splice import Splicer

SOCKET = "/var/run/docker.sock"
# The base address needs a port, or the library adds one of its own.
_ADDRESS = "http://localhost:80"
# Seconds for one answer, pulls apart; creating a container on a slow disk takes its time.
TIMEOUT = 60
_DIAL = 15.0
_GRACE = 2.0
# Connections to dockerd at one time and host: below sshd's limits, beside the commands.
_AT_ONCE = 3
# Guarded steps that start containers, at one time and host: one is at it while one is on its way.
_STEPS = 2
_NOT_FOUND, _CONFLICT = 404, 409

Result = TypeVar("Result")
# What is done with the library's client, in a thread.
Call = Callable[[Any], Result]


class EngineError(OrchError):
    """dockerd refused what it was asked; nothing was started."""


class MissingError(EngineError):
    """dockerd knows nothing of that name."""


class NameTakenError(EngineError):
    """A container of that name is there already."""


@dataclass(slots=True)
class Engine:
    """The dockerd of one host. Ways to it are tried in order, and the one that works is kept."""

    transport: Transport
    version: str = "auto"
    piped: bool = False
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    steps: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_STEPS))

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Session]:
        """Yield a session; every connection it made is closed at its end."""
        from executors.containers.splice import Splicer

        async with self.slots:
            splicer = Splicer(self._dial)
            session = Session(engine=self, splicer=splicer)
            try:
                yield session
            finally:
                await session.close()

    async def _dial(self) -> Stream:
        """Connect to dockerd's socket; where sshd or the user's rights forbid it, by a command."""
        if not self.piped:
            try:
                return await self.transport.dial_unix(SOCKET, deadline=_DIAL)
            except ConnectionRefusedError:
                self.piped = True
            except HostError as e:
                if e.fault is not HostFault.FORWARDING:
                    raise
                self.piped = True
        return await self.transport.pipe(("docker", "system", "dial-stdio"), deadline=_DIAL)


@dataclass(slots=True, kw_only=True)
class Session:
    """A client that lives for one step."""

    engine: Engine
    splicer: Splicer
    client: Any = None

    async def call(self, what: Call[Result], *, deadline: float = TIMEOUT) -> Result:
        """Do something with the client in a thread; `deadline` is in seconds for the whole."""
        thread = asyncio.create_task(asyncio.to_thread(self._called, what))
        done, _ = await asyncio.wait({thread}, timeout=deadline)
        if done:
            return thread.result()
        # The thread ends when its connection does.
        await self.splicer.close()
        await asyncio.wait({thread}, timeout=_DIAL)
        if thread.done():
            thread.exception()
        host = self.engine.transport.host
        raise HostError(host, HostFault.TIMEOUT, f"docker did not answer within {deadline:g} s")

    def _called(self, what: Call[Result]) -> Result:
        from docker import errors
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            return what(self._opened())
        except (errors.DockerException, RequestException, HTTPError, OSError) as e:
            raise _mapped(self.engine.transport.host, e) from e

    def _opened(self) -> Any:  # noqa: ANN401 - the library has no types
        if self.client is None:
            from executors.containers.splice import client

            version = self.engine.version
            self.client = client(_ADDRESS, self.splicer, version=version, timeout=TIMEOUT)
            self.engine.version = str(self.client.api_version)
        return self.client

    async def close(self) -> None:
        """End the client and its connections."""
        if self.client is not None:
            await asyncio.to_thread(self.client.close)
        # Their sockets are closed: they end by themselves.
        await self.splicer.close(grace=_GRACE)


def _mapped(host: str, error: Exception) -> OrchError:
    from docker import errors

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, HostError):
            return cause
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, errors.APIError):
        return _refused(host, error)
    hint = "See `docker info` there as this user: is dockerd up, is the user in the group docker?"
    return HostError(host, HostFault.DOCKER, printable(str(error), 300), hint)


def _refused(host: str, error: Any) -> OrchError:  # noqa: ANN401 - the library has no types
    text = printable(str(error.explanation or error), 400)
    kinds = {_NOT_FOUND: MissingError, _CONFLICT: NameTakenError}
    kind = kinds.get(error.status_code, EngineError)
    return kind(f"{host}: docker: {text}")
