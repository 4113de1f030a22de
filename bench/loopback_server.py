"""An asyncssh server that plays all loopback hosts: the probe gets an answer, all else nothing.

`python bench/loopback_server.py PORT KEY HOST_KEY ANSWER KEY_EXCHANGE`
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncssh


class _Session(asyncssh.SSHServerSession[bytes]):
    """Answers one command."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._command = ""

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._chan = chan

    def exec_requested(self, command: str) -> bool:
        self._command = command
        return True

    def session_started(self) -> None:
        if "orch-probe" in self._command:
            self._chan.write(self._answer)
        self._chan.exit(0)


class _Host(asyncssh.SSHServer):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        """Every host has allocations of its own."""
        a, b = map(int, str(self._conn.get_extra_info("sockname")[0]).split(".")[2:])
        return _Session(self._answer.replace(b"-1111-", b"-%02x%02x-" % (a, b)))


async def _serve(port: int, key: str, host_key: str, answer: bytes, key_exchange: str) -> None:
    listening = await asyncssh.listen(
        "0.0.0.0",  # noqa: S104
        port,
        backlog=2000,
        server_factory=lambda: _Host(answer),
        server_host_keys=[host_key],
        authorized_client_keys=key,
        kex_algs=key_exchange,
        encoding=None,
        login_timeout=600,
    )
    await listening.wait_closed()


if __name__ == "__main__":
    _port, _key, _host_key, _answer, _exchange = sys.argv[1:]
    asyncio.run(_serve(int(_port), _key, _host_key, Path(_answer).read_bytes(), _exchange))
