"""One call of the health service of gRPC (`grpc.health.v1.Health/Check`) over any stream.

The protocol is https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, with the messages of
https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto: a string one way, an
enum the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from executors.transport import Stream

if TYPE_CHECKING:
    from h2.connection import H2Connection
    from h2.events import Event

# What HTTP/2 is called when TLS is agreed on; servers of gRPC insist on it.
ALPN = "h2"
_PATH = "/grpc.health.v1.Health/Check"
_NO_HTTP2 = "the answer is not HTTP/2"
# An answer has some hundred bytes; headers, pings and settings count as well.
_ANSWER_LIMIT = 16 * 1024
_CHUNK = 4096
# The first frame of a server is of this type, which stands behind its length.
_SETTINGS, _TYPE = b"\x04", 3
# Of a message: whether it is compressed, and how long it is.
_PREFIX = 5
_SERVING = 1
_SERVING_STATUS = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
# How a field of a message is written, and how many bytes those of fixed length have.
_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCall:
    """What is asked: about a service, or about the server itself where it is empty."""

    service: str
    authority: str
    encrypted: bool = False


@dataclass(slots=True, kw_only=True)
class _Answer:
    """What has come of the answer so far."""

    headers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    body: bytes = b""
    over: bool = False
    broken: str = ""


async def health_failure(stream: Stream, call: HealthCall) -> str:
    """Make the call; return why the service is not well, or an empty string where it serves.

    Raises `OSError` where the connection breaks; how long it may take is for the caller to say.
    """
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.exceptions import ProtocolError

    connection = H2Connection(H2Configuration(client_side=True, header_encoding=None))
    _ask(connection, call)
    answer = _Answer()
    begin, left = b"", _ANSWER_LIMIT
    try:
        while not answer.over:
            await _flush(connection, stream)
            data = await stream.read(_CHUNK)
            if not data:
                return "the connection ended before the answer did"
            begin, left = (begin + data)[: _TYPE + 1], left - len(data)
            if begin[_TYPE:] not in (b"", _SETTINGS):
                return _NO_HTTP2
            if left < 0:
                return f"the answer is longer than {_ANSWER_LIMIT // 1024} KiB"
            _take(answer, connection.receive_data(data))
    except ProtocolError:
        return _NO_HTTP2
    return answer.broken or _verdict(answer, call.service)


async def _flush(connection: H2Connection, stream: Stream) -> None:
    if out := connection.data_to_send():
        await stream.write(out)


def _ask(connection: H2Connection, call: HealthCall) -> None:
    connection.initiate_connection()
    number = connection.get_next_available_stream_id()
    headers = [
        (":method", "POST"),
        (":scheme", "https" if call.encrypted else "http"),
        (":path", _PATH),
        (":authority", call.authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "orch-check"),
    ]
    connection.send_headers(number, headers)
    message = request(call.service)
    framed = b"\0" + len(message).to_bytes(4, "big") + message
    # No window is narrower than a frame before the server says so.
    connection.send_data(number, framed, end_stream=True)


def _take(answer: _Answer, events: Sequence[Event]) -> None:
    from h2.events import (
        ConnectionTerminated,
        DataReceived,
        ResponseReceived,
        StreamEnded,
        StreamReset,
        TrailersReceived,
    )

    for event in events:
        match event:
            case ResponseReceived() | TrailersReceived():
                answer.headers |= {bytes(k): bytes(v) for k, v in event.headers or ()}
            case DataReceived():
                answer.body += event.data or b""
            case StreamEnded():
                answer.over = True
            case StreamReset() | ConnectionTerminated() if not answer.over:
                answer.over, answer.broken = True, "the server broke the call off"
            case _:
                pass


def _verdict(answer: _Answer, service: str) -> str:
    http = answer.headers.get(b":status", b"")
    if http != b"200":
        return f"HTTP status {_number(http)}"
    code = answer.headers.get(b"grpc-status")
    if code is None:
        return "the answer is not gRPC"
    if why := _refusal(_named(_CODES, _number(code)), service):
        return why
    status = serving_status(answer.body)
    if status is None:
        return "the answer is no message of grpc.health.v1"
    return "" if status == _SERVING else f"it is {_named(_SERVING_STATUS, status)}"


def _refusal(code: str, service: str) -> str:
    if code == "OK":
        return ""
    told = {
        "NOT_FOUND": f'it knows no service "{service}"',
        "UNIMPLEMENTED": "it has no service grpc.health.v1.Health",
    }
    return told.get(code, f"gRPC status {code}")


def _number(digits: bytes) -> int:
    return int(digits) if digits.isdigit() and len(digits) < _PREFIX else -1


def _named(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


def request(service: str) -> bytes:
    """Return the message that asks about a service: its name as field 1."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def serving_status(framed: bytes) -> int | None:
    """Return the enum, field 1, of the one message in a body; None where that is none."""
    message = framed[_PREFIX:]
    if framed[:1] != b"\0" or int.from_bytes(framed[1:_PREFIX], "big") != len(message):
        return None
    status, at = 0, 0
    try:
        while at < len(message):
            key, at = _read_varint(message, at)
            value, at = _read_field(message, at, key & 7)
            if key == 1 << 3 | _VARINT:
                status = value
    except (IndexError, ValueError):
        return None
    return status if at == len(message) else None


def _read_field(message: bytes, at: int, kind: int) -> tuple[int, int]:
    """Return the number in a field, 0 for other kinds, and where the next one begins."""
    if kind == _VARINT:
        return _read_varint(message, at)
    if kind == _BYTES:
        length, at = _read_varint(message, at)
        return 0, at + length
    if kind not in _FIXED:
        raise ValueError(kind)
    return 0, at + _FIXED[kind]


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says whether more follows
            return value, at
    raise ValueError(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:  # noqa: PLR2004
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
