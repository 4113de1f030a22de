"""Rules of services and their checks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops.jobspec.decode import Path
from planner.job import SECOND, Check, Service, TaskGroup

Finding = tuple[Path, tuple[str, str]]

_NAME = re.compile(r"(?!-)[a-zA-Z0-9-]{1,63}(?<!-)")
_INTERPOLATION = re.compile(r"\$\{[^}]*\}")
_CHECK_TYPES = {"nomad": ("tcp", "http"), "consul": ("tcp", "http", "script", "grpc")}
_NEED_PORT = ("tcp", "http", "grpc")
_MODES = ("auto", "host", "driver", "alloc", "alloc_ipv6")
_ON_UPDATE = ("", "require_healthy", "ignore_warnings", "ignore")
_MAX_NOTES = 255


def service_findings(group: TaskGroup, path: Path) -> Iterator[Finding]:
    """Yield what is wrong with the services of a group and of its tasks."""
    placed = [((*path, "Services", i), s) for i, s in enumerate(group.services)]
    for k, task in enumerate(group.tasks):
        where = (*path, "Tasks", k, "Services")
        placed += [((*where, i), s) for i, s in enumerate(task.services)]
    seen: set[tuple[str, str, str]] = set()
    for where, service in placed:
        key = (service.task_name, service.name, service.port_label)
        if key in seen:
            yield where, (f'A second service "{service.name}"', "Name and port are unique.")
        seen.add(key)
        yield from _level(service, where)
        yield from _service(service, where)
    if len({s.provider for _, s in placed}) > 1:
        yield placed[0][0], ("Two providers in one group", "All its services have one provider.")


def _level(service: Service, path: Path) -> Iterator[Finding]:
    """Yield what a service of a group may not have, or one of a task."""
    in_task = "Tasks" in path
    if service.address_mode == "driver" and not in_task:
        detail = "A group has no driver: move the service into a task."
        yield (*path, "AddressMode"), ("address_mode driver in a group", detail)
    if service.connect and in_task and not service.connect.get("Native"):
        yield (*path, "Connect"), ("connect in a task", "Move the service into the group.")


def _service(service: Service, path: Path) -> Iterator[Finding]:
    bare = _INTERPOLATION.sub("", service.name)
    templated = bare != service.name
    if not _NAME.fullmatch(bare if not templated else f"x{bare}x"):
        detail = "It has letters, digits and dashes (RFC 1123), at most 63."
        yield (*path, "Name"), (f'Invalid service name "{service.name}"', detail)
    if service.provider not in _CHECK_TYPES:
        detail = "Known are nomad and consul."
        yield (*path, "Provider"), (f'Invalid provider "{service.provider}"', detail)
        return
    if service.address_mode not in _MODES:
        detail = f"Known are {', '.join(_MODES)}."
        yield (*path, "AddressMode"), (f'Invalid address_mode "{service.address_mode}"', detail)
    if service.address and service.address_mode != "auto":
        yield (*path, "Address"), ("address needs address_mode auto", "Remove one of them.")
    if service.on_update not in _ON_UPDATE:
        yield (*path, "OnUpdate"), (f'Invalid on_update "{service.on_update}"', "")
    yield from _without_consul(service, path)
    for i, check in enumerate(service.checks):
        yield from _check(service, check, (*path, "Checks", i))


def _without_consul(service: Service, path: Path) -> Iterator[Finding]:
    if service.on_update == "ignore_warnings" and service.provider != "consul":
        detail = "Nomad's own checks have no warnings. Write ignore or require_healthy."
        yield (*path, "OnUpdate"), ("on_update ignore_warnings without Consul", detail)
    if service.connect and service.provider != "consul":
        yield (*path, "Connect"), ("connect without Consul", 'It needs provider = "consul".')


def _check(service: Service, check: Check, path: Path) -> Iterator[Finding]:
    types = _CHECK_TYPES[service.provider]
    if check.type not in types:
        detail = f"A check of the provider {service.provider} is one of {', '.join(types)}."
        yield (*path, "Type"), (f'Invalid check type "{check.type}"', detail)
        return
    for name, value in (("Interval", check.interval), ("Timeout", check.timeout)):
        if value < SECOND:
            detail = f'Write {name.lower()} = "10s"; it is 1s or more.'
            yield (*path, name), (f"The check has no valid {name.lower()}", detail)
    if check.type == "http" and not check.path.startswith("/"):
        detail = 'Write path = "/…", relative to the service.'
        yield (*path, "Path"), ("An http check needs a path", detail)
    if check.type == "script" and not check.command:
        yield path, ("A script check needs a command", 'Write command = "…".')
    if check.type in _NEED_PORT and not (check.port_label or service.port_label):
        detail = "Give the check or its service a port."
        yield path, ("The check has no port", detail)
    yield from _check_limits(check, path)


def _check_limits(check: Check, path: Path) -> Iterator[Finding]:
    if check.initial_status not in ("", "passing", "warning", "critical"):
        detail = "Known are passing, warning, critical."
        yield (*path, "InitialStatus"), ("Invalid initial_status", detail)
    if len(check.notes) > _MAX_NOTES:
        yield (*path, "Notes"), ("The notes are too long", f"At most {_MAX_NOTES} characters.")
    if check.address_mode not in ("", "host", "driver", "alloc", "alloc_ipv6"):
        summary = f'Invalid address_mode "{check.address_mode}" of a check'
        yield (*path, "AddressMode"), (summary, "Known are host, driver, alloc, alloc_ipv6.")
    if check.on_update not in _ON_UPDATE:
        yield (*path, "OnUpdate"), (f'Invalid on_update "{check.on_update}"', "")
    yield from _check_restart(check, path)


def _check_restart(check: Check, path: Path) -> Iterator[Finding]:
    restart = check.check_restart
    if restart is None:
        return
    if check.on_update == "ignore_warnings" and not restart.ignore_warnings:
        detail = "Write ignore_warnings = true in the block too."
        yield path, ("check_restart together with on_update = ignore_warnings", detail)
    if restart.limit < 0 or restart.grace < 0:
        yield (*path, "CheckRestart"), ("Invalid check_restart", "limit and grace are 0 or more.")
    if check.on_update == "ignore":
        detail = 'Remove the block, or write on_update = "require_healthy".'
        yield path, ("check_restart together with on_update = ignore", detail)
