"""What tasks and their host use at the moment: one read-only look, taken when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from executors import scripts
from executors.printable import printable
from executors.probe import lines
from executors.transport import Bounds, HostError, HostFault, Transport

_BOUNDS = Bounds(deadline=20.0, output=1024 * 1024)
_DIGITS = 18
_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What something uses: cores (1.5 is one and a half), and memory in bytes."""

    cores: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostUsage:
    """What a host uses, its tasks by (allocation id, task name); memory and disk in bytes."""

    host: Usage = field(default_factory=Usage)
    memory_total: int = 0
    disk: int = 0
    disk_total: int = 0
    tasks: Mapping[tuple[str, str], Usage] = field(default_factory=dict[tuple[str, str], Usage])

    def of(self, alloc_id: str) -> dict[str, Usage]:
        """Return what an allocation's tasks use, by name."""
        return {task: used for (alloc, task), used in self.tasks.items() if alloc == alloc_id}


async def usage(transport: Transport, data_dir: str | None, allocs: Sequence[str]) -> HostUsage:
    """Look at the host and at these allocations; raises a `HostError`."""
    argv = scripts.command("lib", "containers", "stats", arguments=(data_dir or "", *allocs))
    done = await transport.run(argv, bounds=_BOUNDS)
    if done.exit_status or done.truncated:
        raise HostError(transport.host, HostFault.COMMAND, f"stats: {printable(done.stderr)}")
    return parse(done.stdout, transport.host)


def parse(output: bytes, host: str) -> HostUsage:
    """Turn the script's output into a value; what makes no sense in it is left out."""
    reader = _Reader()
    for words in lines(output, host):
        reader.read(words)
    return reader.finished()


@dataclass(slots=True)
class _Reader:
    hz: int = 100
    page: int = 4096
    times: list[int] = field(default_factory=list[int])
    host: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    tasks: dict[tuple[str, str], list[tuple[int, int]]] = field(
        default_factory=dict[tuple[str, str], list[tuple[int, int]]]
    )
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def read(self, words: list[str]) -> None:
        match words:
            case ["unit", hz, page]:
                self.hz, self.page = _number(hz) or self.hz, _number(page) or self.page
            case ["time", up]:
                self.times.append(_number(up))
            case ["host", busy, every]:
                self.host.append((_number(busy), _number(every)))
            case ["use", alloc, task, ticks, pages]:
                pair = (_number(ticks), _number(pages))
                self.tasks.setdefault((alloc, task), []).append(pair)
            case ["memory" | "disk", every, used]:
                self.sizes[words[0]] = (_number(used) * _KIB, _number(every) * _KIB)
            case _:
                pass

    def finished(self) -> HostUsage:
        memory, memory_total = self.sizes.get("memory", (0, 0))
        disk, disk_total = self.sizes.get("disk", (0, 0))
        ticks = [busy for busy, _ in self.host]
        return HostUsage(
            host=Usage(cores=self._cores(ticks), memory=memory),
            memory_total=memory_total,
            disk=disk,
            disk_total=disk_total,
            tasks={
                name: Usage(cores=self._cores([t for t, _ in seen]), memory=seen[-1][1] * self.page)
                for name, seen in self.tasks.items()
            },
        )

    def _cores(self, ticks: list[int]) -> float:
        """Processes that ended meanwhile take their ticks with them: never less than nothing."""
        if not ticks or len(self.times) < 2:  # noqa: PLR2004
            return 0.0
        seconds = (self.times[-1] - self.times[0]) / 1000
        return max(ticks[-1] - ticks[0], 0) / self.hz / seconds if seconds > 0 else 0.0


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
