"""TLS through any stream: what checks of http and grpc speak inside the SSH connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from executors.transport import Stream

_CHUNK = 16 * 1024
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class TlsStream:
    """A stream inside another one, after its handshake. Closing it ends both."""

    inner: Stream
    incoming: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    outgoing: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    session: ssl.SSLObject

    async def write(self, data: bytes) -> None:
        """Send bytes; `ConnectionError` where the other side is gone."""
        await self._do(lambda: self.session.write(data))

    async def read(self, limit: int) -> bytes:
        """Return up to `limit` bytes, nothing at the end."""
        return await self._do(lambda: self._read(limit))

    async def close(self) -> None:
        """End the connection."""
        await self.inner.close()

    async def shake_hands(self) -> None:
        """Agree on keys; `ssl.SSLError` where the other side's certificate is no good."""
        await self._do(self.session.do_handshake)

    def _read(self, limit: int) -> bytes:
        try:
            return self.session.read(limit)
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLEOFError:  # many servers just hang up
            return b""

    async def _do(self, act: Callable[[], T]) -> T:
        while True:
            try:
                done = act()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self.inner.read(_CHUNK)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()
                continue
            await self._flush()
            return done

    async def _flush(self) -> None:
        if self.outgoing.pending:
            await self.inner.write(self.outgoing.read())


async def encrypted(inner: Stream, name: str, *, verified: bool, protocol: str = "") -> TlsStream:
    """Return TLS inside `inner`, to the server `name`; `ssl.SSLError` if its certificate is bad.

    Certificates are held against the authorities that this machine trusts. `protocol` is what is
    to be spoken inside (ALPN), where the server wants to know.
    """
    context = ssl.create_default_context()
    if protocol:
        context.set_alpn_protocols([protocol])
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=name)
    stream = TlsStream(inner=inner, incoming=incoming, outgoing=outgoing, session=session)
    await stream.shake_hands()
    return stream
