"""Checks of type grpc, against servers of gRPC and against what only looks like one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import given
from hypothesis import strategies as st

from executors.checks import BoundCheck, failure
from executors.dev import DevHost
from executors.grpc_health import request, serving_status
from executors.local import LocalTransport
from planner.job import SECOND, Check
from tests.executors.grpc_server import Refusing, answered, asked, serving, telling
from tests.executors.test_checks import hardened
from tests.executors.test_https_checks import certificate
from tests.executors.test_transport_contract import connector_of

CHECK = Check(name="c", type="grpc", interval=SECOND, timeout=20 * SECOND)
HERE = LocalTransport(name="h")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def bound(port: int, **changes: object) -> BoundCheck:
    check = replace(CHECK, **changes)  # type: ignore[arg-type]
    return BoundCheck(name="c", check=check, address="127.0.0.1", port=port)


async def said(port: int, **changes: object) -> str:
    return await failure(bound(port, **changes), HERE)


STATUSES = {"": "SERVING", "up": "SERVING", "down": "NOT_SERVING", "odd": "UNKNOWN"}


async def test_what_a_server_says_of_its_services() -> None:
    async with serving(await telling(STATUSES)) as port:
        assert await said(port) == ""
        assert await said(port, grpc_service="up") == ""
        assert await said(port, grpc_service="down") == "it is NOT_SERVING"
        assert await said(port, grpc_service="odd") == "it is UNKNOWN"
        assert await said(port, grpc_service="näm") == 'it knows no service "näm"'


async def test_inside_tls(tmp_path: Path) -> None:
    certificate(tmp_path)
    easy = {"grpc_use_tls": True, "tls_skip_verify": True, "tls_server_name": "web.example"}
    async with serving(await telling(STATUSES), tls=tmp_path) as port:
        why = await said(port, grpc_use_tls=True)
        assert why == f"127.0.0.1:{port}: TLS: self-signed certificate"
        assert await said(port, **easy) == ""
        assert await said(port, **easy, grpc_service="down") == "it is NOT_SERVING"
        assert await said(port) == "the connection ended before the answer did"


async def test_through_an_ssh_connection(tmp_path: Path) -> None:
    certificate(tmp_path)
    easy = {"grpc_use_tls": True, "tls_skip_verify": True}
    health = await telling(STATUSES)
    async with (
        DevHost(tmp_path / "host") as dev,
        serving(health) as port,
        serving(health, tls=tmp_path) as encrypted,
    ):
        connector = connector_of(dev.inventory.read_text())
        transport = await connector.connect("dev")
        assert await failure(bound(port), transport) == ""
        assert await failure(bound(port, grpc_service="down"), transport) == "it is NOT_SERVING"
        assert await failure(bound(encrypted, **easy), transport) == ""
        await connector.close()


async def test_a_server_without_the_health_service() -> None:
    async with serving() as port:
        assert await said(port) == "it has no service grpc.health.v1.Health"


async def test_other_statuses_are_told_by_name_and_without_the_servers_words() -> None:
    async with serving(Refusing()) as port:
        assert await said(port) == "gRPC status PERMISSION_DENIED"


# ── what is no server of gRPC ────────────────────────────────────────────────────────────────


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[Serve], Awaitable[int]]]:
    """Listens on a port, and serves as it is told."""
    servers: list[asyncio.Server] = []

    async def start(serve: Serve) -> int:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()


Listen = Callable[[Serve], Awaitable[int]]


def answering(*parts: bytes, forever: bool = False) -> Serve:
    """Writes those bytes once it is asked, the last over and over if it is to; then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        try:
            for part in parts:
                writer.write(part)
            while forever:
                writer.write(parts[-1])
                await writer.drain()
            await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    return serve


