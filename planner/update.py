"""What a changed spec does to a running allocation: one table of the fields that force a new one.

Whatever is not in the tables is updated in place. Knows nothing of nodes or of counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import chain
from typing import TypeVar, cast

from planner.job import SECOND, Job, Network, Port, Service, Task, TaskGroup

Compared = TypeVar("Compared", Task, TaskGroup)

VERSION_CHANGED = "job version changed"


def _port(port: Port, *, static: bool) -> tuple[object, ...]:
    return (port.label, port.value if static else 0, port.to, port.host_network)


def _ports(network: Network) -> frozenset[tuple[object, ...]]:
    static = (_port(p, static=True) for p in network.reserved_ports)
    return frozenset(chain(static, (_port(p, static=False) for p in network.dynamic_ports)))


def _networks(networks: Iterable[Network]) -> list[object]:
    return [(n.mode, n.mbits, n.hostname, n.dns, n.cni, _ports(n)) for n in networks]


def _connects(services: Iterable[Service]) -> list[object]:
    return [(s.port_label, s.cluster, s.connect) for s in services if s.connect]


# Fields of a group that need a new allocation, by the name that reasons show.
_GROUP: dict[str, Callable[[TaskGroup], object]] = {
    "tasks": lambda g: [t.name for t in sorted(g.tasks, key=lambda t: t.name)],
    "ephemeral_disk": lambda g: g.ephemeral_disk,
    "network": lambda g: _networks(g.networks),
    "consul": lambda g: g.consul,
    "connect": lambda g: _connects(g.services),
    "volume": lambda g: g.volumes,
    "restart.render_templates": lambda g: g.restart_policy.render_templates,
}

# Fields of a task that need a new allocation.
_TASK: dict[str, Callable[[Task], object]] = {
    "driver": lambda t: t.driver,
    "user": lambda t: t.user,
    "config": lambda t: t.config,
    "env": lambda t: t.env,
    "artifact": lambda t: t.artifacts,
    "vault": lambda t: t.vault,
    "secret": lambda t: t.secrets,
    "consul": lambda t: t.consul,
    "template": lambda t: t.templates,
    "csi_plugin": lambda t: t.csi_plugin_config,
    "volume_mount": lambda t: t.volume_mounts,
    "resources.network": lambda t: _networks(t.resources.networks),
    "cpu": lambda t: t.resources.cpu,
    "cores": lambda t: t.resources.cores,
    "memory": lambda t: t.resources.memory_mb,
    "memory_max": lambda t: t.resources.memory_max_mb,
    "secrets": lambda t: t.resources.secrets_mb,
    "device": lambda t: t.resources.devices,
    "numa": lambda t: t.resources.numa,
    "identity": lambda t: (t.identity, t.identities),
    "logs.disabled": lambda t: t.log_config.disabled,
    "restart.render_templates": lambda t: t.restart_policy.render_templates,
}

# What a job, a group or a task holds besides its fields, or where order means nothing.
_NOT_COMPARED = frozenset({"task_groups", "tasks", "update", "version_tag", "nomad_token_id"})


_DURATIONS = frozenset({"kill_timeout", "shutdown_delay"})


def forcing_change(old: Job, new: Job, group: str) -> str:
    """Return what makes a new allocation of `group` necessary, or an empty string.

    The group must be in `new`; one that `old` lacks counts as changed.
    """
    return next((reason for _, reason in forcing_changes(old, new, group)), "")


def forcing_changes(old: Job, new: Job, group: str) -> Iterator[tuple[str, str]]:
    """Yield everything that makes a new allocation of `group` necessary, as (task, reason).

    The task is empty for the group's own fields. Where tasks came or went, theirs are not told.
    """
    before, after = old.group(group), new.group(group)
    if before is None or after is None:
        yield "", "group was added"
        return
    yield from (("", reason) for reason in _differences(_GROUP, before, after))
    tasks = {t.name: t for t in before.tasks}
    if tasks.keys() != {t.name for t in after.tasks}:
        return
    for task in after.tasks:
        was = tasks[task.name]
        yield from ((task.name, reason) for reason in _differences(_TASK, was, task))
        metas = _meta(old, before, was), _meta(new, after, task)
        yield from ((task.name, reason) for reason in _difference("meta", *metas))


def forcing_values(job: Job, group: str) -> dict[str, object]:
    """Return what the tables have of a group, by name; empty where the job has no such group."""
    found = job.group(group)
    if found is None:
        return {}
    values: dict[str, object] = {name: value(found) for name, value in _GROUP.items()}
    for task in found.tasks:
        own: dict[str, object] = {name: value(task) for name, value in _TASK.items()}
        values[f"task {task.name}"] = {**own, "meta": _meta(job, found, task)}
    return values


def _meta(job: Job, group: TaskGroup, task: Task) -> dict[str, str]:
    return {**job.meta, **group.meta, **task.meta}


def _differences(
    table: Mapping[str, Callable[[Compared], object]], old: Compared, new: Compared
) -> Iterator[str]:
    for name, value in table.items():
        yield from _difference(name, value(old), value(new))


def _difference(name: str, old: object, new: object) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        before, after = cast("Mapping[str, object]", old), cast("Mapping[str, object]", new)
        # A null is something else than a key that is not there.
        changed = {k for k, v in before.items() if k not in after or after[k] != v}
        changed |= after.keys() - before.keys()
        yield from (f"{name}.{k} changed" for k in sorted(changed))
    elif isinstance(old, int | str) and isinstance(new, int | str):
        yield f"{name} {_shown(name, old)} → {_shown(name, new)}"
    else:
        yield f"{name} changed"


def _shown(name: str, value: int | str) -> str:
    if isinstance(value, str):
        return value or "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value / SECOND:g}s" if name in _DURATIONS else str(value)


def mild_change(old: Job, new: Job, group: str) -> str:
    """Return what changed of the spec of `group` where nothing forces a new allocation."""
    return next((reason for _, reason in mild_changes(old, new, group)), VERSION_CHANGED)


def mild_changes(old: Job, new: Job, group: str) -> Iterator[tuple[str, str]]:
    """Yield all that changed of the spec of `group` and of the job, as (task, reason)."""
    before, after = old.group(group), new.group(group)
    if before is None or after is None:
        return
    tasks = {t.name: t for t in before.tasks}
    pairs: list[tuple[str, object, object]] = [("", before, after)]
    pairs += [(t.name, tasks[t.name], t) for t in after.tasks if t.name in tasks]
    pairs.append(("", old, new))
    yield from ((task, reason) for task, one, two in pairs for reason in _fields(one, two))


def _fields(old: object, new: object) -> Iterator[str]:
    names = (f.name for f in fields(cast("Job", old)) if f.name not in _NOT_COMPARED)
    for name in names:
        yield from _difference(name, getattr(old, name), getattr(new, name))
    if isinstance(old, TaskGroup):
        yield from _difference("update", old.update, cast("TaskGroup", new).update)
