"""Doubts about what only a node can know for sure: drivers, their configs, signals. Pure.

Nomad takes such jobs, and finds no node for them, or fails their tasks: so these are warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from executors.config_keys import Keys, key_problems
from executors.config_tables import EXEC, JAVA, QEMU, RAW_EXEC
from executors.containers.keys import DOCKER
from executors.driver import ConfigError, find
from gitops.diagnostics import did_you_mean
from planner.job import Job, Task

if TYPE_CHECKING:
    from gitops.jobspec.decode import Path

KEYS: Mapping[str, Keys] = {
    "docker": DOCKER,
    "raw_exec": RAW_EXEC,
    "exec": EXEC,
    "java": JAVA,
    "qemu": QEMU,
}


def config_doubts(job: Job) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Yield (path, (summary, detail)) for what tasks ask of drivers that these do not know."""
    for i, group in enumerate(job.task_groups):
        for k, task in enumerate(group.tasks):
            path: Path = ("TaskGroups", i, "Tasks", k)
            yield from _driver(task, path)
            yield from _config(task, path)
            yield from _signals(task, path)


def _driver(task: Task, path: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    if not task.driver:
        return
    try:
        find(task.driver)
    except ConfigError:
        known = task.driver in KEYS
        summary = f'No node runs the driver "{task.driver}"' + (" yet" if known else "")
        detail = "" if known else did_you_mean(task.driver, KEYS)
        yield (*path, "Driver"), (summary, detail or "The job can be planned; nothing is placed.")


def _config(task: Task, path: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    keys = KEYS.get(task.driver)
    for problem in key_problems(keys, task.config) if keys else ():
        summary = f"Config of {task.driver}: {problem.text.strip()}"
        yield (*path, "Config", *problem.path), (summary, "")


def _signals(task: Task, path: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    asked: list[tuple[Path, str]] = [(("KillSignal",), task.kill_signal)]
    for i, template in enumerate(task.templates):
        if template.change_mode == "signal":
            asked.append((("Templates", i, "ChangeSignal"), template.change_signal))
    if not any(name for _, name in asked):
        return
    from executors.facts import SIGNALS

    known = SIGNALS.split(",")
    for where, name in asked:
        if name and name not in known and f"SIG{name}" not in known:
            detail = did_you_mean(name, known) or "No node has it; nothing is placed."
            yield (*path, *where), (f'Unknown signal "{name}"', detail)
