"""From a task to what dockerd is asked to create. Pure: the same task gives the same request."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from executors.containers import isolation, keys, pause
from executors.containers.keys import Config
from executors.containers.storage import Storage, binds, mounts
from executors.driver import ConfigError
from executors.interpolation import unknown_references, with_values
from planner.job import SECOND, Dns, Job, Task, TaskGroup
from planner.lifecycle import is_sequenced
from planner.recorded import PortMapping

_MIB = 1024 * 1024
_PERIOD = 100_000
_MIN_SHARES = 2
_SHARED = "container:"
LABEL = "orch."


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose container it is: what its labels say, for ever."""

    cluster: str
    alloc_id: str
    index: int = 0
    commit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """What the node has and allows: MHz and cores in all, and whether privileges may be had."""

    cpu: int = 0
    cores: int = 1
    privileged: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """A task with everything that its container is made from.

    `values` resolves ``${…}`` in its config; `network` is the container whose network namespace it
    shares, or empty.
    """

    job: Job
    group: TaskGroup
    task: Task
    origin: Origin
    env: Mapping[str, str]
    values: Mapping[str, str]
    storage: Storage
    limits: HostLimits = field(default_factory=HostLimits)
    ports: tuple[PortMapping, ...] = ()
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A container to create: its name, and the body of the request, without its image's id."""

    name: str
    image: str
    body: Mapping[str, object]

    @property
    def spec(self) -> str:
        """A hash of all that can only be changed by another container."""
        plain = {k: v for k, v in self.body.items() if k != "Labels"}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]

    def with_image(self, image_id: str) -> dict[str, object]:
        """The whole request, of exactly that image, with its hash as a label."""
        labels = cast("Mapping[str, str]", self.body["Labels"])
        return {**self.body, "Image": image_id, "Labels": {**labels, f"{LABEL}spec": self.spec}}


def network_creation(
    group: TaskGroup, origin: Origin, ports: Sequence[PortMapping], address: str
) -> Creation:
    """The container that holds a group's network; `address` is the node's."""
    network = group.networks[0]
    bound = bindings(ports, {}, address)
    dns = network.dns
    host: dict[str, object] = {
        "NetworkMode": "default",
        "PortBindings": bound,
        "RestartPolicy": {"Name": "always"},
        "CapDrop": ["CAP_NET_RAW"],
        "Dns": list(dns.servers) if dns else [],
        "DnsSearch": list(dns.searches) if dns else [],
        "DnsOptions": list(dns.options) if dns else [],
    }
    body: dict[str, object] = {
        "Entrypoint": [pause.PROGRAM],
        "StopSignal": "SIGKILL",
        "ExposedPorts": {p: {} for p in sorted(bound)},
        "Labels": {f"{LABEL}{k}": v for k, v in _origin_labels(origin).items()},
        "HostConfig": {k: v for k, v in host.items() if v},
        **({"Hostname": network.hostname} if network.hostname else {}),
    }
    name = container_name("orch_network", origin.alloc_id)
    return Creation(name=name, image=pause.REFERENCE, body=body)


def container_name(task: str, alloc_id: str) -> str:
    """The name of a task's container."""
    return f"{task}-{alloc_id}"


def creation(spec: TaskSpec) -> Creation:
    """What to ask dockerd for.

    Raises `ConfigError` where the config can't be used, or asks for what the host doesn't allow.
    """
    config = resolved(spec)
    _refuse(spec, config)
    body: dict[str, object] = {
        "Image": keys.text(config, "image"),
        "Env": sorted(f"{k}={v}" for k, v in spec.env.items()),
        "Labels": {**keys.mapping(config, "labels"), **_labels(spec)},
        "ExposedPorts": {p: {} for p in sorted(published(spec, config))},
        "Tty": keys.flag(config, "tty"),
        "OpenStdin": keys.flag(config, "interactive"),
        "StopTimeout": math.ceil(spec.task.kill_timeout / SECOND),
        "HostConfig": _host_config(spec, config),
        **_command(config),
        **_identity(spec, config),
    }
    if keys.flag(keys.table(config, "healthchecks"), "disable"):
        body["Healthcheck"] = {"Test": ["NONE"]}
    if endpoint := _endpoint(config):
        mode = keys.text(config, "network_mode") or "bridge"
        body["NetworkingConfig"] = {"EndpointsConfig": {mode: endpoint}}
    return Creation(
        name=container_name(spec.task.name, spec.origin.alloc_id),
        image=keys.text(config, "image"),
        body=body,
    )


