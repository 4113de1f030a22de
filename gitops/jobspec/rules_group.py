"""Rules of a group: its policies, networks and volumes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops.jobspec.api_data import as_data
from gitops.jobspec.decode import Path
from gitops.jobspec.rules_placement import placement_findings, spread_findings
from gitops.jobspec.rules_policy import policy_findings
from gitops.jobspec.rules_service import service_findings
from gitops.jobspec.rules_task import task_findings
from gitops.jobspec.rules_volume import volume_findings
from planner.job import Job, Network, Port, TaskGroup

Finding = tuple[Path, tuple[str, str]]

MAX_PORT = 65535
_DOMAIN = re.compile(r"(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+")
_MIN_DISK = 10
_SYSTEM = ("system", "sysbatch")


def group_findings(job: Job, group: TaskGroup, path: Path) -> Iterator[Finding]:
    """Yield (path, (summary, detail)) for everything that is wrong with a group and its tasks."""
    yield from _shape(job, group, path)
    yield from _tasks(group, path)
    yield from placement_findings(group, path, "group")
    yield from spread_findings(group.spreads, path)
    yield from policy_findings(job, group, path)
    yield from network_findings(group, path)
    yield from service_findings(group, path)
    yield from volume_findings(job, group, path)
    for i, task in enumerate(group.tasks):
        yield from task_findings(job, group, task, (*path, "Tasks", i))


def _shape(job: Job, group: TaskGroup, path: Path) -> Iterator[Finding]:
    if not group.name:
        yield path, ("The group has no name", 'Write group "name" { … }.')
    if group.count < 0:
        yield (*path, "Count"), (f"Invalid count {group.count}", "It is 0 or more.")
    if job.type == "system" and group.count > 1:
        detail = "A system job has one allocation on each node: remove count."
        yield (*path, "Count"), (f"Invalid count {group.count} in a system job", detail)
    affinities = (
        *job.affinities,
        *group.affinities,
        *(a for t in group.tasks for a in t.affinities),
    )
    if job.type == "system" and (affinities or group.spreads or job.spreads):
        detail = "Every node gets one: remove affinity and spread blocks."
        yield path, ("affinity and spread have no meaning in a system job", detail)
    if group.ephemeral_disk.size_mb < _MIN_DISK:
        where = (*path, "EphemeralDisk", "SizeMB")
        yield where, (f"Invalid size {group.ephemeral_disk.size_mb}", "It is 10 MB or more.")
    if (group.shutdown_delay or 0) < 0:
        yield (*path, "ShutdownDelay"), ("Invalid shutdown_delay", "It is 0 or more.")
    yield from _run_duration(job, group, path)


def _run_duration(job: Job, group: TaskGroup, path: Path) -> Iterator[Finding]:
    if group.max_run_duration is None:
        return
    where = (*path, "MaxRunDuration")
    if job.type not in ("batch", "sysbatch"):
        detail = "Only batch and sysbatch jobs end by time."
        yield where, (f"max_run_duration in a {job.type} job", detail)
    elif group.max_run_duration <= 0:
        yield where, ("Invalid max_run_duration", "It is more than 0.")


def _tasks(group: TaskGroup, path: Path) -> Iterator[Finding]:
    if not group.tasks:
        yield path, ("The group has no task", 'It needs at least one task "name" { … }.')
        return
    if all(t.lifecycle for t in group.tasks):
        detail = "At least one task has no lifecycle block."
        yield path, ("The group has no main task", detail)
    if len([t for t in group.tasks if t.leader]) > 1:
        yield path, ("The group has two leaders", "At most one task is the leader.")
    seen: set[str] = set()
    for i, task in enumerate(group.tasks):
        if task.name in seen:
            yield (*path, "Tasks", i), (f'A second task "{task.name}"', "Rename one of them.")
        seen.add(task.name)


def network_findings(group: TaskGroup, path: Path) -> Iterator[Finding]:
    """Yield what is wrong with the networks of a group and of its tasks."""
    labels: set[str] = set()
    static: dict[tuple[str, int], str] = {}
    for i, network in enumerate(group.networks):
        yield from _network(network, (*path, "Networks", i), labels, static)
    for k, task in enumerate(group.tasks):
        own: set[str] = set()
        for i, network in enumerate(task.resources.networks):
            where = (*path, "Tasks", k, "Resources", "Networks", i)
            yield from _network(network, where, own, static)


def _network(
    network: Network, path: Path, labels: set[str], static: dict[tuple[str, int], str]
) -> Iterator[Finding]:
    known = network.mode in ("", "host", "bridge", "none") or network.mode.startswith("cni/")
    if not known:
        detail = "Known are host, bridge, none and cni/NAME."
        yield (*path, "Mode"), (f'Invalid network mode "{network.mode}"', detail)
    yield from _hostname(network, path)
    for value in as_data(network.cni.get("Args")).values() if network.cni else ():
        if ";" in str(value):
            yield (*path, "CNI"), ("Invalid CNI argument", "It has no semicolon.")
    for name, ports in (("_ports", network.reserved_ports), ("_ports", network.dynamic_ports)):
        for port in ports:
            where = (*path, name, port.label)
            if port.label in labels:
                yield where, (f'A second port "{port.label}"', "Rename one of them.")
            labels.add(port.label)
            if port.ignore_collision and network.mode not in ("", "host"):
                detail = "Ports collide in mode host only."
                yield where, (f"ignore_collision in mode {network.mode}", detail)
            yield from _port(port, where, static)


def _hostname(network: Network, path: Path) -> Iterator[Finding]:
    name, where = network.hostname, (*path, "Hostname")
    if not name:
        return
    if network.mode in ("", "host"):
        yield where, ("hostname in mode host", 'The node has its own. Write mode = "bridge".')
    elif "${" not in name and not _DOMAIN.fullmatch(name):
        yield where, (f'Invalid hostname "{name}"', "It is a DNS name.")


def _port(port: Port, path: Path, static: dict[tuple[str, int], str]) -> Iterator[Finding]:
    if not 0 <= port.value <= MAX_PORT:
        yield path, (f"Invalid static port {port.value}", f"It is 1 to {MAX_PORT}.")
    if not -1 <= port.to <= MAX_PORT:
        yield path, (f"Invalid port {port.to} in to", f"It is 1 to {MAX_PORT}, or -1.")
    if not port.value or port.ignore_collision:
        return
    other = static.setdefault((port.host_network, port.value), port.label)
    if other != port.label:
        detail = f'The port "{other}" has it already.'
        yield path, (f"The static port {port.value} is taken", detail)
