"""Allocation records as hosts keep them: from printed lines to values. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from sys import intern

from executors.compact import Events, compact, ports_of
from executors.containers.made import is_supervised
from executors.containers.state import Container, TaskLook, look, stranger_env, supervised_look
from executors.containers.state import container as container_of
from planner.observed import ObservedAlloc, TaskPhase, TaskState

_ID = re.compile(r"[0-9a-f-]{8,64}")
_INTEGER = re.compile(r"-?\d{1,19}")
_TIME = re.compile(r"[0-9]{1,19}")
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


_PHASES = {phase.value: phase for phase in TaskPhase}
_UNATTENDED = (Life.GONE, Life.UNSUPERVISED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAlloc:
    """One allocation record, with what only the host knows of it."""

    alloc: ObservedAlloc
    cluster: str = ""
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
    events: list[list[str]] = field(default_factory=list[list[str]])


@dataclass(slots=True)
class _Alloc:
    id: str
    record: dict[str, str] = field(default_factory=dict[str, str])
    stop: bool = False
    released: bool = False
    # what holds the network of its containers, where something does
    network: dict[str, str] = field(default_factory=dict[str, str])
    tasks: dict[str, _Task] = field(default_factory=dict[str, _Task])


class AllocReader:
    """Collects printed records line by line; lines it doesn't know are left out."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._allocs: list[_Alloc] = []
        self._damaged: list[str] = []
        self._task: _Task | None = None
        self._containers: list[Container] = []
        self._by_name: dict[str, Container] = {}
        self._strangers: dict[str, str] = {}
        # why nothing is known of containers; empty where dockerd has answered
        self._docker_down = "there is no docker program"

    @property
    def damaged(self) -> tuple[str, ...]:
        """Ids of allocations whose records can't be used."""
        return tuple(self._damaged)

    def read(self, words: list[str]) -> None:
        """Take the words of one line."""
        take = _LINES.get(words[0])
        if take is not None:
            take(self, words)

    def docker(self, words: list[str]) -> None:
        """Whether dockerd has answered."""
        match words:
            case ["docker", "up"]:
                self._docker_down = ""
            case ["docker", "down", why]:
                self._docker_down = why
            case _:
                pass

    def stranger(self, words: list[str]) -> None:
        """The variables of a container that has another one's name."""
        match words:
            case [_, found, text]:
                self._strangers[found] = stranger_env(text)
            case _:
                pass

    def container(self, words: list[str]) -> None:
        """A container, of whomever."""
        found = container_of(pairs(words))
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
        known = self._bound_ids()
        return tuple(c for c in self._containers if c.is_up and c.id not in known)

    def idle_containers(self) -> tuple[Container, ...]:
        """Containers that are not up and that no record is bound to. Ask before `finished`."""
        known = self._bound_ids()
        return tuple(c for c in self._containers if not c.is_up and c.id not in known)

    def _bound_ids(self) -> set[str | None]:
        known = {t.bound.get("id") for a in self._allocs for t in a.tasks.values()}
        return known | {a.network.get("id") for a in self._allocs}

    def alloc(self, words: list[str]) -> None:
        """An allocation's record begins: what follows belongs to it."""
        alloc_id = words[1] if len(words) > 1 else ""
        self._task = None
        if _ID.fullmatch(alloc_id) and len(self._allocs) < _MAX_ALLOCS:
            self._allocs.append(_Alloc(alloc_id))
        else:
            self._damaged.append(alloc_id[:64])
            self._allocs.append(_Alloc(""))

    def record(self, words: list[str]) -> None:
        """What was reserved for it, and for which job."""
        if self._allocs:
            self._allocs[-1].record |= pairs(words)

    def network(self, words: list[str]) -> None:
        """What holds the network of its containers."""
        if self._allocs:
            self._allocs[-1].network |= pairs(words)

    def stop(self, _: list[str]) -> None:
        """It has been stopped."""
        if self._allocs:
            self._allocs[-1].stop = True

    def released(self, _: list[str]) -> None:
        """What was reserved for it is free again."""
        if self._allocs:
            self._allocs[-1].released = True

    def task(self, words: list[str]) -> None:
        """One of its tasks begins: what follows belongs to that."""
        if len(words) == 2 and self._allocs and len(self._allocs[-1].tasks) < _MAX_TASKS:  # noqa: PLR2004
            self._task = self._allocs[-1].tasks.setdefault(words[1], _Task())

    def event(self, words: list[str]) -> None:
        """An event of the task."""
        if self._task is not None and len(words) > 3 and _TIME.fullmatch(words[1]):  # noqa: PLR2004
            self._task.events.append(words)

    def state(self, words: list[str]) -> None:
        """The task's state."""
        if self._task is not None:
            self._task.state |= pairs(words)

    def bound(self, words: list[str]) -> None:
        """What the task's container was made with."""
        if self._task is not None:
            self._task.bound |= pairs(words)

    def live(self, words: list[str]) -> None:
        """Whether its supervisor and its process live."""
        if self._task is not None and len(words) == 3:  # noqa: PLR2004
            self._task.supervisor, self._task.process = words[1] == "1", words[2] == "1"

    def finished(self) -> tuple[HostAlloc, ...]:
        """All records that make sense."""
        self._by_name = {c.name: c for c in self._containers}
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
        lives = {n: _life(t, stopped=alloc.released) for n, t in alloc.tasks.items()}
        looks = {n: self._look(t, lives[n]) for n, t in alloc.tasks.items()}
        return HostAlloc(
            alloc=self._observed(alloc, looks),
            cluster=alloc.record["cluster"],
            released=alloc.released,
            lives=lives,
        )

    def _look(self, task: _Task, life: Life) -> TaskLook:
        """One task: by its record, and by dockerd where it is a container and dockerd answers."""
        state = _task_state(task, life)
        if task.bound and not self._docker_down:
            there = self._by_name.get(task.bound.get("name", ""))
            if is_supervised(task.bound):
                lost = life in _UNATTENDED
                return supervised_look(state, task.bound, there, unattended=lost)
            return look(state, task.bound, there, self._strangers)
        return TaskLook(state=state, unattended=life in _UNATTENDED)

    def _observed(self, alloc: _Alloc, looks: Mapping[str, TaskLook]) -> ObservedAlloc:
        """The allocation as its host and dockerd have it; what was stopped lacks nothing."""
        record = alloc.record
        wrong = {n: x for n, x in looks.items() if x.missing or x.changed or x.unattended}
        if alloc.stop:
            wrong = {}
        missing = _told((n, x.missing) for n, x in wrong.items()) if wrong else ""
        if not missing and alloc.network and self._has_lost_network(alloc):
            missing = "its network is gone"
        return ObservedAlloc(
            id=alloc.id,
            node=self._node,
            name=record["name"],
            namespace=intern(record["namespace"]),
            job_id=intern(record["job"]),
            group=intern(record["group"]),
            desired="stop" if alloc.stop else "run",
            index=_small(record["index"]),
            version=_small(record["version"]),
            ports=ports_of(
                [(intern(k[5:]), _small(v)) for k, v in record.items() if k[:5] == "port."]
            ),
            cpu=_small(record["cpu"]),
            memory_mb=_small(record["memory"]),
            disk_mb=_small(record["disk"]),
            spec=intern(record.get("spec", "")),
            created=_integer(record.get("created", "0")),
            tasks=compact({intern(n): x.state for n, x in looks.items()}),
            unattended=any(x.unattended for x in wrong.values()) if wrong else False,
            unreleased=alloc.stop and not alloc.released,
            missing=missing,
            changed=_told((n, x.changed) for n, x in wrong.items()) if wrong else "",
        )

    def _has_lost_network(self, alloc: _Alloc) -> bool:
        if alloc.stop or alloc.released or self._docker_down:
            return False
        there = self._by_name.get(alloc.network.get("name", ""))
        return there is None or not there.is_up or there.id != alloc.network.get("id")


