"""What a task driver is, and how one is found by name. Starts nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast, runtime_checkable

from executors.config_keys import near
from planner.errors import OrchError
from planner.job import Job

ENTRY_POINTS = "orch.drivers"


class ConfigError(OrchError):
    """A task's configuration can't be used; nothing was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What a driver needs of a task: its config, its variables, and where it lives on the host.

    `values` resolves ``${…}`` in the config: variables, and node.*, attr.* and meta.*.
    """

    name: str
    config: Mapping[str, object]
    env: Mapping[str, str]
    values: Mapping[str, str]
    task_dir: str
    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLaunch:
    """A command as the host will run it; `search` are directories looked in before PATH."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str
    search: tuple[str, ...] = ()
    user: str = ""


class Driver(Protocol):
    """Knows what a task's `config` may say."""

    @property
    def name(self) -> str:
        """The word that stands in the job's `driver`."""
        ...

    def validate(self, config: Mapping[str, object]) -> tuple[str, ...]:
        """Return what is wrong with a config, one sentence each."""
        ...


@runtime_checkable
class CommandDriver(Driver, Protocol):
    """A driver whose tasks are commands: the host's supervisor runs them."""

    def prepare(self, context: TaskContext) -> TaskLaunch:
        """Return the command of a task; `ConfigError` where its config can't be used."""
        ...


def find(name: str) -> Driver:
    """Return the driver called `name`: a built-in one, or one that is installed beside orch."""
    if (builtin := _BUILTIN.get(name)) is not None:
        return builtin()
    from importlib.metadata import entry_points

    points = entry_points(group=ENTRY_POINTS)
    for point in points:
        if point.name == name:
            return cast("Driver", point.load()())
    known = sorted({*_BUILTIN, *points.names})
    raise ConfigError(f"there is no driver {name!r}", f"{near(name, known)}known: {known}")


def find_command(name: str) -> CommandDriver:
    """Return the driver called `name`, whose tasks must be commands."""
    driver = find(name)
    if not isinstance(driver, CommandDriver):
        raise ConfigError(f"tasks of the driver {name!r} are not commands")
    return driver


def config_problems(job: Job) -> tuple[str, ...]:
    """Return what is wrong with the configs of a job's tasks, as far as their drivers are known."""
    return tuple(
        f'job "{job.id}", task "{task.name}": {problem}'
        for group in job.task_groups
        for task in group.tasks
        if task.driver in _BUILTIN
        for problem in find(task.driver).validate(task.config)
    )


def _raw_exec() -> Driver:
    from executors.raw_exec import RawExec

    return RawExec()


def _docker() -> Driver:
    from executors.containers.docker_driver import Docker

    return Docker()


_BUILTIN: Mapping[str, Callable[[], Driver]] = {"docker": _docker, "raw_exec": _raw_exec}