def resolved(spec: TaskSpec) -> Config:
    """The config with every ``${…}`` replaced; `ConfigError` for what is wrong or unknown."""
    problems = list(keys.problems(spec.task.config))
    unknown = dict.fromkeys(
        name
        for text in _strings(spec.task.config)
        for name in unknown_references(text, spec.values)
    )
    problems += [f'unknown variable "{name}"' for name in unknown]
    if problems:
        text = "; ".join(problems)
        raise ConfigError(f"task {spec.task.name!r}: failed to parse config: {text}")
    return cast("Config", _resolved(spec.task.config, spec.values))


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner: Sequence[object] = ()
    if isinstance(value, Mapping):
        inner = tuple(cast("Mapping[str, object]", value).values())
    elif isinstance(value, Sequence):
        inner = cast("Sequence[object]", value)
    return [text for each in inner for text in _strings(each)]


def _resolved(value: object, values: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return with_values(value, values)
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {k: _resolved(v, values) for k, v in items}
    if isinstance(value, Sequence):
        return [_resolved(v, values) for v in cast("Sequence[object]", value)]
    return value


# ── what is not allowed ──────────────────────────────────────────────────────────────────────────


def _refuse(spec: TaskSpec, config: Config) -> None:
    if spec.limits.privileged:
        return
    hint = "Set orch_allow_privileged: true for hosts where jobs may do that."
    name = spec.task.name
    if keys.flag(config, "privileged"):
        raise ConfigError(f"task {name!r}: the host doesn't allow privileged containers", hint)
    if refused := isolation.beyond_docker(config):
        caps = ", ".join(c.lower() for c in refused)
        text = f"task {name!r}: the host doesn't allow the following capabilities: {caps}"
        raise ConfigError(text, hint)


# ── parts of the request ─────────────────────────────────────────────────────────────────────────


def _labels(spec: TaskSpec) -> dict[str, str]:
    origin = spec.origin
    found = {
        **_origin_labels(origin),
        "namespace": spec.job.namespace,
        "job": spec.job.id,
        "group": spec.group.name,
        "task": spec.task.name,
    }
    return {f"{LABEL}{k}": v for k, v in found.items()}


def _origin_labels(origin: Origin) -> dict[str, str]:
    return {
        "cluster": origin.cluster,
        "alloc": origin.alloc_id,
        "index": str(origin.index),
        "commit": origin.commit,
    }


def _command(config: Config) -> dict[str, object]:
    command, args = keys.text(config, "command"), keys.texts(config, "args")
    entrypoint = keys.texts(config, "entrypoint")
    words = [*([command] if command else []), *args]
    return {
        **({"Cmd": words} if words else {}),
        **({"Entrypoint": entrypoint} if entrypoint else {}),
    }


def _identity(spec: TaskSpec, config: Config) -> dict[str, object]:
    found: dict[str, object] = {
        "User": with_values(spec.task.user, spec.values),
        "WorkingDir": keys.text(config, "work_dir"),
        "Hostname": "" if spec.network else keys.text(config, "hostname"),
        "MacAddress": keys.text(config, "mac_address"),
        "StopSignal": spec.task.kill_signal,
    }
    return {k: v for k, v in found.items() if v}


def _endpoint(config: Config) -> dict[str, object]:
    address = {
        "IPv4Address": keys.text(config, "ipv4_address"),
        "IPv6Address": keys.text(config, "ipv6_address"),
    }
    given = {k: v for k, v in address.items() if v}
    aliases = keys.texts(config, "network_aliases")
    return {
        **({"IPAMConfig": given} if given else {}),
        **({"Aliases": aliases} if aliases else {}),
    }


def _host_config(spec: TaskSpec, config: Config) -> dict[str, object]:
    found: dict[str, object] = {
        "NetworkMode": network_mode(spec, config),
        "PortBindings": published(spec, config),
        "RestartPolicy": restart_policy(spec.job, spec.group, spec.task),
        "LogConfig": _logging(spec.task, config),
        "Binds": binds(spec.storage, config),
        "Mounts": mounts(spec.storage, config),
        "VolumeDriver": keys.text(config, "volume_driver"),
        **_dns(spec, config),
        "ExtraHosts": [] if spec.network else keys.texts(config, "extra_hosts"),
        "GroupAdd": keys.texts(config, "group_add"),
        "ReadonlyRootfs": keys.flag(config, "readonly_rootfs"),
        "Init": keys.flag(config, "init"),
        "StorageOpt": keys.mapping(config, "storage_opt"),
        "Sysctls": {} if spec.network else keys.mapping(config, "sysctl"),
        **isolation.settings(config),
        **_resources(spec, config),
    }
    return {k: v for k, v in found.items() if v}


def _dns(spec: TaskSpec, config: Config) -> dict[str, object]:
    """Resolvers of the task's config, else of its group; none where another has the network."""
    if spec.network:
        return {}
    group = (spec.group.networks[0].dns if spec.group.networks else None) or Dns()
    return {
        "Dns": keys.texts(config, "dns_servers") or list(group.servers),
        "DnsOptions": keys.texts(config, "dns_options") or list(group.options),
        "DnsSearch": keys.texts(config, "dns_search_domains") or list(group.searches),
    }


def network_mode(spec: TaskSpec, config: Config) -> str:
    """The container's network: shared with its group, as its config says, or the host's default."""
    if spec.network:
        return f"{_SHARED}{spec.network}"
    group = spec.group.networks[0].mode if spec.group.networks else ""
    return keys.text(config, "network_mode") or ("none" if group == "none" else "default")


def published(spec: TaskSpec, config: Config) -> dict[str, list[dict[str, str]]]:
    """Ports by ``PORT/PROTOCOL`` inside: those of `ports`, or all where there is a `port_map`.

    Each is published for tcp and udp. Nothing is where the network is the host's or another's.
    """
    mode = network_mode(spec, config)
    if mode in ("host", "none") or mode.startswith(_SHARED):
        return {}
    inside = {k: int(v) for k, v in keys.mapping(config, "port_map").items()}
    wanted = keys.texts(config, "ports")
    labels = {p.label for p in spec.ports}
    if missing := [label for label in (*wanted, *inside) if label not in labels]:
        text = f'port "{missing[0]}" is not in the network block'
        raise ConfigError(f"task {spec.task.name!r}: {text}")
    chosen = [p for p in spec.ports if p.label in wanted or inside]
    return bindings(chosen, inside, spec.limits.address)


def bindings(
    ports: Sequence[PortMapping], inside: Mapping[str, int], address: str
) -> dict[str, list[dict[str, str]]]:
    """Publish ports under their own numbers, or those they have `inside`, for tcp and udp."""
    found: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        number = inside.get(port.label) or (port.to if port.to > 0 else port.value)
        for protocol in ("tcp", "udp"):
            binding = {"HostIp": port.host_ip or address, "HostPort": str(port.value)}
            found.setdefault(f"{number}/{protocol}", []).append(binding)
    return found


def restart_policy(job: Job, group: TaskGroup, task: Task) -> dict[str, object]:
    """The closest policy of Docker's that never leaves dead what would still be tried.

    A service is tried for ever where its restarts or its reschedules allow more than one life:
    ``always``, since a dockerd that died leaves down what has ``unless-stopped``. A batch task is
    over when it ends well. Tasks that wait for one another have a supervisor of ours.
    """
    if is_sequenced(group):
        return {"Name": "no"}
    policy, again = task.restart_policy, group.reschedule_policy
    keeps_on = policy.mode == "delay"
    if job.type not in ("batch", "sysbatch"):
        rescheduled = again is not None and (again.unlimited or again.attempts > 0)
        tried = policy.attempts > 0 or keeps_on or rescheduled
        return {"Name": "always" if tried else "no"}
    if policy.attempts <= 0:
        return {"Name": "no"}
    return {"Name": "on-failure", "MaximumRetryCount": 0 if keeps_on else policy.attempts}


def _logging(task: Task, config: Config) -> dict[str, object]:
    given = keys.table(config, "logging")
    if given:
        kind = keys.text(given, "type") or keys.text(given, "driver") or "json-file"
        return {"Type": kind, "Config": keys.mapping(given, "config")}
    logs = task.log_config
    if logs.disabled:
        return {"Type": "none", "Config": {}}
    size = {"max-size": f"{logs.max_file_size_mb}m", "max-file": str(logs.max_files)}
    return {"Type": "json-file", "Config": size}


def _resources(spec: TaskSpec, config: Config) -> dict[str, object]:
    asked = spec.task.resources
    hard = asked.memory_max_mb or keys.number(config, "memory_hard_limit")
    memory = max(hard or asked.memory_mb, 0) * _MIB
    period = keys.number(config, "cpu_cfs_period") or _PERIOD
    limited = keys.flag(config, "cpu_hard_limit") and spec.limits.cpu > 0
    share = asked.cpu / spec.limits.cpu if limited else 0.0
    return {
        "Memory": memory,
        "MemorySwap": memory,
        "MemoryReservation": asked.memory_mb * _MIB if hard else 0,
        "CpuShares": max(asked.cpu, _MIN_SHARES),
        "CpuPeriod": period if limited else 0,
        "CpuQuota": int(share * period) * spec.limits.cores,
        "CpusetCpus": keys.text(config, "cpuset_cpus"),
        "OomScoreAdj": keys.number(config, "oom_score_adj"),
        "PidsLimit": keys.number(config, "pids_limit"),
        "ShmSize": keys.number(config, "shm_size"),
    }
