"""The variables that a task finds in its environment, by Nomad's names and rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from executors.interpolation import node_values, with_values
from planner.job import Job, Task, TaskGroup
from planner.observed import Node
from planner.recorded import PortMapping

_UNCLEAN = re.compile(r"[^A-Za-z0-9_.]")
# What every task finds; a task's own env may say otherwise.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The directories of a task as it sees them itself, where these are not the host's."""

    alloc: str = "/alloc"
    local: str = "/local"
    secrets: str = "/secrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Which allocation, where, with which ports; `alloc_root` is its directory on the host.

    `inside` are directories as tasks see them that do not see the host's, and whose PATH is not
    the host's either.
    """

    job: Job
    group: TaskGroup
    alloc_id: str
    alloc_name: str
    node: Node
    alloc_root: str
    ports: tuple[PortMapping, ...] = ()
    inside: Inside | None = None

    @property
    def index(self) -> str:
        """The number in brackets at the end of the allocation's name."""
        return self.alloc_name[self.alloc_name.rindex("[") + 1 : -1]


def environment(place: Placement, task: Task) -> dict[str, str]:
    """All variables of a task: built-in ones, ports and meta, then its own env over them."""
    path = {} if place.inside else {"PATH": PATH}
    found = {**path, **_builtin(place, task), **_meta(place, task)}
    for port in place.ports:
        found.update(_port(port, place.node.address))
    values = {**node_values(place.node, place.job.region), **found}
    return {**found, **{k: with_values(v, values) for k, v in task.env.items()}}


def _builtin(place: Placement, task: Task) -> dict[str, str]:
    root = place.alloc_root
    job = place.job
    seen = place.inside or Inside(
        alloc=f"{root}/alloc",
        local=f"{root}/{task.name}/local",
        secrets=f"{root}/{task.name}/secrets",
    )
    found = {
        "NOMAD_ALLOC_DIR": seen.alloc,
        "NOMAD_TASK_DIR": seen.local,
        "NOMAD_SECRETS_DIR": seen.secrets,
        "NOMAD_ALLOC_ID": place.alloc_id,
        "NOMAD_SHORT_ALLOC_ID": place.alloc_id[:8],
        "NOMAD_ALLOC_NAME": place.alloc_name,
        "NOMAD_ALLOC_INDEX": place.index,
        "NOMAD_GROUP_NAME": place.group.name,
        "NOMAD_TASK_NAME": task.name,
        "NOMAD_JOB_ID": job.id,
        "NOMAD_JOB_NAME": job.name or job.id,
        "NOMAD_JOB_PARENT_ID": job.parent_id,
        "NOMAD_DC": place.node.datacenter,
        "NOMAD_NAMESPACE": job.namespace,
        "NOMAD_REGION": job.region,
        "NOMAD_CPU_LIMIT": _limit(task.resources.cpu),
        "NOMAD_MEMORY_LIMIT": _limit(task.resources.memory_mb),
        "NOMAD_MEMORY_MAX_LIMIT": _limit(task.resources.memory_max_mb),
        # One blank even without reserved cores.
        "NOMAD_CPU_CORES": " ",
    }
    return {k: v for k, v in found.items() if v}


def _limit(number: int) -> str:
    return str(number) if number > 0 else ""


def _meta(place: Placement, task: Task) -> dict[str, str]:
    merged: Mapping[str, str] = {**place.job.meta, **place.group.meta, **task.meta}
    values = node_values(place.node, place.job.region)
    found: dict[str, str] = {}
    for key, raw in merged.items():
        value = with_values(raw, values)
        found[f"NOMAD_META_{_clean(key)}"] = value
        found[f"NOMAD_META_{_clean(key.upper())}"] = value
    return found


def _clean(label: str) -> str:
    return _UNCLEAN.sub("_", label)


def _port(port: PortMapping, address: str) -> dict[str, str]:
    ip = port.host_ip or address
    pair = f"[{ip}]:{port.value}" if ":" in ip else f"{ip}:{port.value}"
    inside = str(port.to if port.to > 0 else port.value)
    clean = _clean(port.label)
    return {
        f"NOMAD_IP_{clean}": ip,
        f"NOMAD_ADDR_{clean}": pair,
        f"NOMAD_PORT_{clean}": inside,
        f"NOMAD_HOST_PORT_{clean}": str(port.value),
        # These keep the label as it is written.
        f"NOMAD_HOST_IP_{port.label}": ip,
        f"NOMAD_HOST_ADDR_{port.label}": pair,
        f"NOMAD_ALLOC_PORT_{port.label}": inside,
    }
