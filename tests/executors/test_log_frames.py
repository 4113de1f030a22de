"""Frames and timed lines, however their bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.log_frames import BadFrameError, Frame, FrameReader, Kind, TimedText

FRAMES = (
    Frame(kind=Kind.READY, key="0"),
    Frame(kind=Kind.FILE, key="12", file=3, offset=5, data=b"\x00orch-log over 1 0 0 0\n\xff"),
    Frame(kind=Kind.NEW, key="00000001-aaaa-bbbb-cccc-000000000000"),
    Frame(kind=Kind.TIMED, key="2", data=b"\n"),
)


def said(frame: Frame) -> bytes:
    head = f"orch-log {frame.kind} {frame.key} {frame.file} {frame.offset} {len(frame.data)}\n"
    return head.encode() + frame.data


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({c % (len(data) + 1) for c in cuts})
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(st.lists(st.integers(min_value=0)))
def test_frames_come_whole_however_they_are_cut(cuts: list[int]) -> None:
    reader = FrameReader()
    data = b"".join(map(said, FRAMES))
    assert tuple(f for piece in pieces(data, cuts) for f in reader.frames(piece)) == FRAMES


@pytest.mark.parametrize(
    "data",
    [
        b"Last login: today\n",
        b"orch-log unheard 1 0 0 0\n",
        b"orch-log file 1 0 0 99999999\n",
        b"orch-log file 1 -1 0 1\n",
        b"x" * 300,
    ],
)
def test_anything_else_is_an_error(data: bytes) -> None:
    with pytest.raises(BadFrameError, match="does not say where"):
        list(FrameReader().frames(data))


def timed(*lines: tuple[int, str]) -> bytes:
    return b"".join(b"2026-11-25T14:00:%02d.000000001Z %s\n" % (t, x.encode()) for t, x in lines)


LOG = ((1, "one"), (2, "two"), (2, "two and a bit"), (3, "three"), (1, "back in time"))


@given(st.lists(st.integers(min_value=0)))
def test_lines_lose_their_times(cuts: list[int]) -> None:
    text = TimedText()
    text.begin()
    heard = b"".join(text.text(p) for p in pieces(timed(*LOG), cuts))
    assert heard == b"".join(f"{x}\n".encode() for _, x in LOG)


@pytest.mark.parametrize("heard", range(len(LOG)))
def test_going_on_tells_nothing_twice_and_leaves_nothing_out(heard: int) -> None:
    text = TimedText()
    text.begin()
    log = LOG[:4]
    first = text.text(timed(*log[:heard]) + timed(*log[heard:])[:-7])
    since = text.last
    text.begin()
    again = [x for x in log if not since or timed(x).split()[0] >= since]
    rest = text.text(timed(*again))
    assert first + rest == b"".join(f"{x}\n".encode() for _, x in log)


def test_a_line_without_an_end_comes_in_pieces() -> None:
    text = TimedText()
    text.begin()
    long = "x" * 100_000
    data = timed((1, long), (2, "next"))
    found = [text.text(data[at : at + 30_000]) for at in range(0, len(data), 30_000)]
    assert [len(f) > 0 for f in found][:3] == [False, False, True]
    assert b"".join(found) == f"{long}\nnext\n".encode()


def test_lines_without_times_are_no_lines() -> None:
    assert TimedText().text(b"Error response from daemon\n") == b""
