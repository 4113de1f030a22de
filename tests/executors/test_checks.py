"""Checks where sshd connects nowhere for us: by a program of the host."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from executors.checks import BoundCheck, failure, made
from executors.local import LocalTransport
from executors.transport import HostError, HostFault, Stream
from planner.check_status import CheckLevel
from planner.job import SECOND, Check

TOOLS = {"bash": ("bash", "cat", "head"), "nc": ("nc", "head"), "nothing": ()}
OK, GONE = b"HTTP/1.0 200 OK\r\n\r\nfine", b"HTTP/1.1 503 Gone\r\n\r\n"


class Hardened(LocalTransport):
    """This machine with an sshd that forwards nothing."""

    async def dial(self, address: str, port: int, *, deadline: float) -> Stream:
        raise HostError(self.host, HostFault.FORWARDING, "")


def hardened(folder: Path, tools: str) -> Hardened:
    """With these programs only: `nc` is busybox's."""
    # busybox's own shell may take its programs for there
    names = {"sh": "dash", "nc": "busybox"}
    for tool in ("sh", *TOOLS[tools]):
        found = shutil.which(names.get(tool, tool))
        if found is None:
            pytest.skip(f"no {tool} here")
        (folder / tool).symlink_to(found)
    return Hardened(name="h", env={"PATH": str(folder)})


@dataclass
class Server:
    """What it answers, and what it was asked last."""

    port: int = 0
    answer: bytes = OK
    asked: bytes = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked = await reader.read(4096)
        writer.write(self.answer)
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that somebody may check."""
    found = Server()
    listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = listening.sockets[0].getsockname()[1]
    yield found
    listening.close()


def bound(port: int, kind: str) -> BoundCheck:
    check = Check(name="c", type=kind, path="/health", interval=SECOND, timeout=10 * SECOND)
    return BoundCheck(name="c", check=check, address="127.0.0.1", port=port)


@pytest.mark.parametrize("tools", ["bash", "nc"])
async def test_a_program_of_the_host_makes_the_check(
    tmp_path: Path, server: Server, tools: str
) -> None:
    host = hardened(tmp_path, tools)
    assert await failure(bound(server.port, "tcp"), host) == ""
    http = bound(server.port, "http")
    assert await failure(http, host) == ""
    assert server.asked.startswith(b"GET /health HTTP/1.0\r\n")
    server.answer = GONE
    assert await failure(http, host) == "HTTP status 503"
    server.answer = b"HTTP/1.1 429 Too Many Requests\r\n\r\n"
    assert (await made(http, host)).level is CheckLevel.CRITICAL
    assert (await made(replace(http, warns=True), host)).level is CheckLevel.WARNING
    server.answer = b"hello\n"
    assert await failure(http, host) == "the answer is not HTTP"


@pytest.mark.parametrize("tools", ["bash", "nc"])
@pytest.mark.parametrize("kind", ["tcp", "http"])
async def test_nothing_listens(tmp_path: Path, tools: str, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    why = await failure(bound(port, kind), hardened(tmp_path, tools))
    assert why == f"nothing listens on 127.0.0.1:{port}"


async def test_a_host_with_no_such_program_says_so(tmp_path: Path) -> None:
    answer = await made(bound(1, "tcp"), hardened(tmp_path, "nothing"))
    assert answer.why.endswith("the host has neither bash nor nc to check by")
    assert not answer.made
