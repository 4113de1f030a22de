"""Checks of the protocol https, and scripts run beside their task."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from executors.check_results import Checked
from executors.checks import BoundCheck, failure, made
from executors.local import LocalTransport
from planner.check_status import PASSES, CheckLevel, fails
from planner.job import SECOND, Check, Update
from tests.executors.on_host import HostUnderTest, host

__all__ = ["host"]

CHECK = Check(
    name="c", type="http", protocol="https", path="/", interval=SECOND, timeout=20 * SECOND
)
NO = fails("no")
UPDATE = Update(min_healthy_time=10 * SECOND)
# More than one record of TLS.
LONG = b"x" * 100_000


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = await reader.readuntil(b"\r\n\r\n")
    status = b"503 Gone" if b"/gone" in asked else b"200 OK"
    writer.write(b"HTTP/1.0 " + status + b"\r\n\r\n" + LONG)
    writer.close()


def certificate(folder: Path) -> ssl.SSLContext:
    key, cert = folder / "key.pem", folder / "cert.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    words = [*made.split(), "-subj", "/CN=a", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(words, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """Where a server with a certificate of its own listens."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=certificate(tmp_path))
    yield server.sockets[0].getsockname()[1]
    server.close()


def bound(port: int, **changes: object) -> BoundCheck:
    check = replace(CHECK, **changes)  # type: ignore[arg-type]
    return BoundCheck(name="c", check=check, address="127.0.0.1", port=port)


async def test_a_certificate_that_nobody_vouches_for_fails_unless_it_may_be(port: int) -> None:
    here = LocalTransport(name="h")
    why = await failure(bound(port), here)
    assert why == f"127.0.0.1:{port}: TLS: self-signed certificate"
    assert await failure(bound(port, tls_skip_verify=True), here) == ""
    assert await failure(bound(port, tls_skip_verify=True, path="/gone"), here) == "HTTP status 503"


async def test_a_server_without_tls_is_told() -> None:
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    number = server.sockets[0].getsockname()[1]
    why = await failure(bound(number, tls_skip_verify=True), LocalTransport(name="h"))
    server.close()
    assert why.startswith(f"127.0.0.1:{number}: TLS: ")


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hello\r\n")
    writer.close()


async def test_a_script_runs_beside_its_task(host: HostUnderTest) -> None:
    record = await host.start(host.task("exec sleep 100"))
    await host.until(record, "running")

    def script(text: str, task: str = "t") -> BoundCheck:
        check = replace(CHECK, type="script", command="sh", args=("-c", text), task_name=task)
        return BoundCheck(name="c", check=check, address="", port=0, alloc_id=record.alloc_id)

    async def said(check: BoundCheck) -> str:
        return await failure(check, host.transport, str(host.data))

    assert await said(script('[ "$NOMAD_TASK_NAME" = t ]')) == ""
    assert await said(script("exit 3")) == "exit code 3"
    assert await said(script("exit 0", "")) == "it names no task to run its command in"
    consul = replace(script("exit 1"), warns=True)
    for check in (consul, script("exit 1")):
        answer = await made(check, host.transport, str(host.data))
        level = CheckLevel.WARNING if check.warns else CheckLevel.CRITICAL
        assert (answer.why, answer.level, answer.made) == ("exit code 1", level, True)
    await host.stop(record)
    gone = await made(script("exit 0"), host.transport, str(host.data))
    assert (gone.why, gone.made) == ('task "t" is not running', False)


def test_checks_with_thresholds_are_made_at_their_interval() -> None:
    quick, slow = bound(1), bound(2, failures_before_critical=2, interval=5 * SECOND)
    checks = (quick, slow)
    begun = Checked.of(checks)
    assert begun.due(checks, 0.0, UPDATE) == (0, 1)
    assert len(begun.failing) == 2
    bad = begun.after(checks, {0: NO, 1: PASSES}, 0.5)
    assert bad.failing == ('"c" (no)',)
    # One that fails is made at each look.
    assert bad.due(checks, 0.7, UPDATE) == (0,)
    later = bad.after(checks, {0: PASSES}, 0.7).after(checks, {1: NO}, 5.5)
    assert later.failing == ()
    assert later.at == 0.7
    assert later.after(checks, {1: NO}, 10.5).failing == ('"c" (no)',)
