"""What of the job language orch reads but does not honour yet: one row a feature. Pure."""

from __future__ import annotations

from collections.abc import Callable

from planner.job import Check, Job, Network, Port, Service, Task, TaskGroup

_JOB: tuple[tuple[str, Callable[[Job], bool]], ...] = (
    ("type system", lambda j: j.type == "system"),
    ("type sysbatch", lambda j: j.type == "sysbatch"),
    ("all_at_once", lambda j: j.all_at_once),
    ("periodic", lambda j: j.periodic is not None),
    ("parameterized", lambda j: j.parameterized_job is not None),
    ("multiregion", lambda j: bool(j.multiregion)),
)

_CONTAINED = "docker"
_OWN_MODES = ("bridge", "none")


def _contained(group: TaskGroup) -> bool:
    return all(t.driver == _CONTAINED for t in group.tasks)


def _has_odd_mode(group: TaskGroup) -> bool:
    return any(n.mode not in ("", "host", *_OWN_MODES) for n in _networks(group))


def _has_own_network(group: TaskGroup) -> bool:
    """Whether tasks want a network of their own that their driver doesn't give."""
    return any(n.mode in _OWN_MODES for n in _networks(group)) and not _contained(group)


def _has_dns(group: TaskGroup) -> bool:
    return any(n.dns for n in _networks(group)) and not _contained(group)


def _has_hostname(group: TaskGroup) -> bool:
    return any(n.hostname and n.mode != "bridge" for n in _networks(group))


_GROUP: tuple[tuple[str, Callable[[TaskGroup], bool]], ...] = (
    ("update.canary", lambda g: g.update is not None and g.update.canary > 0),
    ("update.auto_revert", lambda g: g.update is not None and g.update.auto_revert),
    ("update.auto_promote", lambda g: g.update is not None and g.update.auto_promote),
    ("update.health_check manual", lambda g: bool(g.update and g.update.health_check == "manual")),
    ("disconnect", lambda g: g.disconnect is not None),
    ("ephemeral_disk.sticky", lambda g: g.ephemeral_disk.sticky),
    ("ephemeral_disk.migrate", lambda g: g.ephemeral_disk.migrate),
    ("scaling", lambda g: bool(g.scaling)),
    ("volume", lambda g: bool(g.volumes)),
    ("consul", lambda g: bool(g.consul)),
    ("max_run_duration", lambda g: g.max_run_duration is not None),
    ("stop_after_client_disconnect", lambda g: g.stop_after_client_disconnect is not None),
    ("max_client_disconnect", lambda g: g.max_client_disconnect is not None),
    ("prevent_reschedule_on_lost", lambda g: g.prevent_reschedule_on_lost),
    ("network.mode other than host, bridge and none", _has_odd_mode),
    ("network.mode bridge or none of other than docker tasks", _has_own_network),
    ("network.dns of other than docker tasks", _has_dns),
    ("network.hostname in other modes than bridge", _has_hostname),
)

_NETWORK: tuple[tuple[str, Callable[[Network], bool]], ...] = (
    ("network.cni", lambda n: bool(n.cni)),
    ("port.host_network", lambda n: any(p.host_network != "default" for p in _ports(n))),
    ("port.ignore_collision", lambda n: any(p.ignore_collision for p in _ports(n))),
)

_SERVICE: tuple[tuple[str, Callable[[Service], bool]], ...] = (
    ("service.connect", lambda s: bool(s.connect)),
    ("service.identity", lambda s: bool(s.identity)),
    ("service.on_update", lambda s: s.on_update not in ("", "require_healthy")),
    ("service.address_mode", lambda s: s.address_mode not in ("auto", "host")),
)

_CHECK: tuple[tuple[str, Callable[[Check], bool]], ...] = (
    ("check type other than tcp and http", lambda c: c.type not in ("tcp", "http")),
    ("check_restart", lambda c: c.check_restart is not None and c.check_restart.limit > 0),
    ("check.expose", lambda c: c.expose),
    ("check.protocol https", lambda c: c.type == "http" and c.protocol == "https"),
    ("check.on_update", lambda c: c.on_update not in ("", "require_healthy")),
    ("check.address_mode", lambda c: c.address_mode not in ("", "host")),
)


def _has_identity(task: Task) -> bool:
    own = task.identity
    return bool(task.identities) or (own is not None and (own.env or own.file))


_TASK: tuple[tuple[str, Callable[[Task], bool]], ...] = (
    ("template", lambda t: bool(t.templates)),
    ("artifact", lambda t: bool(t.artifacts)),
    ("volume_mount", lambda t: bool(t.volume_mounts)),
    ("vault", lambda t: bool(t.vault)),
    ("consul", lambda t: bool(t.consul)),
    ("secret", lambda t: bool(t.secrets)),
    ("identity", _has_identity),
    ("lifecycle", lambda t: t.lifecycle is not None),
    ("leader", lambda t: t.leader),
    ("user", lambda t: bool(t.user) and t.driver != _CONTAINED),
    ("dispatch_payload", lambda t: bool(t.dispatch_payload)),
    ("csi_plugin", lambda t: bool(t.csi_plugin_config)),
    ("action", lambda t: bool(t.actions)),
    ("schedule", lambda t: bool(t.schedule)),
    ("scaling", lambda t: bool(t.scaling_policies)),
    ("kind", lambda t: bool(t.kind)),
    ("logs.disabled", lambda t: t.log_config.disabled and t.driver != _CONTAINED),
    ("restart.render_templates", lambda t: t.restart_policy.render_templates),
    ("resources.cores", lambda t: t.resources.cores > 0),
    ("resources.device", lambda t: bool(t.resources.devices)),
    ("resources.numa", lambda t: bool(t.resources.numa)),
    ("resources.secrets", lambda t: t.resources.secrets_mb > 0),
)


def unsupported(job: Job) -> tuple[str, ...]:
    """Return the names of what the job asks for and orch does not do yet, each once."""
    found = [name for name, uses in _JOB if uses(job)]
    for group in job.task_groups:
        found += [name for name, uses in _GROUP if uses(group)]
        for network in _networks(group):
            found += [name for name, uses in _NETWORK if uses(network)]
        for service in _services(group):
            found += [name for name, uses in _SERVICE if uses(service)]
            found += [name for name, uses in _CHECK if any(map(uses, service.checks))]
        for task in group.tasks:
            found += [name for name, uses in _TASK if uses(task)]
    return tuple(dict.fromkeys(found))


def _ports(network: Network) -> tuple[Port, ...]:
    return (*network.reserved_ports, *network.dynamic_ports)


def _networks(group: TaskGroup) -> tuple[Network, ...]:
    return (*group.networks, *(n for t in group.tasks for n in t.resources.networks))


def _services(group: TaskGroup) -> tuple[Service, ...]:
    return (*group.services, *(s for t in group.tasks for s in t.services))
