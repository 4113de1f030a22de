"""Files in an allocation's directory, read from its host and never left for others of the host."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from executors import scripts
from executors.logs import Tail
from executors.transport import HostError, HostFault, Stream, Transport
from planner.errors import OrchError

# What a list of entries may come to, in bytes.
_LIST_LIMIT = 4 * 1024 * 1024
_CHUNK = 256 * 1024
_OPENING = 60.0
_FIRST_LINE = 200
_ENTRY = re.compile(rb"([0-9a-f]{1,8}) (\d{1,19}) (-?\d{1,19}) (.+)", re.DOTALL)


class What(StrEnum):
    """What is wanted of a path: its entries or bytes, bytes as they come, or what it is.

    DESCRIBE is the entries of a directory, and what a file is.
    """

    SHOW = "show"
    DESCRIBE = "describe"
    FOLLOW = "follow"
    STAT = "stat"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRequest:
    """A path in an allocation's directory, and what is wanted of it; `tail` is for files."""

    alloc_id: str
    path: str = ""
    what: What = What.SHOW
    tail: Tail | None = None
    data_dir: str | None = None

    def argv(self) -> tuple[str, ...]:
        """The command on the host. Raises `OrchError` for a path that can't be one."""
        if "\0" in self.path:
            raise OrchError(f"{self.path!r} is no path", "Name a path of the allocation.")
        amount = self.tail.amount() if self.tail else "all"
        path = self.path.lstrip("/")
        words = (self.data_dir or "", self.alloc_id, self.what.value, amount, path)
        return scripts.command("lib", "fs", arguments=words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or directory. `mode` is that of stat(2), `modified` is in seconds, `name` as it is."""

    name: bytes
    mode: int
    size: int
    modified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a path is: entries of a directory, one thing that was looked at, or a file's bytes.

    `head` has the first bytes of a file that was looked at.
    """

    kind: str
    entries: tuple[Entry, ...] = ()
    head: bytes = b""


async def read(transport: Transport, request: FileRequest, write: Callable[[bytes], None]) -> Found:
    """Return what the path is; a file's bytes go to `write` as they come.

    Raises `OrchError` where there is nothing that may be shown, `HostError` where the host fails.
    """
    argv = request.argv()
    try:
        stream = await transport.pipe(argv, deadline=_OPENING)
        try:
            kind, rest = await _begun(stream, transport.host, request)
            if kind == "file":
                await _copied(stream, rest, write)
                return Found(kind=kind)
            return _found(kind, await _whole(stream, rest, transport.host), transport.host)
        finally:
            await stream.close()
    except (ConnectionError, TimeoutError) as e:
        raise HostError(transport.host, HostFault.LOST, str(e)) from e


async def _begun(stream: Stream, host: str, request: FileRequest) -> tuple[str, bytes]:
    """Return what the first line says, and what came after it."""
    said = b""
    while b"\n" not in said and len(said) < _CHUNK:
        more = await stream.read(_CHUNK)
        if not more:
            break
        said += more
    # What a login shell says of itself may come before.
    _, mark, rest = said.partition(b"orch-fs\t")
    line, end, rest = rest.partition(b"\n")
    words = line[:_FIRST_LINE].decode("ascii", "replace").split("\t")
    if not mark or not end or words[0] not in ("dir", "stat", "file", "error"):
        raise HostError(host, HostFault.OUTPUT, "it did not say what the path is")
    if words[0] == "error":
        raise _refusal(words[-1], host, request)
    return words[0], rest


async def _copied(stream: Stream, rest: bytes, write: Callable[[bytes], None]) -> None:
    while rest or (rest := await stream.read(_CHUNK)):
        write(rest)
        rest = b""


async def _whole(stream: Stream, said: bytes, host: str) -> bytes:
    while more := await stream.read(_CHUNK):
        said += more
        if len(said) > _LIST_LIMIT:
            raise HostError(host, HostFault.OUTPUT, "a list of more than 4 MiB")
    return said


def _found(kind: str, said: bytes, host: str) -> Found:
    *texts, head = said.split(b"\0", 1 if kind == "stat" else -1)
    entries: list[Entry] = []
    for text in texts:
        match = _ENTRY.fullmatch(text)
        if match is None:
            raise HostError(host, HostFault.OUTPUT, "an entry that is none")
        mode, size, modified, name = match.groups()
        entries.append(Entry(name=name, mode=int(mode, 16), size=int(size), modified=int(modified)))
    if kind == "stat" and not entries:
        raise HostError(host, HostFault.OUTPUT, "it did not say what the path is")
    return Found(kind=kind, entries=tuple(entries), head=head)


def _refusal(word: str, host: str, request: FileRequest) -> OrchError:
    path = f"{request.alloc_id[:8]}/{request.path.lstrip('/')}"
    told = {
        "gone": (
            f"{host}: allocation {request.alloc_id[:8]} has no directory there",
            "It was removed; see 'orch alloc status'.",
        ),
        "missing": (
            f"{host}: stat {path}: no such file or directory",
            "'orch alloc fs ALLOC' lists what is there.",
        ),
        "outside": (
            f"{host}: {path} leads out of the allocation's directory",
            "By '..', or a symbolic link that points elsewhere; only what is below it is shown.",
        ),
        "dangling": (f"{host}: {path} is a symbolic link to what is not there", ""),
        "special": (f"{host}: {path} is neither a file nor a directory", ""),
        "secret": (
            f"{host}: {path} is a secret of its task, and is not shown",
            "'orch exec' shows it to those who need it.",
        ),
    }
    message, hint = told.get(word, (f"{host}: {path} can't be read", ""))
    return OrchError(message, hint)
