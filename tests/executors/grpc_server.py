"""Servers of gRPC with its own health service, behind types: the library comes without any."""

# pyright: basic, reportMissingTypeStubs=false
# mypy: disable-error-code="no-any-return, misc, attr-defined"

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from grpc import StatusCode, aio, ssl_server_credentials
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

STATUS: Mapping[str, int] = dict(health_pb2.HealthCheckResponse.ServingStatus.items())


def asked(service: str) -> bytes:
    """The library's message that asks about a service."""
    return health_pb2.HealthCheckRequest(service=service).SerializeToString()


def answered(status: int) -> bytes:
    """The library's message that tells a status."""
    return health_pb2.HealthCheckResponse(status=status).SerializeToString()


class Refusing(health_pb2_grpc.HealthServicer):
    """A health service that nobody may ask."""

    async def Check(self, _: object, context: aio.ServicerContext) -> None:  # noqa: N802
        await context.abort(StatusCode.PERMISSION_DENIED, "who\x1b[31m are you?")


@asynccontextmanager
async def serving(servicer: object = None, tls: Path | None = None) -> AsyncIterator[int]:
    """Serve on a port; with `tls`, by `key.pem` and `cert.pem` in that folder."""
    server = aio.server()
    if servicer is not None:
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = ((tls / "key.pem").read_bytes(), (tls / "cert.pem").read_bytes())
        port = server.add_secure_port("127.0.0.1:0", ssl_server_credentials([pair]))
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def telling(statuses: Mapping[str, str]) -> object:
    """A health service that tells those statuses, by the names of services."""
    servicer = health.aio.HealthServicer()  # pyright: ignore[reportAttributeAccessIssue]
    for service, status in statuses.items():
        await servicer.set(service, STATUS[status])
    return servicer