def _told(reasons: Iterable[tuple[str, str]]) -> str:
    return "; ".join([f"task {name}: {why}" for name, why in sorted(reasons) if why])


def pairs(words: list[str]) -> dict[str, str]:
    """The pairs of a line: after its first word come keys and values in turn."""
    return dict(zip(words[1::2], words[2::2]))  # noqa: B905 - a keyword costs as much again


# Of a record's many lines rather few tests each.
_LINES: dict[str, Callable[[AllocReader, list[str]], None]] = {
    "alloc": AllocReader.alloc,
    "record": AllocReader.record,
    "network": AllocReader.network,
    "stop": AllocReader.stop,
    "released": AllocReader.released,
    "task": AllocReader.task,
    "event": AllocReader.event,
    "state": AllocReader.state,
    "bound": AllocReader.bound,
    "live": AllocReader.live,
    "container": AllocReader.container,
    "docker": AllocReader.docker,
    "stranger": AllocReader.stranger,
}


def _life(task: _Task, *, stopped: bool) -> Life:
    if stopped or task.state.get("state") == "dead":
        return Life.OVER
    if task.bound and not is_supervised(task.bound):
        return Life.CONTAINED
    if task.supervisor:
        return Life.SUPERVISED
    if task.bound:
        return Life.UNSUPERVISED
    return Life.UNSUPERVISED if task.process else Life.GONE


def _task_state(task: _Task, life: Life) -> TaskState:
    said = task.state.get
    phase = _PHASES[said("state", "pending")]
    # What the record calls running is dead where nothing of it lives.
    gone = life is Life.GONE and phase is TaskPhase.RUNNING
    exit_code = said("exit_code")
    return TaskState(
        state=TaskPhase.DEAD if gone else phase,
        failed=said("failed") == "1",
        restarts=_small(said("restarts", "0")),
        started_at=_integer(said("started", "0")),
        finished_at=_integer(said("finished", "0")),
        last_restart=_integer(said("last_restart", "0")),
        exit_code=_small(exit_code) if exit_code else None,
        signal=_small(said("signal", "0")),
        events=Events.of(task.events) if task.events else (),
    )


@lru_cache(maxsize=16_384)
def _small(text: str) -> int:
    """A number that many allocations share: one and the same object for all of them."""
    return _integer(text)


def _integer(text: str) -> int:
    if text.isdecimal() and text.isascii() and len(text) < 19:  # noqa: PLR2004
        return int(text)
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)
