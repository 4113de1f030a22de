"""Allocation records as hosts keep them: from printed lines to values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from executors.containers.state import Container, TaskLook, container, look, stranger_env
from planner.observed import ObservedAlloc, TaskEvent, TaskPhase, TaskState

_ID = re.compile(r"[0-9a-f-]{8,64}")
_INTEGER = re.compile(r"-?\d{1,19}")
_MAX_ALLOCS = 20_000
_MAX_TASKS = 100


class Life(StrEnum):
    """Whether what a task's record says is still so."""

    SUPERVISED = "supervised"
    # The task runs, but nobody would restart it: its supervisor was killed.
    UNSUPERVISED = "unsupervised"
    # The record says that it runs, or should, and nothing of it lives: the host went down.
    GONE = "gone"
    OVER = "over"
    # A container that dockerd sees to.
    CONTAINED = "contained"


_UNATTENDED = (Life.GONE, Life.UNSUPERVISED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAlloc:
    """One allocation record, with what only the host knows of it."""

    alloc: ObservedAlloc
    cluster: str = ""
    token: str = ""
    # no task can run any more, and what was reserved is free again
    released: bool = False
    lives: Mapping[str, Life] = field(default_factory=dict[str, Life])

    @property
    def needs_resume(self) -> bool:
        """Whether it should run and a supervisor is missing."""
        return self.alloc.unattended


@dataclass(slots=True)
class _Task:
    state: dict[str, str] = field(default_factory=dict[str, str])
    supervisor: bool = False
    process: bool = False
    # what a container was made with, where the task is one
    bound: dict[str, str] = field(default_factory=dict[str, str])
    events: list[TaskEvent] = field(default_factory=list[TaskEvent])


@dataclass(slots=True)
class _Alloc:
    id: str
    record: dict[str, str] = field(default_factory=dict[str, str])
    stop: bool = False
    released: bool = False
    tasks: dict[str, _Task] = field(default_factory=dict[str, _Task])


class AllocReader:
    """Collects printed records line by line; lines it doesn't know are left out."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._allocs: list[_Alloc] = []
        self._damaged: list[str] = []
        self._task: _Task | None = None
        self._containers: list[Container] = []
        self._strangers: dict[str, str] = {}
        # why nothing is known of containers; empty where dockerd has answered
        self._docker_down = "there is no docker program"

    @property
    def damaged(self) -> tuple[str, ...]:
        """Ids of allocations whose records can't be used."""
        return tuple(self._damaged)

    def read(self, words: list[str]) -> None:
        """Take the words of one line."""
        match words:
            case ["alloc", *rest]:
                self._begin(rest[0] if rest else "")
            case ["container", *rest]:
                self._contain(rest)
            case ["stranger", found, text]:
                self._strangers[found] = stranger_env(text)
            case ["docker", "up"]:
                self._docker_down = ""
            case ["docker", "down", why]:
                self._docker_down = why
            case _ if self._allocs:
                self._belonging(words, self._allocs[-1])
            case _:
                pass

    def _contain(self, words: list[str]) -> None:
        found = container(words)
        if found is not None and len(self._containers) < _MAX_ALLOCS:
            self._containers.append(found)

    @property
    def docker_down(self) -> str:
        """Why nothing is known of containers that should run; empty otherwise.

        Ask before `finished`.
        """
        live = (t for a in self._allocs if not a.released for t in a.tasks.values())
        return self._docker_down if any(t.bound for t in live) else ""

    def foreign_containers(self) -> tuple[Container, ...]:
        """Containers that are up and that no record is bound to. Ask before `finished`."""
        tasks = (t for a in self._allocs for t in a.tasks.values())
        known = {t.bound.get("id") for t in tasks}
        return tuple(c for c in self._containers if c.is_up and c.id not in known)

    def _begin(self, alloc_id: str) -> None:
        self._task = None
        if _ID.fullmatch(alloc_id) and len(self._allocs) < _MAX_ALLOCS:
            self._allocs.append(_Alloc(alloc_id))
        else:
            self._damaged.append(alloc_id[:64])
            self._allocs.append(_Alloc(""))

    def _belonging(self, words: list[str], alloc: _Alloc) -> None:
        match words:
            case ["record", text]:
                key, _, value = text.partition("=")
                alloc.record[key] = value
            case ["stop"]:
                alloc.stop = True
            case ["released"]:
                alloc.released = True
            case ["task", name] if len(alloc.tasks) < _MAX_TASKS:
                self._task = alloc.tasks.setdefault(name, _Task())
            case _ if self._task is not None:
                _task_line(words, self._task)
            case _:
                pass

    def finished(self) -> tuple[HostAlloc, ...]:
        """All records that make sense."""
        found: list[HostAlloc] = []
        for alloc in self._allocs:
            if not alloc.id:
                continue
            try:
                found.append(self._judged(alloc))
            except (KeyError, ValueError):
                self._damaged.append(alloc.id)
        self._allocs = []
        return tuple(found)

    def _judged(self, alloc: _Alloc) -> HostAlloc:
        found = _host_alloc(alloc, self._node)
        bound = {n: t.bound for n, t in alloc.tasks.items() if t.bound}
        if not bound or self._docker_down:
            return found
        by_name = {c.name: c for c in self._containers}
        looks = {
            name: look(found.alloc.tasks[name], b, by_name.get(b.get("name", "")), self._strangers)
            for name, b in bound.items()
        }
        return replace(found, alloc=_with_looks(found.alloc, looks, stopped=alloc.stop))


def _with_looks(
    alloc: ObservedAlloc, looks: Mapping[str, TaskLook], *, stopped: bool
) -> ObservedAlloc:
    """The allocation as dockerd has its containers; of one that was stopped only what runs."""
    tasks = {**alloc.tasks, **{name: found.state for name, found in looks.items()}}
    if stopped:
        return replace(alloc, tasks=tasks)
    return replace(
        alloc,
        tasks=tasks,
        unattended=alloc.unattended or any(x.unattended for x in looks.values()),
        missing=_told({n: x.missing for n, x in looks.items()}),
        changed=_told({n: x.changed for n, x in looks.items()}),
    )


def _told(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"task {name}: {why}" for name, why in sorted(reasons.items()) if why)


def _task_line(words: list[str], task: _Task) -> None:
    match words:
        case ["state", text]:
            key, _, value = text.partition("=")
            task.state[key] = value
        case ["bound", text]:
            key, _, value = text.partition("=")
            task.bound[key] = value
        case ["live", supervisor, process]:
            task.supervisor, task.process = supervisor == "1", process == "1"
        case ["event", time, kind, message, *details]:
            pairs = dict(d.split("=", 1) for d in details if "=" in d)
            if _INTEGER.fullmatch(time):
                task.events.append(
                    TaskEvent(time=int(time), type=kind, message=message, details=pairs)
                )
        case _:
            pass


def _host_alloc(alloc: _Alloc, node: str) -> HostAlloc:
    record = alloc.record
    lives = {n: _life(t, stopped=alloc.released) for n, t in alloc.tasks.items()}
    observed = ObservedAlloc(
        id=alloc.id,
        node=node,
        name=record["name"],
        namespace=record["namespace"],
        job_id=record["job"],
        group=record["group"],
        desired="stop" if alloc.stop else "run",
        index=_integer(record["index"]),
        version=_integer(record["version"]),
        ports={k[5:]: _integer(v) for k, v in record.items() if k.startswith("port.")},
        cpu=_integer(record["cpu"]),
        memory_mb=_integer(record["memory"]),
        disk_mb=_integer(record["disk"]),
        spec=record.get("spec", ""),
        created=_integer(record.get("created", "0")),
        tasks={n: _task_state(t, lives[n]) for n, t in alloc.tasks.items()},
        unattended=not alloc.stop and any(life in _UNATTENDED for life in lives.values()),
    )
    return HostAlloc(
        alloc=observed,
        cluster=record["cluster"],
        token=record.get("token", ""),
        released=alloc.released,
        lives=lives,
    )


def _life(task: _Task, *, stopped: bool) -> Life:
    if stopped or task.state.get("state") == "dead":
        return Life.OVER
    if task.bound:
        return Life.CONTAINED
    if task.supervisor:
        return Life.SUPERVISED
    return Life.UNSUPERVISED if task.process else Life.GONE


def _task_state(task: _Task, life: Life) -> TaskState:
    said = task.state
    state = TaskState(
        state=TaskPhase(said.get("state", "pending")),
        failed=said.get("failed") == "1",
        restarts=_integer(said.get("restarts", "0")),
        started_at=_integer(said.get("started", "0")),
        finished_at=_integer(said.get("finished", "0")),
        last_restart=_integer(said.get("last_restart", "0")),
        exit_code=_integer(said["exit_code"]) if said.get("exit_code") else None,
        signal=_integer(said.get("signal", "0")),
        events=tuple(task.events),
    )
    # What the record calls running is dead where nothing of it lives.
    gone = life is Life.GONE and state.state is TaskPhase.RUNNING
    return replace(state, state=TaskPhase.DEAD) if gone else state


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)
