"""Rules of what few tasks have: devices, NUMA, vault, plugins for CSI, actions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from gitops.jobspec.decode import Path
from planner.job import Resources, Task

Finding = tuple[Path, tuple[str, str]]


def special_findings(task: Task, path: Path) -> Iterator[Finding]:
    """Yield (path, (summary, detail)) for what is wrong with a task's rarer blocks."""
    yield from _devices(task.resources, (*path, "Resources"))
    yield from _vault(task.vault, (*path, "Vault"))
    yield from _plugin(task.csi_plugin_config, (*path, "_csi"))
    for i, action in enumerate(task.actions):
        if not action.name or not action.command:
            where = (*path, "Actions", i)
            yield where, ("An action needs a name and a command", 'Write command = "…".')


def _devices(resources: Resources, path: Path) -> Iterator[Finding]:
    names: list[str] = []
    for i, device in enumerate(resources.devices):
        where = (*path, "Devices", i)
        name, count = str(device.get("Name") or ""), device.get("Count")
        names.append(name)
        if not name:
            yield where, ("The device has no name", 'Write device "vendor/type/model" { … }.')
        if not isinstance(count, int) or count < 1:
            yield (*where, "Count"), (f"Invalid count {count}", "It is 1 or more.")
        for c in cast("list[Mapping[str, object]]", device.get("Constraints") or []):
            if str(c.get("Operand")).startswith("distinct_"):
                summary = f"{c.get('Operand')} in a device"
                yield (*where, "Constraints"), (summary, "It applies to a group or a job.")
    yield from _numa(resources.numa, names, (*path, "NUMA"))


def _numa(numa: Mapping[str, object], devices: list[str], path: Path) -> Iterator[Finding]:
    if not numa:
        return
    affinity = str(numa.get("Affinity") or "none")
    if affinity not in ("none", "prefer", "require"):
        detail = "Known are none, prefer, require."
        yield (*path, "Affinity"), (f'Invalid NUMA affinity "{affinity}"', detail)
    for name in cast("list[str]", numa.get("Devices") or []):
        if name not in devices:
            detail = "It names a device block of the task."
            yield (*path, "Devices"), (f'There is no device "{name}"', detail)


def _vault(vault: Mapping[str, object], path: Path) -> Iterator[Finding]:
    mode = str(vault.get("ChangeMode") or "restart")
    if mode not in ("noop", "restart", "signal"):
        detail = "Known are noop, restart, signal."
        yield (*path, "ChangeMode"), (f'Invalid change_mode "{mode}"', detail)


def _plugin(plugin: Mapping[str, object], path: Path) -> Iterator[Finding]:
    if not plugin:
        return
    if not plugin.get("ID"):
        yield path, ("The plugin has no id", 'Write id = "name".')
    kind = str(plugin.get("Type") or "")
    if kind not in ("node", "controller", "monolith"):
        detail = "Known are node, controller, monolith."
        yield (*path, "Type"), (f'Invalid plugin type "{kind}"', detail)
