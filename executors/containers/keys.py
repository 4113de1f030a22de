"""The keys of a docker task's `config`: their kinds, and which are refused. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from executors.config_keys import (
    FLAG,
    MAP,
    NUMBER,
    TABLES,
    TEXT,
    WORD_OR_WORDS,
    WORDS,
    Keys,
    Kind,
    key_problems,
    several,
    tables,
)

Config: TypeAlias = Mapping[str, object]

__all__ = ["flag", "mapping", "number", "problems", "table", "tables", "text", "texts", "word"]

HONOURED: Mapping[str, Kind] = {
    "image": TEXT,
    "args": WORDS,
    "auth": TABLES,
    "auth_soft_fail": FLAG,
    "cap_add": WORDS,
    "cap_drop": WORDS,
    "cgroupns": TEXT,
    "command": TEXT,
    "container_exists_attempts": NUMBER,
    "cpu_cfs_period": NUMBER,
    "cpu_hard_limit": FLAG,
    "cpuset_cpus": TEXT,
    "devices": TABLES,
    "dns_options": WORDS,
    "dns_search_domains": WORDS,
    "dns_servers": WORDS,
    "entrypoint": WORD_OR_WORDS,
    "extra_hosts": WORDS,
    "force_pull": FLAG,
    "group_add": WORDS,
    "healthchecks": TABLES,
    "hostname": TEXT,
    "image_pull_timeout": TEXT,
    "init": FLAG,
    "interactive": FLAG,
    "ipc_mode": TEXT,
    "ipv4_address": TEXT,
    "ipv6_address": TEXT,
    "labels": MAP,
    "logging": TABLES,
    "mac_address": TEXT,
    "memory_hard_limit": NUMBER,
    "mount": TABLES,
    "mounts": TABLES,
    "network_aliases": WORDS,
    "network_mode": TEXT,
    "oom_score_adj": NUMBER,
    "pid_mode": TEXT,
    "pids_limit": NUMBER,
    "port_map": MAP,
    "ports": WORDS,
    "privileged": FLAG,
    "readonly_rootfs": FLAG,
    "runtime": TEXT,
    "security_opt": WORDS,
    "shm_size": NUMBER,
    "storage_opt": MAP,
    "sysctl": MAP,
    "tty": FLAG,
    "ulimit": MAP,
    "userns_mode": TEXT,
    "uts_mode": TEXT,
    "volume_driver": TEXT,
    "volumes": WORDS,
    "work_dir": TEXT,
}

# Keys of the job language that orch does not honour, and why.
REFUSED: Mapping[str, str] = {
    "isolation": "it is for Windows only",
    "load": "images are pulled, or are on the host already",
}

_INNER: Mapping[str, Mapping[str, Kind]] = {
    "auth": {"username": TEXT, "password": TEXT, "email": TEXT, "server_address": TEXT},
    "devices": {"host_path": TEXT, "container_path": TEXT, "cgroup_permissions": TEXT},
    "healthchecks": {"disable": FLAG},
    "logging": {"type": TEXT, "driver": TEXT, "config": MAP},
    "mount": {
        "type": TEXT,
        "target": TEXT,
        "source": TEXT,
        "readonly": FLAG,
        "bind_options": TABLES,
        "tmpfs_options": TABLES,
        "volume_options": TABLES,
    },
    "bind_options": {"propagation": TEXT},
    "tmpfs_options": {"size": NUMBER, "mode": NUMBER},
    "volume_options": {"no_copy": FLAG, "labels": MAP, "driver_config": TABLES},
    "driver_config": {"name": TEXT, "options": MAP},
}
DOCKER = Keys(
    known=HONOURED,
    required=("image",),
    refused=REFUSED,
    inner=_INNER,
    same={"mounts": "mount"},
)


def problems(config: Config) -> Iterator[str]:
    """Yield what is wrong with a config, one sentence each."""
    return (p.text for p in key_problems(DOCKER, config))


# ── reading values ───────────────────────────────────────────────────────────────────────────────


def table(config: Config, key: str) -> Config:
    """The blocks of that name as one table; a later one's values win."""
    merged: dict[str, object] = {}
    for each in tables(config.get(key)):
        merged.update(each)
    return merged


def text(config: Config, key: str) -> str:
    """A string; empty where it is absent."""
    return word(config.get(key)) if config.get(key) is not None else ""


def texts(config: Config, key: str) -> list[str]:
    """A list of strings; a single one counts as a list."""
    value = config.get(key)
    return [] if value is None else [word(v) for v in several(value)]


def flag(config: Config, key: str, *, default: bool = False) -> bool:
    """Whether a flag is set."""
    value = config.get(key)
    return default if value is None else value in (True, "true")


def number(config: Config, key: str) -> int:
    """A whole number; 0 where it is absent."""
    value = config.get(key)
    return int(float(word(value))) if value not in (None, "") else 0


def mapping(config: Config, key: str) -> dict[str, str]:
    """A map of strings."""
    return {k: word(v) for k, v in table(config, key).items()}


def word(value: object) -> str:
    """A value as the job language writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
