"""docker-py's client for one host's dockerd, through the host's one connection, in threads.

Errors of the library, of HTTP and of the channel become `OrchError`s here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, nullcontext
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
    # the session that is shared at the moment, and by how many
    _shared: Session | None = None
    _sharing: int = 0

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Session]:
        """Yield a session of its own; every connection it made is closed at its end."""
        async with self.slots:
            session = self._session()
            try:
                yield session
            finally:
                await session.close()

    @asynccontextmanager
    async def shared(self) -> AsyncGenerator[Session]:
        """Yield the session that all have together who want one now; the last one closes it.

        For calls that are short: one that takes too long ends the others' too.
        """
        session = self._shared = self._shared or self._session(self.slots)
        self._sharing += 1
        try:
            yield session
        finally:
            self._sharing -= 1
            if not self._sharing:
                self._shared = None
                await session.close()

    def _session(self, slots: asyncio.Semaphore | None = None) -> Session:
        from executors.containers.splice import Splicer

        return Session(engine=self, splicer=Splicer(self._dial), slots=slots)

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
    """A client of one host's dockerd; `slots` bound its calls at one time where it is shared."""

    engine: Engine
    splicer: Splicer
    slots: asyncio.Semaphore | None = None
    client: Any = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, what: Call[Result], *, deadline: float = TIMEOUT) -> Result:
        """Do something with the client in a thread; `deadline` is in seconds for the whole."""
        async with self.slots or nullcontext():
            async with self.opening:
                if self.client is None:
                    self.client = await self._within(self._opened, deadline)
            return await self._within(lambda: what(self.client), deadline)

    async def _within(self, what: Callable[[], Result], deadline: float) -> Result:
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

    def _called(self, what: Callable[[], Result]) -> Result:
        from docker import errors
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            return what()
        except (errors.DockerException, RequestException, HTTPError, OSError) as e:
            raise _mapped(self.engine.transport.host, e) from e

    def _opened(self) -> Any:  # noqa: ANN401 - the library has no types
        from executors.containers.splice import client

        version = self.engine.version
        made = client(_ADDRESS, self.splicer, version=version, timeout=TIMEOUT)
        self.engine.version = str(made.api_version)
        return made

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
