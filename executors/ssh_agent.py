"""The keys of an ssh-agent: asked for once, and lent to any number of logins."""

from __future__ import annotations

import asyncio
from copy import copy

import asyncssh

from executors.key_files import certified_key

# Seconds; an agent that asks its user something may take its time to sign, but not to list.
_DEADLINE = 10.0


class Agent:
    """One agent, at the socket `path`. Every key it has is taken, of whatever kind."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._client: asyncssh.SSHAgentClient | None = None
        self._pairs: asyncio.Task[tuple[asyncssh.SSHKeyPair, ...]] | None = None

    async def pairs(self) -> tuple[asyncssh.SSHKeyPair, ...]:
        """Return its keys; none where it does not answer."""
        if self._pairs is None:
            self._pairs = asyncio.create_task(self._listed(), name=f"agent {self.path}")
        return await asyncio.shield(self._pairs)

    async def _listed(self) -> tuple[asyncssh.SSHKeyPair, ...]:
        try:
            async with asyncio.timeout(_DEADLINE):
                self._client = await asyncssh.connect_agent(self.path)
                return tuple(await self._client.get_keys())
        except (OSError, ValueError, TimeoutError, asyncssh.Error):
            return ()

    async def close(self) -> None:
        """Hang up."""
        if self._pairs is not None:
            self._pairs.cancel()
            await asyncio.gather(self._pairs, return_exceptions=True)
        if self._client is not None:
            self._client.close()
            await self._client.wait_closed()


def lent(
    pair: asyncssh.SSHKeyPair, certificate: asyncssh.SSHCertificate | None = None
) -> asyncssh.SSHKeyPair:
    """Return a key pair for one login alone: logins note in it what they have agreed upon."""
    own = copy(pair)
    if certificate is not None:
        own.set_certificate(certificate)
    return own


def plain_key(pair: asyncssh.SSHKeyPair) -> bytes:
    """Return the public key of a pair, also of one that the agent has with its certificate."""
    return certified_key(pair.public_data) or pair.public_data
