"""Connections over SSH: one per host and run, a bounded number of logins at a time."""

from __future__ import annotations

import asyncio
import getpass
import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from executors.known_hosts import KnownHosts, KnownKey, inventory_keys
from executors.printable import printable
from executors.transport import HostError, HostFault, Transport
from inventory.model import SshTarget

if TYPE_CHECKING:
    from executors.ssh_connection import Login, SshTransport
    from executors.ssh_keys import KeyRing

_BACKOFF = 0.2


def _agent_of_environment() -> str:
    return os.environ.get("SSH_AUTH_SOCK", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSettings:
    """How to log in where the inventory does not say it; times in seconds.

    `concurrency` is the number of logins under way at once, `attempts` how often a login is tried
    that the host hung up on. `jump` is ``[user@]host[:port]``, through which all hosts are reached.
    """

    user: str = ""
    key_path: str = ""
    known_hosts: tuple[str, ...] = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
    jump: str = ""
    concurrency: int = 32
    connect_timeout: float = 15.0
    keepalive: float = 5.0
    keepalive_count: int = 3
    attempts: int = 5
    agent: str = field(default_factory=_agent_of_environment)


class SshConnector:
    """Opens and shares connections to the hosts of an inventory; see `Connector`."""

    def __init__(self, targets: Mapping[str, SshTarget], settings: SshSettings) -> None:
        self._targets = targets
        self._settings = settings
        self._logins = asyncio.Semaphore(settings.concurrency)
        self._opening: dict[str, asyncio.Task[SshTransport]] = {}
        self._known: KnownHosts | None = None
        self._ring: KeyRing | None = None

    async def connect(self, host: str) -> Transport:
        """Return the host's connection, opening it where there is none (or none any more)."""
        return await self._shared(host)

    async def _shared(self, host: str) -> SshTransport:
        task = self._opening.get(host)
        if task is None or _is_over(task):
            task = asyncio.create_task(self._open(host), name=f"ssh {host}")
            self._opening[host] = task
        # one who waits no longer must not take the connection from the others
        return await asyncio.shield(task)

    async def hang_up(self, host: str) -> None:
        """End the host's connection, unless others are reached through it."""
        if host == self._settings.jump or (task := self._opening.pop(host, None)) is None:
            return
        task.cancel()
        (end,) = await asyncio.gather(task, return_exceptions=True)
        if not isinstance(end, BaseException):
            await end.disconnect()

    async def close(self) -> None:
        """Close every connection, and give up those being opened."""
        tasks = list(self._opening.values())
        self._opening.clear()
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        open_ones = [t for t in done if not isinstance(t, BaseException)]
        await asyncio.gather(*(t.disconnect() for t in open_ones))

    async def _open(self, host: str) -> SshTransport:
        login = await self._login(host)
        for attempt in range(self._settings.attempts):
            if attempt:
                pause = _BACKOFF * 2**attempt
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            async with self._logins:
                if (transport := await _attempt(login)) is not None:
                    return transport
        detail = f"{login.target.address} hung up during {self._settings.attempts} logins"
        hint = "Too many logins at once (MaxStartups of its sshd), or it bans this address."
        raise HostError(host, HostFault.LOST, detail, hint)

    async def _login(self, host: str) -> Login:
        from executors.ssh_connection import Login
        from executors.ssh_trust import HostTrust

        target, settings = self._target(host), self._settings
        jump = None
        if settings.jump and host != settings.jump:
            jump = (await self._shared(settings.jump)).connection
        return Login(
            target=target,
            user=target.user or settings.user or getpass.getuser(),
            identity=self._keys().identity(host, target.key_path or settings.key_path),
            trust=HostTrust(target, self._known_keys(target)),
            timeout=settings.connect_timeout,
            keepalive=settings.keepalive,
            keepalive_count=settings.keepalive_count,
            tunnel=jump,
        )

    def _target(self, host: str) -> SshTarget:
        if host == self._settings.jump:
            return jump_target(host, self._targets)
        if host not in self._targets:
            raise HostError(host, HostFault.UNREACHABLE, "it is not in the inventory")
        return self._targets[host]

    def _keys(self) -> KeyRing:
        from executors.ssh_keys import KeyRing

        self._ring = self._ring or KeyRing(self._settings.agent or None)
        return self._ring

    def _known_keys(self, target: SshTarget) -> tuple[KnownKey, ...]:
        if target.host_keys:
            return inventory_keys(target.host_keys, target.host)
        if self._known is None:
            self._known = _read_known_hosts(self._settings.known_hosts)
        return self._known.keys(target.address, target.port)


def jump_target(jump: str, targets: Mapping[str, SshTarget]) -> SshTarget:
    """Return how the jump host ``[user@]host[:port]`` is reached; it may be in the inventory."""
    user, _, rest = jump.rpartition("@")
    name, colon, port = rest.rpartition(":")
    if not (colon and port.isdigit()):
        name, port = rest, ""
    base = targets.get(name, SshTarget(host=jump, address=name))
    return replace(base, host=jump, user=user or base.user, port=int(port) if port else base.port)


def _is_over(task: asyncio.Task[SshTransport]) -> bool:
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or not task.result().is_open


def _read_known_hosts(paths: tuple[str, ...]) -> KnownHosts:
    known = KnownHosts()
    for path in paths:
        try:
            known.add(Path(path).expanduser().read_text(errors="replace"), path)
        except OSError:
            continue  # a file that is not there trusts nobody
    return known


async def _attempt(login: Login) -> SshTransport | None:
    """Log in; None where the host hung up, so that another try is worth it."""
    from executors.ssh_connection import open_connection

    host, where = login.target.host, f"{login.target.address} port {login.target.port}"
    try:
        return await open_connection(login)
    except ConnectionRefusedError as e:
        hint = "Is sshd running there, and is ansible_port right?"
        raise HostError(host, HostFault.REFUSED, where, hint) from e
    except ConnectionError:
        return None
    except (socket.gaierror, UnicodeError) as e:
        detail = f"{login.target.address!r} is no known host name"
        hint = "Set ansible_host in the inventory."
        raise HostError(host, HostFault.UNREACHABLE, detail, hint) from e
    except OSError as e:
        detail = f"{where}: {printable(e.strerror or str(e))}"
        raise HostError(host, HostFault.UNREACHABLE, detail) from e
