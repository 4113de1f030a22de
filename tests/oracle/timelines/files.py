"""The files of a recorded scenario: what was done, and what became of it. Times are seconds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

# Flags that take a value, where that is not joined to them.
_VALUED = ("deadline", "m", "meta", "s", "task", "group", "version", "batch-size", "batch-wait")


class CommandEntry(BaseModel):
    """One command, and when it was given."""

    started: float
    command: str
    exit_code: int | None = None


class ClusterEntry(BaseModel):
    """The nodes, and how soon a silent one is noticed."""

    nodes: tuple[str, ...]
    heartbeat_grace_s: float = 2
    min_heartbeat_ttl_s: float = 3


class ScenarioFile(BaseModel):
    """`scenario.json`."""

    duration_s: float
    cluster: ClusterEntry
    files: tuple[str, ...]
    jobs: tuple[str, ...]
    commands: tuple[CommandEntry, ...]


class EventEntry(BaseModel):
    """Something that happened to a task."""

    at: float
    type: str


class AllocChange(BaseModel):
    """What was new of an allocation at a moment; None: the same as before."""

    t: float
    desired: str | None = None
    desired_description: str | None = None
    client: str | None = None
    healthy: bool | None = None


class AllocEntry(BaseModel):
    """One allocation: its end, and how it came to it."""

    alloc: str
    job: str
    version: int
    node: str
    canary: bool = False
    desired: str
    desired_description: str = ""
    client: str
    healthy: bool | None = None
    previous: str | None = None
    history: tuple[AllocChange, ...]
    tasks: Mapping[str, tuple[EventEntry, ...]] = {}


class DeploymentChange(BaseModel):
    """What was new of a deployment at a moment."""

    t: float
    status: str | None = None
    description: str | None = None


class DeploymentGroupEntry(BaseModel):
    """How far a group had come at the end."""

    desired_total: int = 0
    desired_canaries: int = 0
    promoted: bool = False
    healthy: int = 0


class DeploymentEntry(BaseModel):
    """One deployment."""

    deployment: str
    job: str
    version: int
    status: str
    description: str
    groups: Mapping[str, DeploymentGroupEntry] = {}
    history: tuple[DeploymentChange, ...]


class EvaluationEntry(BaseModel):
    """One evaluation: what of a job found no room."""

    job: str
    deployment: str | None = None
    failed_groups: tuple[str, ...] = ()


class SummaryFile(BaseModel):
    """`summary.json`."""

    allocs: tuple[AllocEntry, ...]
    deployments: tuple[DeploymentEntry, ...]
    evals: tuple[EvaluationEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line, taken apart. `about` are its first two words, ``#`` for one on a process."""

    at: float
    text: str
    about: str
    args: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict[str, str])
    exit_code: int = 0


def commands(scenario: ScenarioFile) -> tuple[Command, ...]:
    """Return the commands in order."""
    return tuple(_command(entry) for entry in scenario.commands)


def _command(entry: CommandEntry) -> Command:
    if entry.command.startswith("#"):
        return Command(
            at=entry.started, text=entry.command, about="#", args=tuple(entry.command[1:].split())
        )
    words = iter(shlex.split(entry.command)[1:])
    plain: list[str] = []
    flags: dict[str, str] = {}
    for word in words:
        if not word.startswith("-"):
            plain.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        value = value if equals else next(words, "") if name in _VALUED else "true"
        flags[name] = f"{flags[name]} {value}" if name in flags else value
    return Command(
        at=entry.started,
        text=entry.command,
        about=" ".join(plain[:2]),
        args=tuple(plain[2:]),
        flags=flags,
        exit_code=entry.exit_code or 0,
    )


def read_scenario(folder: Path) -> ScenarioFile:
    """Read `scenario.json`."""
    return ScenarioFile.model_validate_json((folder / "scenario.json").read_text(encoding="utf-8"))


def read_summary(folder: Path) -> SummaryFile:
    """Read `summary.json`."""
    return SummaryFile.model_validate_json((folder / "summary.json").read_text(encoding="utf-8"))
