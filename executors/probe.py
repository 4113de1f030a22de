"""One read-only look at a host: a command, and a parser that trusts nothing the host says.

The command prints lines of tab-separated words between a first and a last line; without the last
one the answer was cut and is refused. No file is written on the host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import TypeVar

from executors import facts, scripts
from executors.containers.state import Container
from executors.records import AllocReader, HostAlloc
from executors.transport import HostError, HostFault
from planner.observed import NodeResources, ObservedAlloc

T = TypeVar("T")

# What a probe may print, in bytes; some 700 bytes an allocation.
PROBE_LIMIT = 4 * 1024 * 1024
FORMAT = 1
_LINE_LIMIT = 16_384
_ID = re.compile(r"[0-9a-f-]{8,64}")
_FLOOR = re.compile(r"(\d{1,18}) (\d{1,18})")
_FENCE = re.compile(r"(\d{1,18}) (\d{1,18}) (\S{0,128})")
# Lines about the host itself; the others are about allocations and containers.
_OF_HOST = frozenset({"fact", "tool", "port", "fence", "floor", "node", "format", "unreadable"})
_CONTROLS = bytes({*range(32), 127} - {9, 10})
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFence:
    """The fence that stands on a host for one job."""

    epoch: int
    index: int
    commit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one host is, has and runs.

    `allocs` are this cluster's; `foreign` are those of others that are not over: their reservations
    count all the same. `damaged` names records that can't be read: what they reserve is not known.
    `containers` are those that run and that no record is bound to, `idle` those that don't;
    `floor` stands for the fences of jobs that are forgotten; `docker_down` says why nothing
    is known of containers that records are bound to.
    """

    host: str
    node_id: str = ""
    format: int = 0
    data_dir: str = ""
    machine_id: str = ""
    boot_id: str = ""
    root: bool = False
    address: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    drivers: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    resources: NodeResources = field(default_factory=NodeResources)
    free_disk_mb: int = 0
    listening: frozenset[int] = frozenset()
    fences: Mapping[str, HostFence] = field(default_factory=dict[str, HostFence])
    allocs: tuple[ObservedAlloc, ...] = ()
    foreign: tuple[ObservedAlloc, ...] = ()
    damaged: tuple[str, ...] = ()
    containers: tuple[Container, ...] = ()
    idle: tuple[Container, ...] = ()
    floor: HostFence | None = None
    docker_down: str = ""

    @property
    def decisions(self) -> tuple[HostFence, ...]:
        """The newest decisions that the host has seen, of jobs that are forgotten too."""
        return (*self.fences.values(), *((self.floor,) if self.floor else ()))

    @property
    def missing_tools(self) -> tuple[str, ...]:
        """Tools that no allocation can do without, and that the host lacks."""
        return tuple(t for t in ("flock", "setsid") if t not in self.tools)


def command(data_dir: str | None, cluster: str) -> tuple[str, ...]:
    """The argument list of a full probe; `data_dir` None is the user's default."""
    return scripts.command(
        "lib", "containers", "allocs", "probe", arguments=(data_dir or "", cluster)
    )


def inspect(data_dir: str | None, alloc_ids: Sequence[str]) -> tuple[str, ...]:
    """The argument list that reads only these allocations' records."""
    return scripts.command(
        "lib", "containers", "allocs", "inspect", arguments=(data_dir or "", *alloc_ids)
    )


def parse(output: bytes, host: str, cluster: str = "") -> Probe:
    """Turn a probe's output into a value; without `cluster` every allocation counts as its own.

    Raises `HostError` (unusable output) where it is too big, cut off or not a probe's.
    """
    reader = _Reader(host)
    for words in lines(output, host):
        reader.read(words)
    return reader.probe(cluster)


def parse_allocs(output: bytes, host: str, node: str = "") -> tuple[HostAlloc, ...]:
    """Turn the output of `inspect` into values, `node` being the host's name for the planner."""
    reader = AllocReader(node or host)
    for words in lines(output, host):
        reader.read(words)
    if reader.docker_down:
        raise HostError(host, HostFault.DOCKER, reader.docker_down)
    return reader.finished()


def clean(text: str) -> str:
    """Text without escapes, control characters (but tab and line end), and marks of direction."""
    return _UNSAFE.sub("", text)


