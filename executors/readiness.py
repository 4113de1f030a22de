"""Looks at what a host has of that which orch needs. Writes nothing anywhere.

Everything goes through the host's one connection: scripts that read, connections that are closed
again, and sessions that wait and end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from executors import probe, scripts
from executors.forwarding import Forwarding, forwarding
from executors.observe import Observer
from executors.printable import printable
from executors.probe import Probe
from executors.transport import Bounds, Completed, Connector, HostError, HostFault, Transport
from inventory.model import Host

# As many as a run may have at once.
SESSIONS = 8
# Seconds in which a session must stand; sshd refuses those beyond its limit at once.
_SESSION_DEADLINE = 3.0
_BOUNDS = Bounds(deadline=20.0, output=1024 * 1024)
_CLOCK_LOOKS = 3
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """How far a host's clock is ahead of ours, in ns; the truth is within `bound` of it."""

    offset: int
    bound: int
    round_trip: int

    @property
    def least(self) -> int:
        """What it is off at least, in ns."""
        return max(0, abs(self.offset) - self.bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a host says of itself; `facts` are those of ready.sh, `lacks` tools that are not there.

    `probe` is the usual look at it, or why there is none.
    """

    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    lacks: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    clock: ClockOffset
    noise: str = ""
    forwarding: Forwarding = field(default_factory=Forwarding)
    sessions: int = SESSIONS
    probe: Probe | HostError

    @property
    def user(self) -> str:
        """Who commands run as."""
        return self.facts.get("user", "?")

    @property
    def is_root(self) -> bool:
        """Whether that is root."""
        return self.facts.get("uid") == "0"


class ShellError(HostError):
    """Who logs in gets no shell that runs commands, or may not become who the inventory says."""


async def look(
    connector: Connector, host: Host, cluster: str, now: Callable[[], int] = time.time_ns
) -> Readiness:
    """Return what a host has; `now` is our clock in ns.

    Raises `HostError` where it can't be reached, `ShellError` where no command can be run there.
    """
    transport = await connector.connect(host.name)
    clock, noise = await _clock(transport, now)
    facts, lacks, clusters = await _ready(transport, host.data_dir)
    seen = await _probe(connector, host, cluster)
    docker = isinstance(seen, Probe) and "docker" in seen.drivers
    return Readiness(
        facts=facts,
        lacks=lacks,
        clusters=clusters,
        clock=clock,
        noise=noise,
        forwarding=await forwarding(transport, docker=docker),
        sessions=await _sessions(transport),
        probe=seen,
    )


async def _clock(transport: Transport, now: Callable[[], int]) -> tuple[ClockOffset, str]:
    """Ask a few times, and keep the answer that came back the fastest."""
    argv = scripts.command("lib", "clock")
    looks: list[ClockOffset] = []
    noise = ""
    for _ in range(_CLOCK_LOOKS):
        sent = now()
        done = await transport.run(argv, bounds=_BOUNDS)
        received = now()
        there, noise = _answer(transport.host, done)
        looks.append(offset(sent, received, there))
    return min(looks, key=lambda x: x.round_trip), noise


def offset(sent: int, received: int, there: int) -> ClockOffset:
    """Return how far a clock is ahead that said `there` between two moments of ours; all in ns."""
    # What knows whole seconds only is up to one late.
    blur = 0 if there % _SECOND else _SECOND
    trip = max(0, received - sent)
    middle = there + blur // 2 - (sent + received) // 2
    return ClockOffset(offset=middle, bound=(trip + blur) // 2, round_trip=trip)


def _answer(host: str, done: Completed) -> tuple[int, str]:
    *before, last = done.stdout.decode("utf-8", "replace").rstrip("\n").split("\n")
    word, _, number = last.partition("\t")
    if done.exit_status or word != "orch-ok" or not (number.isascii() and number.isdigit()):
        said = printable(done.stderr) or printable(done.stdout) or f"exit {done.exit_status}"
        raise ShellError(host, HostFault.COMMAND, said)
    return int(number[:30]), printable("\n".join(before))


async def _ready(
    transport: Transport, data_dir: str
) -> tuple[Mapping[str, str], tuple[str, ...], tuple[str, ...]]:
    argv = scripts.command("lib", "containers", "ready", arguments=(data_dir,))
    done = await transport.run(argv, bounds=_BOUNDS)
    facts: dict[str, str] = {}
    others: dict[str, list[str]] = {"lack": [], "cluster": []}
    for words in probe.lines(done.stdout, transport.host):
        match words:
            case ["fact", key, value]:
                facts[key] = printable(value)
            case ["lack" | "cluster" as kind, name]:
                others[kind].append(printable(name, 80))
            case _:
                pass
    return facts, tuple(others["lack"]), tuple(others["cluster"])


async def _sessions(transport: Transport) -> int:
    """Return how many sessions stand at once, of as many as a run may want."""
    opening = (transport.pipe(("cat",), deadline=_SESSION_DEADLINE) for _ in range(SESSIONS))
    found = await asyncio.gather(*opening, return_exceptions=True)
    standing = [s for s in found if not isinstance(s, BaseException)]
    for stream in standing:
        await stream.close()
    _raise_others(found)
    return len(standing)


def _raise_others(found: Sequence[object]) -> None:
    for end in found:
        if isinstance(end, BaseException) and not isinstance(end, HostError | TimeoutError):
            raise end


async def _probe(connector: Connector, host: Host, cluster: str) -> Probe | HostError:
    try:
        return await Observer(connector, cluster).probe(host)
    except HostError as e:
        return e
