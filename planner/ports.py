"""Which ports an allocation gets on a node. The same inputs always give the same ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from zlib import crc32

from planner.capacity import Load
from planner.job import Network, Port, TaskGroup
from planner.recorded import PortMapping

NO_DYNAMIC_PORT = "network: dynamic port selection failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortAsk:
    """The ports a group asks for, those of its tasks' old-style networks included."""

    static: tuple[Port, ...] = ()
    dynamic: tuple[Port, ...] = ()


def asked_ports(group: TaskGroup) -> PortAsk:
    """Return the ports of the group's network and of its tasks' networks."""
    networks = tuple(_networks(group))
    return PortAsk(
        static=tuple(p for n in networks for p in n.reserved_ports),
        dynamic=tuple(p for n in networks for p in n.dynamic_ports),
    )


def _networks(group: TaskGroup) -> Iterator[Network]:
    yield from group.networks[:1]
    for task in group.tasks:
        yield from task.resources.networks[:1]


def collision(ask: PortAsk, load: Load) -> str:
    """Return why `load` cannot give the ports of `ask`, or an empty string."""
    for port in ask.static:
        if not port.ignore_collision and load.takes(port.value):
            return f"network: reserved port collision {port.label}={port.value}"
    if ask.dynamic and not _has_room(ask, load):
        return NO_DYNAMIC_PORT
    return ""


def _has_room(ask: PortAsk, load: Load) -> bool:
    wanted = len(ask.dynamic)
    taken = len(load.ports) + len(load.blocked) + len(ask.static)
    span = load.node.max_dynamic_port - load.node.min_dynamic_port + 1
    if span - taken >= wanted:
        return True
    static = {p.value for p in ask.static}
    free = (p for p in _dynamic_range(load) if p not in static and not load.takes(p))
    return sum(1 for _ in zip(range(wanted), free, strict=False)) == wanted


def _dynamic_range(load: Load) -> range:
    return range(load.node.min_dynamic_port, load.node.max_dynamic_port + 1)


def assigned(ask: PortAsk, load: Load, name: str) -> tuple[PortMapping, ...]:
    """Return the ports an allocation called `name` gets on `load`; `collision` must be empty.

    The search for a dynamic port starts where a hash of the name points to, so that two jobs
    planned at the same time rarely want the same one.
    """
    mappings = [_mapping(p, p.value, load) for p in ask.static]
    given = {m.value for m in mappings}
    for port in ask.dynamic:
        value = _free(load, given, crc32(f"{name}:{port.label}".encode()))
        given.add(value)
        mappings.append(_mapping(port, value, load))
    return tuple(mappings)


def _free(load: Load, given: Iterable[int], seed: int) -> int:
    ports = _dynamic_range(load)
    start = seed % len(ports)
    order = (ports[(start + i) % len(ports)] for i in range(len(ports)))
    return next(p for p in order if p not in given and not load.takes(p))


def _mapping(port: Port, value: int, load: Load) -> PortMapping:
    return PortMapping(
        label=port.label, value=value, to=_inside(port, value), host_ip=load.node.address
    )


def _inside(port: Port, value: int) -> int:
    return value if port.to == -1 else port.to


def led_inside(ports: Iterable[PortMapping], group: TaskGroup | None) -> tuple[PortMapping, ...]:
    """Return ports with where the group has them lead to: records that were rebuilt don't say."""
    ask = asked_ports(group) if group else PortAsk()
    asked = {p.label: p for p in (*ask.static, *ask.dynamic)}
    return tuple(
        replace(p, to=_inside(asked[p.label], p.value)) if p.label in asked else p for p in ports
    )