def http2(headers: dict[str, str] | None, body: bytes = b"", trailers: str = "") -> Serve:
    """A server of HTTP/2 that answers any request so; without headers it resets the stream."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        connection.receive_data(await reader.read(4096))
        while connection.highest_inbound_stream_id == 0:
            connection.receive_data(await reader.read(4096))
        if headers is None:
            connection.reset_stream(1)
        else:
            connection.send_headers(1, list(headers.items()), end_stream=not trailers)
        if trailers:
            for part in (body[:10_000], body[10_000:]):
                connection.send_data(1, part)
            connection.send_headers(1, [("grpc-status", trailers)], end_stream=True)
        writer.write(connection.data_to_send())
        await writer.drain()
        await reader.read()
        writer.close()

    return serve


GRPC = {":status": "200", "content-type": "application/grpc"}
SETTINGS = bytes.fromhex("000000040000000000")
PING = bytes.fromhex("000008060000000000") + b"12345678"


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "the answer is not HTTP/2"),
        (answering(b"\xff" * 100), "the answer is not HTTP/2"),
        (answering(), "the connection ended before the answer did"),
        (answering(SETTINGS), "the connection ended before the answer did"),
        (answering(SETTINGS, PING, forever=True), "the answer is longer than 16 KiB"),
        (http2(None), "the server broke the call off"),
        (http2({":status": "404"}), "HTTP status 404"),
        (http2({":status": "200"}), "the answer is not gRPC"),
        (http2({**GRPC, "grpc-status": "14"}), "gRPC status UNAVAILABLE"),
        (http2({**GRPC, "grpc-status": "77"}), "gRPC status 77"),
        (http2({**GRPC, "grpc-status": "x" * 40}), "gRPC status -1"),
        (http2(GRPC, trailers="0"), "the answer is no message of grpc.health.v1"),
        (http2(GRPC, b"\0\0\0\0\2\x08", "0"), "the answer is no message of grpc.health.v1"),
        (http2(GRPC, b"\0\0\0\0\2\x08\x09", "0"), "it is 9"),
        (http2(GRPC, b"\0\0\0\0\2\x08\1", "0"), ""),
        # nobody has said that it may be compressed
        (http2(GRPC, b"\1\0\0\0\2\x08\1", "0"), "the answer is no message of grpc.health.v1"),
        (http2(GRPC, b"\0\0\0\0\2\x08\1" * 2_500, "0"), "the answer is longer than 16 KiB"),
    ],
)
async def test_odd_answers(listen: Listen, serve: Serve, why: str) -> None:
    assert await said(await listen(serve)) == why


async def test_a_server_that_says_nothing_is_waited_for_no_longer_than_the_timeout(
    listen: Listen,
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    port = await listen(silent)
    assert await said(port, timeout=SECOND) == "no answer within 1s"


async def test_a_host_whose_sshd_forwards_nothing(tmp_path: Path) -> None:
    why = await failure(bound(1), hardened(tmp_path, "bash"))
    assert why == "sshd forbids TCP forwarding, without which there are no grpc checks"


async def test_a_server_of_tls_that_knows_no_http2(tmp_path: Path) -> None:
    context = certificate(tmp_path)
    context.set_alpn_protocols(["http/1.1"])
    serve = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    why = await said(port, grpc_use_tls=True, tls_skip_verify=True)
    server.close()
    assert why == "the answer is not HTTP/2"


# ── the messages ─────────────────────────────────────────────────────────────────────────────


@given(st.text(max_size=300))
def test_requests_are_those_of_the_library(service: str) -> None:
    assert request(service) == asked(service)


@given(st.integers(0, 3))
def test_answers_of_the_library_are_read(status: int) -> None:
    message = answered(status)
    assert serving_status(b"\0" + len(message).to_bytes(4, "big") + message) == status


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    found = serving_status(b"\0" + len(message).to_bytes(4, "big") + message)
    assert found is None or found >= 0


def test_fields_of_later_versions_are_passed_over() -> None:
    more = b"\x12\x02hi" + b"\x1d\1\2\3\4" + b"\x21" + b"8" * 8 + b"\x08\x02"
    assert serving_status(b"\0" + len(more).to_bytes(4, "big") + more) == 2
