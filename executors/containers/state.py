"""From what dockerd says of a container to the state of its task, in Nomad's words. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from executors.containers import normal
from planner.job import SECOND
from planner.observed import TaskEvent, TaskPhase, TaskState

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_ID = re.compile(r"[0-9a-f]{12,64}")
_UP = ("running", "paused")
_ON_FAILURE = "on-failure"
_HELD = (*_UP, "restarting")
_WHOLE = re.compile(r"-?\d{1,18}")
_FOR_EVER = ("unless-stopped", "always")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container as a probe saw it; `said` are all words of its line, by key."""

    id: str
    name: str
    said: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def status(self) -> str:
        """Docker's word: created, running, paused, restarting, exited, dead."""
        return self.said.get("status", "")

    @property
    def is_up(self) -> bool:
        """Whether it takes memory and ports at the moment, or is about to."""
        return self.status in _HELD

    @property
    def exit_code(self) -> int:
        """The exit code of its last end."""
        return _integer(self.said.get("exit", ""))

    @property
    def restarts(self) -> int:
        """How often dockerd has started it again."""
        return _integer(self.said.get("restarts", ""))

    @property
    def memory_mb(self) -> int:
        """Its memory limit; 0 where it has none."""
        return _integer(self.said.get("memory", "")) >> 20

    @property
    def ports(self) -> frozenset[int]:
        """Host ports that it publishes."""
        found = re.findall(r":(\d{1,5})->", normal.ports(self.said.get("ports", "")))
        return frozenset(map(int, found))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLook:
    """A task that is a container: its state, and what is wrong with the container, if anything.

    `missing` and `changed` say why it can't be kept; `unattended` says that it should run, does
    not, and that dockerd won't start it by itself.
    """

    state: TaskState
    missing: str = ""
    changed: str = ""
    unattended: bool = False


def container(said: Mapping[str, str]) -> Container | None:
    """Take the words of a probe's line, by key; None where they name no container."""
    found, name = said.get("id", ""), said.get("name", "").removeprefix("/")
    if not _ID.fullmatch(found) or not name:
        return None
    return Container(id=found, name=name, said=said)


def stranger_env(text: str) -> str:
    """The hash of a container's variables, from Docker's JSON."""
    try:
        env: Any = json.loads(text)
    except ValueError:
        return "?"
    return normal.env_hash(map(str, cast("list[object]", env or [])))


def look(
    recorded: TaskState,
    bound: Mapping[str, str],
    there: Container | None,
    strangers: Mapping[str, str],
) -> TaskLook:
    """Judge a task by its record, what it is bound to, and the container of its name.

    `strangers` are hashes of the variables of containers that took a bound one's name, by id.
    """
    if recorded.state is TaskPhase.DEAD:
        return TaskLook(state=_ended(recorded, there) if there else recorded)
    if there is None:
        gone = replace(recorded, state=TaskPhase.PENDING)
        return TaskLook(state=gone, missing="its container is gone")
    if there.id != bound.get("id"):
        seen = _seen(there) | {"env": strangers.get(there.id, "?")}
        differing = "; ".join(normal.changes(bound, seen))
        why = f"another container has its name{f': {differing}' if differing else ''}"
        return TaskLook(state=replace(recorded, state=TaskPhase.PENDING), changed=why)
    found = _alive(recorded, there) if there.is_up else _down(recorded, bound, there)
    if normal.is_same(bound, there.said):
        return found
    changed = "; ".join(normal.changes(bound, _seen(there)))
    return replace(found, changed=changed) if changed else found


def supervised_look(
    recorded: TaskState, bound: Mapping[str, str], there: Container | None, *, unattended: bool
) -> TaskLook:
    """Judge a task whose container a supervisor of ours starts and restarts: it tells the state."""
    if recorded.state is TaskPhase.DEAD:
        return TaskLook(state=recorded)
    if there is None or there.id != bound.get("id"):
        gone = replace(recorded, state=TaskPhase.PENDING)
        return TaskLook(state=gone, missing="its container is gone")
    same = normal.is_same(bound, there.said)
    changed = "" if same else "; ".join(normal.changes(bound, _seen(there)))
    return TaskLook(state=recorded, changed=changed, unattended=unattended)


def _seen(there: Container) -> dict[str, str]:
    return {**there.said, "ports": normal.ports(there.said.get("ports", ""))}


