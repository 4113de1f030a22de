"""Follows outputs of tasks of one host, any number of them over one channel. Never changes them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from executors import scripts
from executors.log_frames import Frame, FrameReader, Kind, TimedText
from executors.logs import LogSource, Tail
from executors.printable import printable
from executors.taskfiles import BadNameError, task_dir_name
from executors.transport import HostError, HostFault, Stream, Transport

_CHUNK = 256 * 1024
# Seconds to get the channel, which others of the run may be using.
_OPENING = 60.0
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedJob:
    """The job whose new allocations are to be told of."""

    cluster: str
    namespace: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The host is being listened to, for the first time or again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Some more of an output."""

    source: LogSource
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Nothing more is to come of an output; `missing` where there are no logs of it at all."""

    source: LogSource
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeared:
    """An allocation of the job has come to the host."""

    alloc_id: str


News = Ready | Printed | Ended | Appeared


@dataclass(slots=True, kw_only=True)
class _Output:
    """One output, and how far it was heard: the next connection goes on there."""

    source: LogSource
    tail: Tail
    # the file, and the offset in it that was come to; None before anything was heard
    place: tuple[int, int] | None = None
    times: TimedText = field(default_factory=TimedText)

    def request(self, key: str) -> str:
        """The line that asks for what has not been heard yet."""
        if self.times.last:
            amount = f"since:{self.times.last.decode()}"
        elif self.place:
            amount = "from:{}:{}".format(*self.place)
        else:
            amount = self.tail.amount()
        source = self.source
        task = task_dir_name(source.task)
        words = (key, source.alloc_id, source.stream.value, amount, str(self.tail.since), task)
        return " ".join(words) + "\n"


@dataclass(slots=True, kw_only=True)
class HostFollower:
    """Follows outputs of one host through losses of the connection; more may be added at any time.

    With a `job` it tells of allocations of that job that come to the host.
    """

    data_dir: str | None = None
    job: FollowedJob | None = None
    _outputs: dict[str, _Output] = field(init=False, default_factory=dict[str, _Output])
    _added: int = field(init=False, default=0)
    _stream: Stream | None = field(init=False, default=None)

    @property
    def has_outputs(self) -> bool:
        """Whether any output has not ended yet."""
        return bool(self._outputs)

    async def add(self, sources: Iterable[LogSource], tail: Tail) -> None:
        """Follow these too, from that much of their ends on; `BadNameError` for odd names."""
        added: dict[str, _Output] = {}
        for source in sources:
            if not _ID.fullmatch(source.alloc_id):
                raise BadNameError(f"{source.alloc_id[:40]!r} is no allocation's id")
            self._added += 1
            added[str(self._added)] = _Output(source=source, tail=tail)
            added[str(self._added)].request("")
        self._outputs |= added
        if self._stream is not None and added:
            await _ask(self._stream, added)

    async def news(self, transport: Transport) -> AsyncIterator[News]:
        """Tell what comes, until all outputs have ended.

        Raises a `HostError` where the connection is lost, or the host says something else; call
        again with a new connection then.
        """
        reader = FrameReader()
        stream = await transport.pipe(self._argv(), deadline=_OPENING)
        try:
            while self._outputs:
                data = await _more(stream)
                if not data:
                    raise await self._lost(transport)
                for frame in reader.frames(data):
                    if frame.kind is Kind.READY:
                        await _ask(stream, self._outputs)
                        self._stream = stream
                    for news in await self._heard(frame, stream):
                        yield news
        finally:
            self._stream = None
            await stream.close()

    async def _lost(self, transport: Transport) -> HostError:
        """Why nothing more comes; one that has said nothing may tell another command."""
        if self._stream is None:
            done = await transport.run(("sh", "-c", ":"))
            if done.exit_status:
                return HostError(transport.host, HostFault.COMMAND, printable(done.stderr))
        return HostError(transport.host, HostFault.LOST, "while following logs")

    async def _heard(self, frame: Frame, stream: Stream) -> list[News]:
        if frame.kind is Kind.READY:
            return [Ready()]
        if frame.kind is Kind.NEW:
            return [Appeared(alloc_id=frame.key)]
        output = self._outputs.get(frame.key)
        if output is None:
            return []
        if frame.kind in (Kind.OVER, Kind.GONE):
            del self._outputs[frame.key]
            return [Ended(source=output.source, missing=frame.kind is Kind.GONE)]
        if frame.kind is Kind.AGAIN:
            output.times.begin()
        elif frame.kind is Kind.PAUSED:
            await _ask(stream, {frame.key: output})
        elif data := _fresh(output, frame):
            return [Printed(source=output.source, data=data)]
        return []

    def _argv(self) -> tuple[str, ...]:
        job = self.job
        words = (job.cluster, job.namespace, job.job_id) if job else ("", "", "")
        arguments = (self.data_dir or "", *words)
        return scripts.command("lib", "containers", "follow", arguments=arguments)


def _fresh(output: _Output, frame: Frame) -> bytes:
    """Note how far an output has come; return what is new of it."""
    if frame.kind is Kind.TIMED:
        return output.times.text(frame.data)
    output.place = (frame.file, frame.offset + len(frame.data))
    return frame.data


async def _ask(stream: Stream, outputs: dict[str, _Output]) -> None:
    lines = "".join(output.request(key) for key, output in outputs.items())
    try:
        await stream.write(f"{lines}\n".encode())
    except ConnectionError:
        return  # whoever reads finds it lost


async def _more(stream: Stream) -> bytes:
    """Return what comes next; nothing at the end, be it a good one or not."""
    try:
        return await stream.read(_CHUNK)
    except ConnectionError:
        return b""
