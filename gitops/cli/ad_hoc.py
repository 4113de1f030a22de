"""What `orch hosts` does: find the hosts, do the work on each, sum it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from executors.ad_hoc import COPY_LIMIT, Ran, Work, collected, everywhere, get, put, streamed
from executors.transport import Bounds, Transport
from gitops.cli.look import workspace
from gitops.cli.say import note, say, say_advice, say_json
from gitops.exit_codes import INCOMPLETE
from gitops.known import Known
from gitops.ssh_setup import connector_of, routes_of
from gitops.view import hosts_text
from gitops.view.hosts_text import readable
from gitops.workspace import Workspace
from planner.errors import OrchError, reason

# A line that never ends is told in pieces of this size.
_LINE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command for the hosts of a pattern; `deadline` in seconds, `most` hosts at a time."""

    pattern: str
    argv: Sequence[str]
    stream: bool = False
    deadline: float
    most: int
    json: bool = False


def show(pattern: str, *, json: bool) -> None:
    """Print what the inventory says, and how hosts are reached."""
    ws = workspace()
    inventory = ws.inventory(pattern)
    if not pattern:
        Known(ws.root, ws.cache).note_hosts(inventory)
    routes = routes_of(ws, inventory)
    hosts = [hosts_text.Listed.of(h, routes) for h in inventory.hosts.values()]
    say_json(hosts_text.data(hosts)) if json else say(hosts_text.host_list(hosts))


async def execute(wanted: Command) -> int:
    """Run a command everywhere; return 0, 1 where it failed, 4 where a host was not reached."""
    if not wanted.argv:
        raise OrchError(
            "there is no command to run", "Write it after --: orch hosts exec PATTERN -- uptime"
        )
    ws = workspace()
    streams = _Streams()
    if wanted.stream:
        work = streamed(wanted.argv, wanted.deadline, streams.write)
    else:
        work = collected(wanted.argv, Bounds(deadline=wanted.deadline))
    tell = _nothing if wanted.json else _tell_failure if wanted.stream else _tell
    ends = await _on_all(ws, wanted.pattern, work, tell, wanted.most)
    streams.end()
    if wanted.json:
        say_json(hosts_text.ends_data(ends))
    return _sum_up(ends)


async def copy(source: str, to: str, most: int, *, json: bool) -> int:
    """Copy a file to or from hosts; the exit code is that of `execute`."""
    ws = workspace()
    from_hosts, to_hosts = _remote(source), _remote(to)
    if to_hosts is not None and from_hosts is None:
        pattern, work = to_hosts[0], _putting(ws.cwd / source, source, to_hosts[1])
    elif from_hosts is not None and to_hosts is None:
        pattern, work = from_hosts[0], _getting(ws.cwd / to, from_hosts[1])
    else:
        raise OrchError(
            "one side is a file or folder here, the other one is PATTERN:/PATH",
            "As in 'orch hosts cp motd web:/etc/motd' or 'orch hosts cp web:/etc/motd found'.",
        )
    ends = await _on_all(ws, pattern, work, _nothing if json else _tell_failure, most)
    if json:
        say_json(hosts_text.ends_data(ends, output=False))
    return _sum_up(ends)


def _remote(place: str) -> tuple[str, str] | None:
    """Split PATTERN:/PATH; a pattern may have colons of its own."""
    pattern, colon, path = place.rpartition(":/")
    return (pattern, f"/{path}") if colon and pattern else None


def _putting(path: Path, name: str, to: str) -> Work:
    try:
        with path.open("rb") as f:
            mode = path.stat().st_mode
            data = f.read(COPY_LIMIT + 1)
    except OSError as e:
        raise OrchError(f"{name}: {reason(e)}", "Single files are copied, no folders.") from e
    if len(data) > COPY_LIMIT:
        raise OrchError(f"{name}: larger than {COPY_LIMIT >> 20} MiB", "Copy it by other means.")
    return put(data, mode, path.name, to)


def _getting(folder: Path, path: str) -> Work:
    name = PurePosixPath(path).name
    if name in ("", ".."):
        raise OrchError(f"{path}: not the path of a file", "Single files are copied, no folders.")
    read = get(path)

    async def work(transport: Transport) -> Ran:
        found = await read(transport)
        if found.ok:
            _keep(folder / found.host / name, found.stdout)
        return replace(found, stdout=b"")

    return work


def _keep(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(data)
        new.replace(path)
    except OSError as e:
        raise OrchError(f"{path}: {reason(e)}", "Name a folder that can be written.") from e


async def _on_all(
    ws: Workspace, pattern: str, work: Work, tell: Callable[[Ran], None], most: int
) -> list[Ran]:
    inventory = ws.inventory(pattern)
    connector = connector_of(ws, inventory)
    try:
        return await everywhere(connector, list(inventory.hosts), work, tell, most)
    finally:
        await connector.close()


def _nothing(end: Ran) -> None:
    del end


def _tell(end: Ran) -> None:
    say(hosts_text.end(end))
    if end.error is not None and end.error.hint:
        say_advice(end.error.hint)


def _tell_failure(end: Ran) -> None:
    if not end.ok:
        note(hosts_text.failure(end))


def _sum_up(ends: Sequence[Ran]) -> int:
    note(hosts_text.summary(ends))
    if any(end.error is not None for end in ends):
        return INCOMPLETE
    return 0 if all(end.ok for end in ends) else 1


@dataclass(slots=True)
class _Streams:
    """Whole lines of many hosts, each with its host in front, to stdout and stderr."""

    rests: dict[tuple[str, bool], bytes] = field(default_factory=dict[tuple[str, bool], bytes])

    async def write(self, host: str, data: bytes, stderr: bool) -> None:
        """Write the lines that are whole by now."""
        *whole, rest = (self.rests.get((host, stderr), b"") + data).split(b"\n")
        if len(rest) > _LINE_LIMIT:
            whole, rest = [*whole, rest], b""
        self.rests[host, stderr] = rest
        for line in whole:
            self._line(host, line, stderr)

    def end(self) -> None:
        """Write what is left: last lines may lack their end."""
        for (host, stderr), rest in self.rests.items():
            if rest:
                self._line(host, rest, stderr)

    def _line(self, host: str, line: bytes, stderr: bool) -> None:
        text = f"{host} | {readable(line)}"
        note(text) if stderr else say(text)
