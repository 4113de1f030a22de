"""The files that a host keeps of an allocation: record, policies, commands. Pure.

Everything goes to the host on stdin, as one bundle; nothing of it is ever an argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from shlex import quote

from executors.driver import TaskLaunch
from executors.facts import SIGNALS
from planner.durations import duration
from planner.errors import OrchError
from planner.job import SECOND, LogConfig, RestartPolicy

_MS = 1_000_000
_MIB = 1024 * 1024
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = {"", ".", "..", "alloc"}
# Variables whose change would upset the shell that becomes the task; env(1) sets them instead.
_SHELL_OWN = {"IFS", "PS4", "ENV", "PPID", "OPTIND", "LINENO"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAME_LIMIT = 200


class BadNameError(OrchError):
    """A name from a job can't be the name of a file on a host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPolicy:
    """How a supervisor treats its task; times in ns. `batch` tasks are done when they exit 0.

    `waits` says that others of the group come before it: its hook says which. `group_delay` is
    waited for once, before any task of the group is told to end.
    """

    restart: RestartPolicy = field(default_factory=RestartPolicy)
    batch: bool = False
    leader: bool = False
    hook: str = ""
    sidecar: bool = False
    waits: bool = False
    kill_timeout: int = 5 * SECOND
    kill_signal: str = ""
    group_delay: int = 0
    shutdown_delay: int = 0
    logs: LogConfig = field(default_factory=LogConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a host is told about an allocation, apart from its tasks; MHz and MB."""

    alloc_id: str
    cluster: str
    token: str
    job_id: str
    namespace: str = "default"
    group: str
    name: str
    version: int = 0
    index: int = 0
    created: int = 0
    cpu: int = 0
    memory_mb: int = 0
    disk_mb: int = 0
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    # the hash of what forces a new allocation, see `planner.fingerprint`
    spec: str = ""

    def text(self) -> str:
        """The record's file: a `key=value` line each."""
        pairs: dict[str, object] = {
            "cluster": self.cluster,
            "token": self.token,
            "job": self.job_id,
            "namespace": self.namespace,
            "group": self.group,
            "name": self.name,
            "version": self.version,
            "index": self.index,
            "created": self.created,
            "cpu": self.cpu,
            "memory": self.memory_mb,
            "disk": self.disk_mb,
            "spec": self.spec,
            **{f"port.{label}": number for label, number in self.ports.items()},
        }
        return _pairs(pairs)


def task_dir_name(task: str) -> str:
    """The task's name, if it can be a directory's; `OrchError` otherwise."""
    bad = task in _RESERVED or "/" in task or _CONTROL.search(task) or task.startswith(".")
    if bad or len(task.encode()) > _NAME_LIMIT:
        raise BadNameError(
            f"the task name {task[:60]!r} can't be a directory's name on a host",
            "use letters, digits, - and _",
        )
    return task


def policy_text(policy: TaskPolicy) -> str:
    """A task's policy file, times in ms."""
    signal = signal_word(policy.kill_signal or "SIGINT")
    restart = policy.restart
    return _pairs(
        {
            "attempts": restart.attempts,
            "interval": restart.interval // _MS,
            "interval_text": duration(restart.interval),
            "delay": restart.delay // _MS,
            "mode": restart.mode,
            "batch": int(policy.batch),
            "leader": int(policy.leader),
            "hook": policy.hook,
            "sidecar": int(policy.sidecar),
            "waits": int(policy.waits),
            "kill_timeout": policy.kill_timeout // _MS,
            "kill_timeout_text": duration(policy.kill_timeout),
            "kill_signal": signal,
            "group_delay": policy.group_delay // _MS,
            "shutdown_delay": policy.shutdown_delay // _MS,
            "shutdown_delay_text": duration(policy.shutdown_delay),
            "log_size": policy.logs.max_file_size_mb * _MIB,
            "log_files": policy.logs.max_files,
            "log_off": int(policy.logs.disabled),
        }
    )


def container_text(bound: Mapping[str, str]) -> str:
    """The file that ties a task to its container: a `key=value` line each."""
    return _pairs(bound)


def signal_word(name: str) -> str:
    """A signal as kill(1) takes it, without SIG; `OrchError` where there is none of that name."""
    signal = name.upper().removeprefix("SIG")
    if f"SIG{signal}" not in SIGNALS.split(","):
        raise OrchError(f"there is no signal {name!r}", f"known: {SIGNALS.replace(',', ', ')}")
    return signal


def run_text(launch: TaskLaunch) -> str:
    """The file that becomes the task: functions that set its variables, find and run its command.

    A name that no shell can export is set by env(1), which shows it in the process list for an
    instant.
    """
    plain = {k: v for k, v in launch.env.items() if _exportable(k)}
    odd = [f"{k}={v}" for k, v in launch.env.items() if k and not _exportable(k)]
    command, *args = launch.argv
    words = [*(["env", *odd] if odd else []), '"$orch_command"', *args]
    exec_line = " ".join(w if w == '"$orch_command"' else quote(w) for w in words)
    exports = [f"export {k}={quote(_sound(v))}" for k, v in plain.items()]
    return "\n".join(
        [
            "task_env() {",
            "    :",
            *exports,
            "}",
            "task_check() {",
            f"    cd {quote(launch.cwd)} 2>/dev/null || {{",
            f"        {_say(f'directory {launch.cwd} could not be entered')}; return 1; }}",
            *_user_check(launch.user),
            *_search(_sound(command), launch.search),
            "}",
            "task_exec() {",
            "    task_check >/dev/null",
            f"    exec {_as_user(launch.user)}{exec_line}",
            "}",
            "",
        ]
    )


def bundle(files: Mapping[str, str]) -> bytes:
    """Files by relative path as the host takes them apart: a header of sizes, then contents."""
    contents = {path: text.encode("utf-8", "surrogateescape") for path, text in files.items()}
    sizes = "".join(f"{len(data)} {path}\n" for path, data in contents.items()).encode()
    # The first line says where contents begin, itself included.
    first = f"{len(contents)} "
    offset = len(sizes) + len(first) + 1
    length = len(str(offset + len(str(offset)) + 1))
    header = f"{first}{offset + length}\n".encode()
    return header + sizes + b"".join(contents.values())


def _pairs(pairs: Mapping[str, object]) -> str:
    for key, value in pairs.items():
        if _CONTROL.search(f"{key}{value}") or "=" in key:
            raise BadNameError(f"{key[:40]!r} = {str(value)[:60]!r} holds a control character")
    return "".join(f"{k}={v}\n" for k, v in pairs.items())


def _exportable(name: str) -> bool:
    return bool(_SHELL_NAME.fullmatch(name)) and name not in _SHELL_OWN


def _sound(value: str) -> str:
    if "\x00" in value:
        raise OrchError("a variable or an argument of a task holds a NUL byte")
    return value


def _search(command: str, folders: tuple[str, ...]) -> list[str]:
    """Lines that set $orch_command to the file that `command` names, or say that there is none."""
    missing = _say(f'binary "{command}" could not be found')
    absolute = command.startswith("/")
    tries = [command] if absolute else [f"{folder}/{command}" for folder in folders]
    lines = [f"    orch_command={quote(command)}"]
    for path in tries:
        file = quote(path)
        mark = "" if absolute else f"[ -x {file} ] || chmod +x {file}; "
        lines.append(f"    if [ -f {file} ]; then {mark}orch_command={file}; return 0; fi")
    if "/" not in command:
        lines.append(f"    command -v {quote(command)} >/dev/null 2>&1 && return 0")
    return [*lines, f"    {missing}", "    return 1"]


def _say(text: str) -> str:
    return f"printf '%s\\n' {quote(text)}"


def _user_check(user: str) -> list[str]:
    if not user:
        return []
    name = quote(user)
    unknown = _say(f"unknown user {user}")
    missing = _say("running as another user needs setpriv (package util-linux)")
    return [
        f"    id -u {name} >/dev/null 2>&1 || {{ {unknown}; return 1; }}",
        # busybox has one that can't do it, and its shell takes that before any other
        "    for orch_setpriv in setpriv /usr/bin/setpriv /bin/setpriv ''; do",
        '        "$orch_setpriv" --help 2>&1 | grep -q -e --reuid && break',
        "    done",
        f'    [ -n "$orch_setpriv" ] || {{ {missing}; return 1; }}',
    ]


def _as_user(user: str) -> str:
    if not user:
        return ""
    name = quote(user)
    ids = f'--reuid "$(id -u {name})" --regid "$(id -g {name})"'
    return f'"$orch_setpriv" {ids} --init-groups -- '
