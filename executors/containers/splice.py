"""HTTP through a host's stream: sockets for a blocking client, spliced to channels by asyncio."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import requests
import urllib3
import urllib3.connection
from docker import APIClient
from requests.adapters import HTTPAdapter

from executors.transport import Stream

_CHUNK = 64 * 1024
# Seconds to open one channel, the wait for its loop included.
_OPEN = 30.0
# Idle connections that are kept; others are closed after their use.
_POOL = 3

# The API's version that is spoken until the host has told its own.
_FLOOR = "1.24"

Opener = Callable[[], Awaitable[Stream]]


class Splicer:
    """Makes sockets whose other end is a stream of the host; lives in one event loop."""

    def __init__(self, opener: Opener) -> None:
        self._loop = asyncio.get_running_loop()
        self._opener = opener
        self._pumps: set[asyncio.Task[None]] = set()

    def connected(self) -> socket.socket:
        """Return a connected socket; called in a thread, never in the loop. Raises as `Opener`."""
        return asyncio.run_coroutine_threadsafe(self._connected(), self._loop).result(_OPEN)

    async def _connected(self) -> socket.socket:
        stream = await self._opener()
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        pump = asyncio.create_task(_splice(stream, reader, writer))
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)
        return theirs

    async def close(self, *, grace: float = 0.0) -> None:
        """End every connection that is open; `grace` seconds are given to those that are ending."""
        if self._pumps and grace:
            await asyncio.wait(self._pumps, timeout=grace)
        pumps = list(self._pumps)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _splice(
    stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry bytes both ways until either side ends."""
    up = asyncio.create_task(_up(stream, reader))
    down = asyncio.create_task(_down(stream, writer))
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
    finally:
        writer.close()
        up.cancel()
        down.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        with suppress(OSError):
            await writer.wait_closed()
        await stream.close()


async def _up(stream: Stream, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(_CHUNK):
        await stream.write(data)


async def _down(stream: Stream, writer: asyncio.StreamWriter) -> None:
    while data := await stream.read(_CHUNK):
        writer.write(data)
        await writer.drain()


class _Connection(urllib3.connection.HTTPConnection):
    """An HTTP connection over a spliced socket."""

    def __init__(self, splicer: Splicer, timeout: Any) -> None:  # noqa: ANN401
        super().__init__("localhost", timeout=timeout)
        self._splicer = splicer

    def connect(self) -> None:
        """Take a socket instead of opening one."""
        sock = self._splicer.connected()
        sock.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
        self.sock = sock


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, splicer: Splicer) -> None:
        super().__init__("localhost", maxsize=_POOL, block=False)
        self._splicer = splicer

    def _new_conn(self) -> Any:  # noqa: ANN401 - the library's own protocol can't be met
        return _Connection(self._splicer, self.timeout.connect_timeout)


class SpliceAdapter(HTTPAdapter):
    """What `requests` sends HTTP through; whatever the address, it goes to the one host."""

    def __init__(self, splicer: Splicer) -> None:
        self._pool = _Pool(splicer)
        super().__init__()

    def get_connection_with_tls_context(self, *_: object, **__: object) -> _Pool:
        """Return the one pool."""
        return self._pool

    def get_connection(self, *_: object, **__: object) -> _Pool:
        """Return the one pool, for older versions of the library."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: object) -> str:
        """Return the path only, as without a proxy."""
        return request.path_url

    def close(self) -> None:
        """Close the connections of the pool."""
        self._pool.close()
        super().close()


def client(address: str, splicer: Splicer, *, version: str, timeout: int) -> Any:  # noqa: ANN401
    """Return a client of dockerd; called in a thread. `version` "auto" asks for the API's."""
    is_known = version != "auto"
    made: Any = APIClient(
        base_url=address, version=version if is_known else _FLOOR, timeout=timeout
    )
    # Nothing of this machine's environment, proxies above all, is for a socket over there.
    made.trust_env = False
    made.mount("http://", SpliceAdapter(splicer))
    if is_known:
        return made
    found = str(made.version(api_version=False)["ApiVersion"])
    made.close()
    return client(address, splicer, version=found, timeout=timeout)
