"""Sequences that are compared: what lasted too short to be seen, and loops of restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# What lasts this long (seconds) stands in both; times are not compared more closely than that.
SEEN = 2.0
# Restarts wait up to a quarter longer than they are told to, so their number varies as much.
_JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Span:
    """Something that was so from one time to another, in seconds."""

    what: str
    start: float
    end: float

    @property
    def is_short(self) -> bool:
        """Whether it may have been missed."""
        return self.end - self.start < SEEN


def spans(moments: Sequence[tuple[float, str]], end: float) -> list[Span]:
    """Return what was so between changes; repeated values are one."""
    found: list[Span] = []
    for t, what in moments:
        if found and found[-1].what == what:
            continue
        if found:
            found[-1] = Span(found[-1].what, found[-1].start, t)
        found.append(Span(what, t, end))
    return found


def agree(recorded: Sequence[str], orch: Sequence[Span], late: int = 0) -> bool:
    """Whether both tell the same, but for what was too short to be recorded.

    So many of the last in the recording came so late that they need not have come yet.
    """
    rest = list(recorded)
    for span in orch:
        if rest and rest[0] == span.what:
            rest.pop(0)
        elif not span.is_short:
            return False
    return len(rest) <= late


def loops_alike(recorded: Sequence[str], orch: Sequence[str], loop: Sequence[str]) -> bool:
    """Whether both go through the same loop, nearly as often, and do the same besides.

    Where the recording ended within a loop, another place in it is as good.
    """
    (theirs, often), (ours, as_many) = _folded(recorded, loop), _folded(orch, loop)
    allowed = max(often, as_many) * _JITTER + 1
    return bool(often) and theirs == ours and abs(often - as_many) <= allowed


def _folded(sequence: Sequence[str], loop: Sequence[str]) -> tuple[list[str], int]:
    """Take out repetitions of a loop, and a last one that was not finished; count them."""
    out: list[str] = []
    count, size = 0, len(loop)
    for what in sequence:
        out.append(what)
        if out[-size:] == list(loop):
            count += 1
            if out[-2 * size : -size] == list(loop):
                del out[-size:]
    for begun in range(size - 1, 0, -1):
        if out[-begun:] == list(loop)[:begun] and out[-begun - size : -begun] == list(loop):
            return out[:-begun], count
    return out, count
