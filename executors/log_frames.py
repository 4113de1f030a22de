"""What a host's follower says: frames, taken apart as their bytes come. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from planner.errors import OrchError

_HEAD = re.compile(rb"orch-log ([a-z]{1,10}) ([0-9a-zA-Z-]{1,64}) (\d{1,9}) (\d{1,18}) (\d{1,7})")
_HEAD_LIMIT = 200
# A line without an end is handed on when it has come to so many bytes.
_LINE_LIMIT = 64 * 1024
_TIME = re.compile(rb"[0-9T:.Z+-]{10,40}")


class Kind(StrEnum):
    """Kinds of frames, as `follow.sh` names them."""

    READY = "ready"
    FILE = "file"
    AGAIN = "again"
    TIMED = "timed"
    PAUSED = "paused"
    OVER = "over"
    GONE = "gone"
    NEW = "new"


class BadFrameError(OrchError):
    """A host said something else than frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame; `key` names an output, or an allocation where it is new."""

    kind: Kind
    key: str
    file: int = 0
    offset: int = 0
    data: bytes = b""


@dataclass(slots=True)
class FrameReader:
    """Takes bytes as they come, and gives whole frames."""

    _rest: bytearray = field(default_factory=bytearray)

    def frames(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole by now; `BadFrameError` for anything else."""
        self._rest += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Frame | None:
        end = self._rest.find(b"\n", 0, _HEAD_LIMIT)
        if end < 0:
            if len(self._rest) >= _HEAD_LIMIT:
                raise _bad()
            return None
        head = _HEAD.fullmatch(bytes(self._rest[:end]))
        if head is None or head[1].decode() not in set(Kind):
            raise _bad()
        size = int(head[5])
        if len(self._rest) < end + 1 + size:
            return None
        data = bytes(self._rest[end + 1 : end + 1 + size])
        del self._rest[: end + 1 + size]
        return Frame(
            kind=Kind(head[1].decode()),
            key=head[2].decode(),
            file=int(head[3]),
            offset=int(head[4]),
            data=data,
        )


@dataclass(slots=True)
class TimedText:
    """Takes the times off a container's lines, and knows the last one, to go on there.

    Going on, docker tells everything since that time again, that very line included.
    """

    last: bytes = b""
    # how many lines have carried the last time, and how many of them are still to be passed over
    _heard: int = 0
    _known: int = 0
    _rest: bytes = b""
    _in_line: bool = False

    def begin(self) -> None:
        """A log begins, or goes on since the last time."""
        self._rest, self._in_line, self._known = b"", False, self._heard

    def text(self, data: bytes) -> bytes:
        """Return what is new, without times; lines that are long come in pieces."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        fresh = [self._line(line) for line in lines]
        if len(self._rest) > _LINE_LIMIT:
            fresh.append(self._piece())
        return b"".join(fresh)

    def _line(self, line: bytes) -> bytes:
        if self._in_line:
            self._in_line = False
            return line + b"\n"
        time, _, text = line.partition(b" ")
        return text + b"\n" if self._is_new(time) else b""

    def _piece(self) -> bytes:
        """Hand on the beginning of a line whose end has not come."""
        piece, self._rest = self._rest, b""
        if not self._in_line:
            time, _, piece = piece.partition(b" ")
            if not self._is_new(time):
                return b""
        self._in_line = True
        return piece

    def _is_new(self, time: bytes) -> bool:
        if not _TIME.fullmatch(time):
            return False
        if self._known:
            if time == self.last:
                self._known -= 1
                return False
            if time < self.last:
                return False
            self._known = 0
        self._heard = self._heard + 1 if time == self.last else 1
        self.last = time
        return True


def _bad() -> BadFrameError:
    return BadFrameError("the host does not say where in the log it is", "Try again.")
