"""A host that lets the user in and then answers whatever a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import asyncssh

Process = asyncssh.SSHServerProcess[bytes]
Answer = Callable[[Process], Awaitable[None]]


@dataclass(frozen=True)
class Liar:
    """A running one, and how an inventory says it is reached."""

    port: int
    host_key: str

    def variables(self, key: Path) -> dict[str, str]:
        return {
            "ansible_host": "127.0.0.1",
            "ansible_port": str(self.port),
            "ansible_user": "liar",
            "ansible_ssh_private_key_file": str(key),
            "orch_host_key": self.host_key,
        }


@asynccontextmanager
async def lying(answer: Answer, key: Path) -> AsyncGenerator[Liar]:
    """Serve on a free port; the public half of `key` may log in."""
    own = new_key()
    known = asyncssh.read_private_key(key).convert_to_public()

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return key.public_data == known.public_data

    async def serve(process: Process) -> None:
        try:
            await answer(process)
        except (OSError, asyncssh.Error):
            process.close()

    acceptor = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Server, server_host_keys=[own], config=None,
        process_factory=serve, encoding=None, gss_host=None,
    )  # fmt: skip
    try:
        yield Liar(acceptor.get_port(), public(own))
    finally:
        acceptor.close()
        await acceptor.wait_closed()


def new_key() -> asyncssh.SSHKey:
    generate = cast("Callable[..., asyncssh.SSHKey]", cast("Any", asyncssh).generate_private_key)
    return generate("ssh-ed25519")


def public(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


# -- answers --------------------------------------------------------------------------------------


def saying(out: bytes, err: bytes = b"", code: int = 0) -> Answer:
    async def answer(process: Process) -> None:
        process.stdout.write(out)
        process.stderr.write(err)
        process.exit(code)

    return answer


async def a_gigabyte(process: Process) -> None:
    """One endless line, until nobody listens."""
    for _ in range(1024):
        process.stdout.write(b"x" * 1024 * 1024)
        await process.stdout.drain()
    process.exit(0)


def changing(change: Callable[[bytes], bytes]) -> Answer:
    """Do what is asked, and answer something else."""

    async def answer(process: Process) -> None:
        command = process.command or "true"
        child = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        out, _ = await child.communicate()
        process.stdout.write(change(out))
        process.exit(0)

    return answer


@asynccontextmanager
async def silent() -> AsyncGenerator[int]:
    """Accept connections and say nothing."""
    gone = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        gone.set()
        server.close()
        await server.wait_closed()
