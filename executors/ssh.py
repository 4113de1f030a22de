"""Connections over SSH: one per host and run, shared jump hosts, a bounded number of logins."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from executors.asyncssh_import import import_asyncssh
from executors.known_hosts import trust_command
from executors.ssh_config.expand import here
from executors.ssh_config.resolve import SshConfig
from executors.ssh_hop import Chain, Hop
from executors.ssh_known import KnownFiles
from executors.ssh_routes import Routes
from executors.ssh_settings import SshSettings
from executors.transport import HostError, HostFault, Transport
from inventory.model import SshTarget

if TYPE_CHECKING:
    import asyncssh

    from executors.ssh_connection import SshTransport
    from executors.ssh_keys import KeyRing
    from executors.ssh_login import Login
    from executors.ssh_scan import Scan, ShownKey

_BACKOFF = 0.2
# Seconds in which a jump host that failed is not tried again: all hosts behind it ask at once.
_JUMP_REST = 5.0

Key = str | Chain


class SshConnector:
    """Opens and shares connections to the hosts of an inventory; see `Connector`.

    A jump host is logged in to once, for all hosts behind it; one that is in the inventory itself
    shares its own connection. `config` is what ssh's own configuration says, if it counts.
    """

    def __init__(
        self,
        targets: Mapping[str, SshTarget],
        settings: SshSettings,
        config: SshConfig | None = None,
    ) -> None:
        self._targets = targets
        self._settings = settings
        self.routes = Routes(targets, settings, config or SshConfig((), here(os.environ)))
        self._logins = asyncio.Semaphore(settings.concurrency)
        self._through: dict[Key, asyncio.Semaphore] = {}
        self._opening: dict[Key, asyncio.Task[asyncssh.SSHClientConnection]] = {}
        self._failed: dict[Key, tuple[float, HostError]] = {}
        self._transports: dict[str, SshTransport] = {}
        self._known = KnownFiles()
        self._ring: KeyRing | None = None

    async def connect(self, host: str) -> Transport:
        """Return the host's connection, opening it where there is none (or none any more)."""
        import_asyncssh()
        from executors.ssh_connection import SshTransport

        route = self.routes.route(host)
        try:
            connection = await self._shared(host, route.hops)
        except HostError as e:
            raise _on_the_way(host, route.hops, e) from e
        found = self._transports.get(host)
        if found is None or found.connection is not connection:
            found = self._transports[host] = SshTransport(self._targets[host], connection)
        return found

    async def shown(self, hops: Chain) -> ShownKey:
        """Return the host key that the last hop shows; nobody logs in there, only on the way.

        Raises `HostError` where none is seen.
        """
        from executors.ssh_scan import Scan, ShownKey

        known = self._known.keys(hops[-1])
        scan = Scan(hops[-1], known)
        try:
            await _disconnect(await self._open(hops, scan))
        except HostError:
            if not scan.shown:
                raise
        return ShownKey(hops=hops, line=scan.shown, known=known)

    async def hang_up(self, host: str) -> None:
        """End the host's connection, unless others are reached through it."""
        if host in self._through or (task := self._opening.pop(host, None)) is None:
            return
        self._transports.pop(host, None)  # or it keeps all that the connection has read
        task.cancel()
        (end,) = await asyncio.gather(task, return_exceptions=True)
        if not isinstance(end, BaseException):
            await _disconnect(end)

    async def close(self) -> None:
        """Close every connection, and give up those being opened."""
        tasks = list(self._opening.items())
        self._opening.clear()
        for _, task in tasks:
            task.cancel()
        done = await asyncio.gather(*(t for _, t in tasks), return_exceptions=True)
        ends = zip((key for key, _ in tasks), done, strict=True)
        is_open = [(key, c) for key, c in ends if not isinstance(c, BaseException)]
        # those behind jump hosts first
        await asyncio.gather(*(_disconnect(c) for k, c in is_open if k not in self._through))
        await asyncio.gather(*(_disconnect(c) for k, c in is_open if k in self._through))
        if self._ring is not None:
            await self._ring.close()

    async def _shared(self, key: Key, hops: Chain) -> asyncssh.SSHClientConnection:
        task = self._opening.get(key)
        if task is None or _is_over(task):
            name = f"ssh {hops[-1].name}"
            task = asyncio.create_task(self._open(hops), name=name)
            self._opening[key] = task
        # one who waits no longer must not take the connection from the others
        return await asyncio.shield(task)

    async def _jump(self, hops: Chain) -> tuple[Key, asyncssh.SSHClientConnection]:
        """Return the connection to a jump host, and under what it is kept."""
        key = self._key(hops)
        self._through.setdefault(key, asyncio.Semaphore(self._settings.jump_concurrency))
        now = asyncio.get_running_loop().time()
        if (failed := self._failed.get(key)) and now < failed[0]:
            raise failed[1]
        try:
            return key, await self._shared(key, hops)
        except HostError as e:
            self._failed[key] = (asyncio.get_running_loop().time() + _JUMP_REST, e)
            raise

    def _key(self, hops: Chain) -> Key:
        """Return the inventory's name of a jump host whose own connection will do, or the hops."""
        name = hops[-1].host
        if name in self._targets:
            try:
                return name if self.routes.route(name).hops == hops else hops
            except HostError:
                pass
        return hops

    async def _open(self, hops: Chain, scan: Scan | None = None) -> asyncssh.SSHClientConnection:
        from executors.ssh_login import attempt

        hop = hops[-1]
        for number in range(self._settings.attempts):
            if number:
                pause = _BACKOFF * 2**number
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            async with AsyncExitStack() as turns:
                tunnel = None
                if hops[:-1]:
                    key, tunnel = await self._jump(hops[:-1])
                    await turns.enter_async_context(self._through[key])
                await turns.enter_async_context(self._logins)
                connection = await attempt(await self._login(hop, tunnel, scan))
                if connection is not None:
                    return connection
        detail = f"{hop.address} hung up during {self._settings.attempts} logins"
        hint = "Too many logins at once (MaxStartups of its sshd), or it bans this address."
        raise HostError(hop.name, HostFault.LOST, detail, hint)

    async def _login(
        self, hop: Hop, tunnel: asyncssh.SSHClientConnection | None, scan: Scan | None
    ) -> Login:
        from executors.ssh_keys import Identity
        from executors.ssh_login import Login
        from executors.ssh_trust import HostTrust

        if scan is not None:
            return Login(hop=hop, identity=Identity((), ""), trust=scan, tunnel=tunnel)
        return Login(
            hop=hop,
            identity=await self._keys().identity(hop.name, hop.identities),
            trust=HostTrust(hop, self._known.keys(hop)),
            tunnel=tunnel,
        )

    def _keys(self) -> KeyRing:
        from executors.ssh_keys import KeyRing

        self._ring = self._ring or KeyRing()
        return self._ring


def _on_the_way(host: str, hops: Chain, error: HostError) -> HostError:
    """Return the error of a host; where a jump host failed, it is named."""
    if error.host == host:
        return error
    jumps = hops[:-1]
    at = next((n for n, h in enumerate(jumps, 1) if error.host in {h.name, h.host}), 0)
    place = f" ({at} of {len(jumps)})" if at and len(jumps) > 1 else ""
    detail = f"jump host {error.host}{place}: {error.detail}"
    # the command is for the host of the inventory, and sees to those before it
    hint = error.hint.replace(trust_command(error.host), trust_command(host))
    return HostError(host, error.fault, detail, hint)


def _is_over(task: asyncio.Task[asyncssh.SSHClientConnection]) -> bool:
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result().is_closed()


_CLOSE_TIMEOUT = 2.0


async def _disconnect(connection: asyncssh.SSHClientConnection) -> None:
    """End a connection and everything in it."""
    connection.close()
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await connection.wait_closed()
    except TimeoutError:
        connection.abort()
    else:
        # by which it refers to itself, and would keep all that it has until garbage is looked for
        vars(connection)["_recv_handler"] = None
