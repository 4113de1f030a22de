"""What of the job language orch reads but does not honour, or in part: one row a feature. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from planner.check_status import restarts
from planner.job import (
    Check,
    Job,
    Network,
    Port,
    RestartPolicy,
    Service,
    Task,
    TaskGroup,
)


@dataclass(frozen=True, slots=True)
class Feature:
    """A part of the language: its name, the field that asks for it, and the test whether one does.

    `part` says what orch does of it; where it is empty orch does nothing, and `apply` refuses it.
    A `quiet` one is listed, and no warning in itself: what remains is told in differences.md.
    """

    name: str
    field: str
    asked: Callable[[Any], bool]
    part: str = ""
    quiet: bool = False


_NO_AGENT = (
    "a host can't tell silence from trouble, as nobody is connected between two commands; what "
    "runs there is replaced elsewhere only where -lost or lost_after says so"
)
# Why some are not honoured by design, and what to do instead.
WHY_NOT: Mapping[str, str] = {
    "disconnect.stop_on_client_after": _NO_AGENT,
    "stop_after_client_disconnect": _NO_AGENT,
}

_CONTAINED = "docker"
_OWN_MODES = ("bridge", "none")
_PRIORITY = 50


def _job(name: str, field: str, asked: Callable[[Job], bool], part: str = "") -> Feature:
    return Feature(name, field, asked, part)


JOB: tuple[Feature, ...] = (
    _job("all_at_once", "AllAtOnce", lambda j: j.all_at_once),
    _job("periodic", "Periodic", lambda j: j.periodic is not None),
    _job("parameterized", "ParameterizedJob", lambda j: j.parameterized_job is not None),
    _job("multiregion", "Multiregion", lambda j: bool(j.multiregion)),
    _job(
        "priority",
        "Priority",
        lambda j: j.priority != _PRIORITY,
        "it is kept; nothing waits in a queue, and nothing is preempted",
    ),
    _job("ui", "UI", lambda j: bool(j.ui), "it is kept; there is no page to show it on"),
)


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


def _group(
    name: str,
    field: str,
    asked: Callable[[TaskGroup], bool],
    part: str = "",
    *,
    quiet: bool = False,
) -> Feature:
    return Feature(name, field, asked, part, quiet)


GROUP: tuple[Feature, ...] = (
    _group(
        "disconnect",
        "Disconnect",
        lambda g: bool(g.disconnect and g.disconnect.lost_after),
        "it counts while 'orch reconcile -interval' watches, and at no other time",
    ),
    _group(
        "disconnect.stop_on_client_after",
        "Disconnect.StopOnClientAfter",
        lambda g: bool(g.disconnect and g.disconnect.stop_on_client_after),
    ),
    _group("ephemeral_disk.sticky", "EphemeralDisk.Sticky", lambda g: g.ephemeral_disk.sticky),
    _group("ephemeral_disk.migrate", "EphemeralDisk.Migrate", lambda g: g.ephemeral_disk.migrate),
    _group(
        "scaling.policy",
        "Scaling",
        lambda g: bool(g.scaling.get("Policy")),
        "it is kept; nothing scales by itself",
    ),
    _group("volume", "Volumes", lambda g: bool(g.volumes)),
    _group("consul", "Consul", lambda g: bool(g.consul)),
    _group("max_run_duration", "MaxRunDuration", lambda g: g.max_run_duration is not None),
    _group(
        "stop_after_client_disconnect",
        "StopAfterClientDisconnect",
        lambda g: g.stop_after_client_disconnect is not None,
    ),
    _group(
        "max_client_disconnect",
        "MaxClientDisconnect",
        lambda g: g.max_client_disconnect is not None,
    ),
    _group(
        "prevent_reschedule_on_lost",
        "PreventRescheduleOnLost",
        lambda g: g.prevent_reschedule_on_lost,
    ),
    _group("network.mode other than host, bridge and none", "Networks", _has_odd_mode),
    _group("network.mode bridge or none of other than docker tasks", "Networks", _has_own_network),
    _group("network.dns of other than docker tasks", "Networks", _has_dns),
    _group("network.hostname in other modes than bridge", "Networks", _has_hostname),
)


def _network(name: str, field: str, asked: Callable[[Network], bool]) -> Feature:
    return Feature(name, field, asked)


NETWORK: tuple[Feature, ...] = (
    _network("network.cni", "CNI", lambda n: bool(n.cni)),
    _network(
        "port.host_network", "_ports", lambda n: any(p.host_network != "default" for p in _ports(n))
    ),
    _network(
        "port.ignore_collision", "_ports", lambda n: any(p.ignore_collision for p in _ports(n))
    ),
)


def _service(name: str, field: str, asked: Callable[[Service], bool], part: str = "") -> Feature:
    return Feature(name, field, asked, part)


SERVICE: tuple[Feature, ...] = (
    _service(
        "service of the provider consul",
        "Provider",
        lambda s: s.provider == "consul",
        "its checks are made; it is registered nowhere",
    ),
    _service("service.connect", "Connect", lambda s: bool(s.connect)),
    _service("service.identity", "Identity", lambda s: bool(s.identity)),
    _service(
        "service.address_mode", "AddressMode", lambda s: s.address_mode not in ("auto", "host")
    ),
    _service(
        "service.address",
        "Address",
        lambda s: bool(s.address),
        "checks go to the address of the port, not to this one",
    ),
)


def _has_variables(check: Check) -> bool:
    return check.type == "script" and any("${" in w for w in (check.command, *check.args))


def _check(name: str, field: str, asked: Callable[[Check], bool], part: str = "") -> Feature:
    return Feature(name, field, asked, part)


CHECK: tuple[Feature, ...] = (
    _check("check.command with variables", "Command", _has_variables),
    _check(
        "check_restart",
        "CheckRestart",
        restarts,
        "it counts while a rollout waits for the allocation's health, "
        "and while 'orch reconcile -interval' watches",
    ),
    _check("check.expose", "Expose", lambda c: c.expose),
    _check("check.address_mode", "AddressMode", lambda c: c.address_mode not in ("", "host")),
)


def _has_identity(task: Task) -> bool:
    own = task.identity
    return bool(task.identities) or (own is not None and (own.env or own.file))


def _has_own_restart(task: Task) -> bool:
    policy = task.restart_policy
    usual = RestartPolicy()
    return task.driver == _CONTAINED and (policy.delay, policy.interval, policy.mode) != (
        usual.delay,
        usual.interval,
        usual.mode,
    )


def _task(
    name: str, field: str, asked: Callable[[Task], bool], part: str = "", *, quiet: bool = False
) -> Feature:
    return Feature(name, field, asked, part, quiet)


TASK: tuple[Feature, ...] = (
    _task("template", "Templates", lambda t: bool(t.templates)),
    _task("artifact", "Artifacts", lambda t: bool(t.artifacts)),
    _task("volume_mount", "VolumeMounts", lambda t: bool(t.volume_mounts)),
    _task("vault", "Vault", lambda t: bool(t.vault)),
    _task("consul", "Consul", lambda t: bool(t.consul)),
    _task("secret", "Secrets", lambda t: bool(t.secrets)),
    _task("identity", "Identity", _has_identity),
    _task("user", "User", lambda t: bool(t.user) and t.driver != _CONTAINED),
    _task("dispatch_payload", "DispatchPayload", lambda t: bool(t.dispatch_payload)),
    _task("csi_plugin", "_csi", lambda t: bool(t.csi_plugin_config)),
    _task("action", "Actions", lambda t: bool(t.actions)),
    _task("schedule", "Schedule", lambda t: bool(t.schedule)),
    _task("scaling", "ScalingPolicies", lambda t: bool(t.scaling_policies)),
    _task("kind", "Kind", lambda t: bool(t.kind)),
    _task("logs.disabled", "LogConfig", lambda t: t.log_config.disabled and t.driver != _CONTAINED),
    _task(
        "restart.render_templates",
        "RestartPolicy.RenderTemplates",
        lambda t: t.restart_policy.render_templates,
    ),
    _task(
        "restart of docker tasks",
        "RestartPolicy",
        _has_own_restart,
        "dockerd restarts them, after delays of its own",
        quiet=True,
    ),
    _task("resources.cores", "Resources.Cores", lambda t: t.resources.cores > 0),
    _task("resources.device", "Resources.Devices", lambda t: bool(t.resources.devices)),
    _task("resources.numa", "Resources.NUMA", lambda t: bool(t.resources.numa)),
    _task("resources.secrets", "Resources.SecretsMB", lambda t: t.resources.secrets_mb > 0),
)

FEATURES: tuple[Feature, ...] = (*JOB, *GROUP, *TASK, *NETWORK, *SERVICE, *CHECK)


def _ports(network: Network) -> tuple[Port, ...]:
    return (*network.reserved_ports, *network.dynamic_ports)


def _networks(group: TaskGroup) -> tuple[Network, ...]:
    return (*group.networks, *(n for t in group.tasks for n in t.resources.networks))