def lines(output: bytes, host: str) -> list[list[str]]:
    """The words of each line between the first and the last one, checked and cleaned."""
    if len(output) > PROBE_LIMIT:
        raise _unusable(host, f"more than {PROBE_LIMIT} bytes")
    # What a login shell says of itself may come before the first line.
    _, found, body = output.partition(b"orch-probe\t")
    first, _, body = body.partition(b"\n")
    if not found:
        raise _unusable(host, "the answer is not a probe's")
    if first.strip() != str(FORMAT).encode():
        raise _unusable(host, "the probe answered in another format")
    body, found, _ = body.partition(b"end\torch-probe\n")
    if not found:
        raise _unusable(host, "the answer was cut off")
    # Most answers need no more than this.
    text = (
        body.translate(None, _CONTROLS).decode("ascii")
        if body.isascii()
        else clean(body.decode("utf-8", "replace"))
    )
    return [line[:_LINE_LIMIT].split("\t") for line in text.split("\n") if line]


def _unusable(host: str, detail: str) -> HostError:
    return HostError(
        host,
        HostFault.OUTPUT,
        detail,
        "see what `sh -c 'echo ok'` prints there; start-up files must stay silent",
    )


@lru_cache(maxsize=1024)
def _shared(values: frozenset[T]) -> frozenset[T]:
    """Return the first one of those that are equal: hosts are much alike."""
    return values


class _Reader:
    """Collects a probe's lines."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.facts: dict[str, str] = {}
        self.tools: set[str] = set()
        self.ports: set[int] = set()
        self.fences: dict[str, HostFence] = {}
        self.floor: HostFence | None = None
        self.node_id = ""
        self.format = 0
        self.allocs = AllocReader(host)

    def read(self, words: list[str]) -> None:
        if words[0] not in _OF_HOST:
            self.allocs.read(words)
            return
        match words:
            case ["fact", key, value]:
                self.facts[key] = value.strip()
            case ["tool", name]:
                self.tools.add(intern(name))
            case ["port", port]:
                self._port(port)
            case ["fence", key, text]:
                self._fence(key, text)
            case ["floor", text]:
                self._floor(text)
            case ["node" | "format" | "unreadable", value]:
                self._identity(words[0], value)
            case _:
                pass

    def _port(self, text: str) -> None:
        if text.isascii() and text.isdigit() and 0 < int(text[:6]) <= facts.MAX_PORT:
            self.ports.add(int(text))

    def _fence(self, key: str, text: str) -> None:
        if (found := _FENCE.fullmatch(text.strip() + " " * (text.count(" ") < 2))) is None:  # noqa: PLR2004
            raise _unusable(self.host, f"the fence of {key} is damaged")
        self.fences[facts.unquoted(key)] = HostFence(
            epoch=int(found[1]), index=int(found[2]), commit=found[3]
        )

    def _floor(self, text: str) -> None:
        if (found := _FLOOR.fullmatch(text.strip())) is None:
            raise _unusable(self.host, "the floor of its fences is damaged")
        self.floor = HostFence(epoch=int(found[1]), index=int(found[2]))

    def _identity(self, kind: str, value: str) -> None:
        if kind == "unreadable":
            raise _unusable(self.host, f"{value} is not readable for this user")
        if kind == "node":
            if not _ID.fullmatch(value):
                raise _unusable(self.host, "the node's id is damaged")
            self.node_id = value
        elif value != str(FORMAT):
            raise _unusable(self.host, f"its data has format {value[:16]!r}, not {FORMAT}")
        else:
            self.format = FORMAT

    def probe(self, cluster: str) -> Probe:
        reader = self.allocs
        docker_down = reader.docker_down
        containers, idle = reader.foreign_containers(), reader.idle_containers()
        allocs = reader.finished()
        others = [a for a in allocs if cluster and a.cluster != cluster]
        own = [a for a in allocs if not cluster or a.cluster == cluster]
        return Probe(
            host=self.host,
            node_id=self.node_id,
            format=self.format,
            data_dir=self.facts.get("data-dir", ""),
            machine_id=self.facts.get("machine-id", ""),
            boot_id=self.facts.get("boot-id", ""),
            root=self.facts.get("uid") == "0",
            address=facts.address(self.facts),
            attributes=facts.attributes(self.facts, self.tools),
            drivers=_shared(facts.drivers(self.facts, self.tools)),
            tools=_shared(frozenset(self.tools)),
            resources=facts.resources(self.facts),
            free_disk_mb=facts.number(self.facts, "disk.free-kb") // 1024,
            listening=_shared(frozenset(self.ports)),
            fences=self.fences,
            allocs=tuple([a.alloc for a in own]),
            foreign=tuple([a.alloc for a in others if not a.released]),
            damaged=reader.damaged,
            containers=containers,
            idle=idle,
            floor=self.floor,
            docker_down=docker_down,
        )