def _alive(recorded: TaskState, there: Container) -> TaskLook:
    started = nanoseconds(there.said.get("started", ""))
    restarts = there.restarts
    # Not by `replace`, which takes several times as long: there are tens of thousands of them.
    state = TaskState(
        state=TaskPhase.RUNNING if there.status in _UP else TaskPhase.PENDING,
        failed=recorded.failed,
        restarts=recorded.restarts + restarts,
        started_at=started or recorded.started_at,
        finished_at=recorded.finished_at,
        last_restart=recorded.last_restart,
        exit_code=recorded.exit_code,
        signal=recorded.signal,
        events=recorded.events,
    )
    if not restarts:
        return TaskLook(state=state)
    finished = nanoseconds(there.said.get("finished", ""))
    state = replace(state, last_restart=started, exit_code=there.exit_code)
    events = [*_terminated(there, finished), _restarting(finished)]
    if there.status in _UP:
        events.append(TaskEvent(time=started, type="Started", message="Task started by client"))
    return TaskLook(state=_with_events(state, events))


def _down(recorded: TaskState, bound: Mapping[str, str], there: Container) -> TaskLook:
    if there.status == "created" or not _is_over(there):
        state = replace(recorded, state=TaskPhase.PENDING, exit_code=there.exit_code)
        return TaskLook(state=state, unattended=True)
    ended = _ended(recorded, there)
    finished = nanoseconds(there.said.get("finished", ""))
    done = there.exit_code == 0 and bound.get("batch") == "1"
    failed = replace(ended, state=TaskPhase.DEAD, failed=not done, finished_at=finished)
    events = _terminated(there, finished)
    if not done:
        events.append(_given_up(there, finished))
    return TaskLook(state=_with_events(failed, events))


def _is_over(there: Container) -> bool:
    """Whether Docker's policy itself has left it down; if not, somebody has stopped it."""
    policy = there.said.get("policy", "no")
    if policy == _ON_FAILURE:
        most = _integer(there.said.get("retries", ""))
        return there.exit_code == 0 or (most > 0 and there.restarts >= most)
    return policy not in _FOR_EVER


def _ended(recorded: TaskState, there: Container) -> TaskState:
    return replace(recorded, exit_code=there.exit_code, restarts=recorded.restarts + there.restarts)


def _with_events(state: TaskState, events: Iterable[TaskEvent]) -> TaskState:
    return replace(state, events=tuple(sorted((*state.events, *events), key=lambda e: e.time)))


def _terminated(there: Container, time: int) -> list[TaskEvent]:
    code = there.exit_code
    killed = there.said.get("oom") == "true"
    details = {"exit_code": str(code), "signal": "0", "oom_killed": str(killed).lower()}
    if not code and not killed:
        return [TaskEvent(time=time, type="Terminated", message="Exit Code: 0", details=details)]
    words = f"Docker container exited with non-zero exit code: {code}"
    words = "OOM Killed" if killed else words
    message = f'Exit Code: {code}, Exit Message: "{words}"'
    details["exit_message"] = words
    return [TaskEvent(time=time, type="Terminated", message=message, details=details)]


def _restarting(time: int) -> TaskEvent:
    details = {"restart_reason": "Restart within policy", "start_delay": "0"}
    return TaskEvent(
        time=time + 1, type="Restarting", message="Task restarting in 0s", details=details
    )


def _given_up(there: Container, time: int) -> TaskEvent:
    most = _integer(there.said.get("retries", ""))
    why = f"Exceeded allowed attempts {most}" if most else "Policy allows no restarts"
    details = {"restart_reason": why, "fails_task": "true"}
    return TaskEvent(time=time + 1, type="Not Restarting", message=why, details=details)


def nanoseconds(text: str) -> int:
    """Docker's time as ns since the epoch; 0 for none, which it writes as the year 1."""
    found = _TIME.fullmatch(text.strip())
    if found is None or found[1].startswith("0001-"):
        return 0
    zone = "+00:00" if found[3] == "Z" else found[3]
    seconds = datetime.fromisoformat(f"{found[1]}{zone}").timestamp()
    return int(seconds) * SECOND + int((found[2] or "").ljust(9, "0"))


def _integer(text: str) -> int:
    return int(text) if _WHOLE.fullmatch(text) else 0
