"""The keys of the `config` of drivers whose tasks are commands, and of virtual machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from executors.config_keys import (
    FLAG,
    MAP,
    NUMBER,
    TEXT,
    WORDS,
    Config,
    KeyProblem,
    Keys,
    Kind,
)

_ISOLATED: Mapping[str, Kind] = {
    "args": WORDS,
    "work_dir": TEXT,
    "pid_mode": TEXT,
    "ipc_mode": TEXT,
    "cap_add": WORDS,
    "cap_drop": WORDS,
}


def _modes(config: Config) -> Iterator[KeyProblem]:
    for name in ("pid_mode", "ipc_mode"):
        if config.get(name) not in (None, "", "private", "host"):
            yield KeyProblem((name,), f'the argument "{name}" is "private" or "host"')


def _java(config: Config) -> Iterator[KeyProblem]:
    if not config.get("jar_path") and not config.get("class"):
        yield KeyProblem((), 'either "jar_path" or "class" is required')
    yield from _modes(config)


def _absolute(config: Config) -> Iterator[KeyProblem]:
    work_dir = config.get("work_dir")
    if isinstance(work_dir, str) and not (work_dir or "/").startswith(("/", "${")):
        yield KeyProblem(("work_dir",), 'the argument "work_dir" must be an absolute path')


RAW_EXEC = Keys(
    known={
        "command": TEXT,
        "args": WORDS,
        "work_dir": TEXT,
        "cgroup_v2_override": TEXT,
        "cgroup_v1_override": MAP,
        "oom_score_adj": NUMBER,
        "denied_envvars": WORDS,
    },
    required=("command",),
    rule=_absolute,
)

EXEC = Keys(known={"command": TEXT, **_ISOLATED}, required=("command",), rule=_modes)

JAVA = Keys(
    known={
        "class": TEXT,
        "class_path": TEXT,
        "jar_path": TEXT,
        "jvm_options": WORDS,
        **_ISOLATED,
    },
    rule=_java,
)

QEMU = Keys(
    known={
        "image_path": TEXT,
        "emulator": TEXT,
        "machine_type": TEXT,
        "drive_interface": TEXT,
        "accelerator": TEXT,
        "graceful_shutdown": FLAG,
        "guest_agent": FLAG,
        "args": WORDS,
        "port_map": MAP,
    },
    required=("image_path",),
)
