"""From what a host says of itself to node attributes, in Nomad's names. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Set
from sys import intern
from urllib.parse import quote, unquote

from executors.containers import pause
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
_BRIDGE_PLUGINS = ("bridge", "firewall", "host-local", "loopback", "portmap")
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


def drivers(facts: Mapping[str, str], tools: Set[str]) -> frozenset[str]:
    """The drivers whose tools the host has; docker only where dockerd answers this user."""
    if not {"flock", "setsid"} <= tools:
        return frozenset()
    return frozenset({"raw_exec", "docker"} if facts.get("docker.version") else {"raw_exec"})


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
    found.update({f"driver.{name}": "1" for name in drivers(facts, tools)})
    if "docker" in drivers(facts, tools):
        found.update(_docker(facts))
    # Most hosts say the same: each word is kept once.
    return {intern(key): intern(value) for key, value in sorted(found.items())}


def _docker(facts: Mapping[str, str]) -> dict[str, str]:
    found = {
        "driver.docker.bridge_ip": facts.get("docker.bridge_ip", ""),
        "driver.docker.os_type": facts.get("docker.os_type", ""),
        "driver.docker.runtimes": ",".join(
            sorted(filter(None, facts.get("docker.runtimes", "").split(",")))
        ),
        "driver.docker.version": facts["docker.version"],
        "driver.docker.volumes.enabled": "true",
    }
    if pause.is_known(_ARCHITECTURES.get(facts.get("kernel.arch", ""), "")):
        # What a group in bridge mode implicitly asks for; dockerd's own bridge does it.
        found.update({f"plugins.cni.version.{p}": "1.0.0" for p in _BRIDGE_PLUGINS})
    return {k: v for k, v in found.items() if v}
