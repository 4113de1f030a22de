"""From what a host says of itself to node attributes, in Nomad's names. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Set
from urllib.parse import quote, unquote

from planner.observed import NodeResources

MAX_PORT = 65_535
# The level of the job language that orch follows; implied version constraints look at it.
LEVEL = "1.8.0"
# Nothing longer goes into a file's name on a host.
_NAME_LIMIT = 200
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "386",
    "i386": "386",
}
SIGNALS = (
    "SIGABRT,SIGALRM,SIGBUS,SIGCHLD,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGIO,SIGIOT,SIGKILL,"
    "SIGPIPE,SIGPROF,SIGQUIT,SIGSEGV,SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGTSTP,SIGTTIN,SIGTTOU,"
    "SIGURG,SIGUSR1,SIGUSR2,SIGWINCH,SIGXCPU,SIGXFSZ"
)
# Facts that are attributes as they are.
_PLAIN = (
    "kernel.name",
    "kernel.version",
    "kernel.arch",
    "cpu.numcores",
    "cpu.modelname",
    "os.name",
    "os.version",
    "os.cgroups.version",
    "unique.hostname",
    "unique.storage.volume",
)


def quoted(key: str) -> str:
    """A job key as a file name: no slash, no leading dot, reversible by `unquoted`."""
    name = quote(key, safe="").replace(".", "%2E").replace("~", "%7E")
    if len(name) > _NAME_LIMIT:
        msg = f"the job id {key[:40]!r}… is too long to be a file's name on a host"
        raise ValueError(msg)
    return name


def unquoted(name: str) -> str:
    """The job key of such a file name."""
    return unquote(name)


def number(facts: Mapping[str, str], key: str) -> int:
    """A fact as a whole number; 0 where it is absent or is none."""
    text = facts.get(key, "").partition(".")[0]
    return int(text[:15]) if text.isascii() and text.isdigit() else 0


def frequency(facts: Mapping[str, str]) -> int:
    """MHz of a core: the highest it can have, else the present one rounded so that it stays."""
    if khz := number(facts, "cpu.khz"):
        return khz // 1000
    return round(number(facts, "cpu.mhz"), -1) or 1000


def resources(facts: Mapping[str, str]) -> NodeResources:
    """What the node has in all; disk is what is free and what orch may use of it."""
    cores = max(1, number(facts, "cpu.numcores"))
    return NodeResources(
        cpu=cores * frequency(facts),
        memory_mb=number(facts, "memory.kb") // 1024,
        disk_mb=number(facts, "disk.total-kb") // 1024,
        cores=cores,
    )


def drivers(tools: Set[str]) -> frozenset[str]:
    """The drivers whose tools the host has."""
    return frozenset({"raw_exec"} if {"flock", "setsid"} <= tools else ())


def address(facts: Mapping[str, str]) -> str:
    """The IPv4 address of the default route; the loopback one where there is none."""
    try:
        return str(ipaddress.IPv4Address(facts.get("address", "")))
    except ValueError:
        return "127.0.0.1"


def attributes(facts: Mapping[str, str], tools: Set[str]) -> dict[str, str]:
    """Node attributes by name, without the leading ``attr.``."""
    found = {key: facts[key] for key in _PLAIN if facts.get(key)}
    machine = facts.get("kernel.arch", "")
    found["cpu.arch"] = _ARCHITECTURES.get(machine, machine)
    found["cpu.frequency"] = str(frequency(facts))
    found["cpu.totalcompute"] = str(resources(facts).cpu)
    found["memory.totalbytes"] = str(number(facts, "memory.kb") * 1024)
    found["unique.storage.bytestotal"] = str(number(facts, "disk.total-kb") * 1024)
    found["unique.network.ip-address"] = address(facts)
    found["os.signals"] = SIGNALS
    found["nomad.version"] = LEVEL
    found["nomad.service_discovery"] = "true"
    debian = facts.get("debian", "")
    if found.get("os.name") == "debian" and debian[:1].isdigit():
        found["os.version"] = debian
    found.update({f"driver.{name}": "1" for name in drivers(tools)})
    return dict(sorted(found.items()))
