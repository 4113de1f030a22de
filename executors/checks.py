"""Service checks of types tcp and http, made through the SSH connection from the host's side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from executors.transport import Bounds, HostError, HostFault, Stream, Transport
from planner.job import SECOND, Check, Service, TaskGroup
from planner.recorded import AllocRecord

# More of an answer than the status line is never needed.
_ANSWER_LIMIT = 4096
# What is run on the host: ADDRESS PORT TYPE; the request, if there is one, comes on stdin.
_THERE = """
if command -v bash >/dev/null 2>&1; then
    exec bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 7
        [ "$2" = http ] || exit 0
        cat >&3; head -n 1 <&3' "$1" "$2" "$3" 2>/dev/null
elif command -v nc >/dev/null 2>&1; then
    # busybox's knows no -z, and runs a program once it is connected.
    reaches() { nc -z "$1" "$2" 2>/dev/null || nc "$1" "$2" -e sh -c : 2>/dev/null; }
    if [ "$3" != http ]; then reaches "$1" "$2" || exit 7; exit 0; fi
    line=$(nc "$1" "$2" 2>/dev/null | head -n 1)
    [ -n "$line" ] || reaches "$1" "$2" || exit 7
    printf '%s\n' "$line"
else
    exit 9
fi
"""
_REFUSED, _NO_PROGRAM = 7, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundCheck:
    """A check with the address and port of one allocation; port 0 where the label is unknown.

    `task` is empty for a service of the group.
    """

    name: str
    check: Check
    address: str
    port: int
    service: str = ""
    task: str = ""


def bound_checks(group: TaskGroup, alloc: AllocRecord, address: str) -> tuple[BoundCheck, ...]:
    """Return the checks of the group's and its tasks' services, bound to the allocation's ports.

    `address` is the node's, used where a port has none of its own.
    """
    services = [("", s) for s in group.services]
    services += [(t.name, s) for t in group.tasks for s in t.services]
    return tuple(
        replace(_bound(service, check, alloc, address), task=task)
        for task, service in services
        for check in service.checks
    )


def _bound(service: Service, check: Check, alloc: AllocRecord, address: str) -> BoundCheck:
    label = check.port_label or service.port_label
    mapping = next((p for p in alloc.ports if p.label == label), None)
    number = int(label) if label.isdigit() else 0
    return BoundCheck(
        name=check.name or f'service: "{service.name}" check',
        check=check,
        service=service.name,
        address=(mapping.host_ip if mapping else "") or address,
        port=mapping.value if mapping else number,
    )


async def failure(bound: BoundCheck, transport: Transport) -> str:
    """Make the check once; return why it fails, or an empty string. Never raises for its target."""
    if not bound.port:
        return "its port is not defined in the group's network"
    timeout = max(bound.check.timeout / SECOND, 1.0)
    try:
        async with asyncio.timeout(timeout):
            return await _attempt(bound, transport, timeout)
    except TimeoutError:
        return f"no answer within {timeout:g}s"
    except HostError as e:
        return e.message
    except ConnectionRefusedError:
        return f"nothing listens on {bound.address}:{bound.port}"
    except OSError as e:
        return f"{bound.address}:{bound.port}: {e.strerror or type(e).__name__}"


async def _attempt(bound: BoundCheck, transport: Transport, timeout: float) -> str:  # noqa: ASYNC109
    try:
        stream = await transport.dial(bound.address, bound.port, deadline=timeout)
    except HostError as e:
        if e.fault is not HostFault.FORWARDING:
            raise
        return await _attempt_there(bound, transport, timeout)
    try:
        return await _http(bound, stream) if bound.check.type == "http" else ""
    finally:
        await stream.close()


async def _attempt_there(bound: BoundCheck, transport: Transport, timeout: float) -> str:  # noqa: ASYNC109
    """Make the check by a program of the host, where sshd connects nowhere for us."""
    is_http = bound.check.type == "http"
    argv = ("sh", "-c", _THERE, "orch", bound.address, str(bound.port), bound.check.type)
    bounds = Bounds(deadline=timeout, output=64 * 1024)
    done = await transport.run(argv, stdin=_request(bound) if is_http else b"", bounds=bounds)
    if done.exit_status == _NO_PROGRAM:
        return "sshd forbids TCP forwarding, and the host has neither bash nor nc to check by"
    if done.exit_status == _REFUSED:
        raise ConnectionRefusedError(f"{bound.address} port {bound.port}")
    return _verdict(done.stdout) if is_http else ""


async def _http(bound: BoundCheck, stream: Stream) -> str:
    await stream.write(_request(bound))
    answer = b""
    while b"\r\n" not in answer and len(answer) < _ANSWER_LIMIT:
        chunk = await stream.read(_ANSWER_LIMIT)
        if not chunk:
            break
        answer += chunk
    return _verdict(answer)


def _verdict(answer: bytes) -> str:
    words = answer.split(b"\r\n", 1)[0].split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():  # noqa: PLR2004
        return "the answer is not HTTP"
    status = int(words[1])
    return "" if 200 <= status < 300 else f"HTTP status {status}"  # noqa: PLR2004


def _request(bound: BoundCheck) -> bytes:
    check = bound.check
    body = check.body.encode()
    headers: dict[str, str] = {
        "Host": f"{bound.address}:{bound.port}",
        "User-Agent": "orch-check",
        "Connection": "close",
        **_extra(check.header),
    }
    if body:
        headers["Content-Length"] = str(len(body))
    lines = [f"{check.method or 'GET'} {check.path or '/'} HTTP/1.0"]
    lines += [f"{_line(k)}: {_line(v)}" for k, v in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _extra(header: Mapping[str, object]) -> dict[str, str]:
    return {
        k: ", ".join(str(i) for i in v) if isinstance(v, tuple | list) else str(v)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        for k, v in header.items()
    }


def _line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
