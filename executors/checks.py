"""Service checks: tcp, http and grpc made from the host's side, scripts in their task."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace

from executors import grpc_health, scripts, tls
from executors.taskfiles import task_dir_name
from executors.transport import Bounds, HostError, HostFault, Stream, Transport
from planner.check_status import PASSES, CheckAnswer, fails, unmade, warns
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
# What running a command beside a task ends with where the task does not run.
_NO_TASK = 125
# What an http server that has too much to do says: a warning.
_TOO_MANY = 429


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
    alloc_id: str = ""
    # the key of its job
    job: str = ""
    # the task that the service names, where that is one of the group
    named_task: str = ""
    # whether there are results between good and bad: Nomad's own checks know none
    warns: bool = False

    @property
    def own_task(self) -> str:
        """The task in which a script is run, and which is restarted; empty where none is named."""
        return self.check.task_name or self.named_task or self.task


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
        alloc_id=alloc.id,
        named_task=service.task_name,
        warns=service.provider == "consul",
        address=(mapping.host_ip if mapping else "") or address,
        port=mapping.value if mapping else number,
    )


async def failure(bound: BoundCheck, transport: Transport, data_dir: str = "") -> str:
    """Make the check once; return why it does not pass, or an empty string."""
    return (await made(bound, transport, data_dir)).why


async def made(bound: BoundCheck, transport: Transport, data_dir: str = "") -> CheckAnswer:
    """Make the check once; return its result. Never raises for its target.

    `data_dir` is orch's on the host, where that is not the usual one.
    """
    if missing := _missing(bound):
        return unmade(missing)
    timeout = max(bound.check.timeout / SECOND, 1.0)
    try:
        async with asyncio.timeout(timeout):
            if bound.check.type == "script":
                return await _script(bound, transport, data_dir)
            return await _attempt(bound, transport, timeout)
    except TimeoutError:
        return fails(f"no answer within {timeout:g}s")
    except HostError as e:
        return unmade(e.message)
    except OSError as e:
        return fails(_why(bound, e))


def _missing(bound: BoundCheck) -> str:
    if bound.check.type == "script":
        return "" if bound.own_task else "it names no task to run its command in"
    return "" if bound.port else "its port is not defined in the group's network"


def _why(bound: BoundCheck, error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on {bound.address}:{bound.port}"
    if isinstance(error, ssl.SSLError):
        return f"{bound.address}:{bound.port}: TLS: {_tls_problem(error)}"
    return f"{bound.address}:{bound.port}: {error.strerror or type(error).__name__}"


def _tls_problem(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.reason or "failed").lower().replace("_", " ")


async def _attempt(bound: BoundCheck, transport: Transport, timeout: float) -> CheckAnswer:  # noqa: ASYNC109
    try:
        stream = await transport.dial(bound.address, bound.port, deadline=timeout)
    except HostError as e:
        if e.fault is not HostFault.FORWARDING:
            raise
        return await _attempt_there(bound, transport, timeout)
    try:
        return await _speak(bound, stream)
    finally:
        await stream.close()


async def _speak(bound: BoundCheck, stream: Stream) -> CheckAnswer:
    """Ask what the type of the check asks, once the connection stands."""
    if bound.check.type == "http":
        return await _http(bound, await _encrypted(bound, stream))
    if bound.check.type == "grpc":
        return await _grpc(bound, await _encrypted(bound, stream, grpc_health.ALPN))
    return PASSES


async def _encrypted(bound: BoundCheck, stream: Stream, protocol: str = "") -> Stream:
    check = bound.check
    if not _is_encrypted(check):
        return stream
    name = check.tls_server_name or bound.address
    verified = not check.tls_skip_verify
    return await tls.encrypted(stream, name, verified=verified, protocol=protocol)


def _is_encrypted(check: Check) -> bool:
    return check.grpc_use_tls if check.type == "grpc" else check.protocol == "https"


async def _grpc(bound: BoundCheck, stream: Stream) -> CheckAnswer:
    check = bound.check
    call = grpc_health.HealthCall(
        service=check.grpc_service,
        authority=f"{check.tls_server_name or bound.address}:{bound.port}",
        encrypted=check.grpc_use_tls,
    )
    why = await grpc_health.health_failure(stream, call)
    return fails(why) if why else PASSES


async def _script(bound: BoundCheck, transport: Transport, data_dir: str) -> CheckAnswer:
    """Run the check's command beside its task, as that task's user and with its variables."""
    place = (data_dir, bound.alloc_id, task_dir_name(bound.own_task))
    words = (bound.check.command, *bound.check.args)
    argv = scripts.command("lib", "containers", "handle", "exec", arguments=(*place, *words))
    deadline = max(bound.check.timeout / SECOND, 1.0)
    done = await transport.run(argv, bounds=Bounds(deadline=deadline, output=64 * 1024))
    if done.exit_status == 0:
        return PASSES
    if done.exit_status == _NO_TASK:
        return unmade(f'task "{bound.own_task}" is not running')
    why = f"exit code {done.exit_status}"
    return warns(why) if bound.warns and done.exit_status == 1 else fails(why)


async def _attempt_there(bound: BoundCheck, transport: Transport, timeout: float) -> CheckAnswer:  # noqa: ASYNC109
    """Make the check by a program of the host, where sshd connects nowhere for us."""
    is_http = bound.check.type == "http"
    if bound.check.type == "grpc" or (is_http and bound.check.protocol == "https"):
        kind = "https" if is_http else "grpc"
        return unmade(f"sshd forbids TCP forwarding, without which there are no {kind} checks")
    argv = ("sh", "-c", _THERE, "orch", bound.address, str(bound.port), bound.check.type)
    bounds = Bounds(deadline=timeout, output=64 * 1024)
    done = await transport.run(argv, stdin=_request(bound) if is_http else b"", bounds=bounds)
    if done.exit_status == _NO_PROGRAM:
        why = "sshd forbids TCP forwarding, and the host has neither bash nor nc to check by"
        return unmade(why)
    if done.exit_status == _REFUSED:
        raise ConnectionRefusedError(f"{bound.address} port {bound.port}")
    return _verdict(bound, done.stdout) if is_http else PASSES


async def _http(bound: BoundCheck, stream: Stream) -> CheckAnswer:
    await stream.write(_request(bound))
    answer = b""
    while b"\r\n" not in answer and len(answer) < _ANSWER_LIMIT:
        chunk = await stream.read(_ANSWER_LIMIT)
        if not chunk:
            break
        answer += chunk
    return _verdict(bound, answer)


def _verdict(bound: BoundCheck, answer: bytes) -> CheckAnswer:
    words = answer.split(b"\r\n", 1)[0].split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():  # noqa: PLR2004
        return fails("the answer is not HTTP")
    status = int(words[1])
    if 200 <= status < 300:  # noqa: PLR2004
        return PASSES
    why = f"HTTP status {status}"
    return warns(why) if bound.warns and status == _TOO_MANY else fails(why)


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
