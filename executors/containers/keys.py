"""The keys of a docker task's `config`: their kinds, and which are refused. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from executors.driver import near

Config = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a key's value must be, in words, and the test for it."""

    words: str
    fits: Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or value in ("true", "false")


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return value.lstrip("-").isdigit() or "${" in value
    return isinstance(value, int | float) and value == int(value)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_words(value: object) -> bool:
    return _is_list(value) and all(map(_is_scalar, cast("Sequence[object]", value)))


def _is_map(value: object) -> bool:
    return _is_tables(value) and all(_is_scalar(v) for t in tables(value) for v in t.values())


def _is_tables(value: object) -> bool:
    return all(isinstance(t, Mapping) for t in _raw(value))


def _raw(value: object) -> Sequence[object]:
    return cast("Sequence[object]", value) if _is_list(value) else (value,)


TEXT = Kind("a string", _is_text)
FLAG = Kind("true or false", _is_flag)
NUMBER = Kind("a whole number", _is_number)
WORDS = Kind("a list of strings", _is_words)
WORD_OR_WORDS = Kind("a list of strings", lambda v: _is_text(v) or _is_words(v))
MAP = Kind("a map of strings", _is_map)
TABLES = Kind("a block", _is_tables)

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
_SAME = {"mounts": "mount"}


def problems(config: Config) -> Iterator[str]:
    """Yield what is wrong with a config, one sentence each."""
    if not config.get("image"):
        yield 'the argument "image" is required'
    yield from _problems(config, HONOURED, "")


def _problems(config: Config, known: Mapping[str, Kind], inside: str) -> Iterator[str]:
    where = f' in "{inside}"' if inside else ""
    for key, value in config.items():
        kind = known.get(key)
        if kind is None:
            yield _unknown(key, known) + where
        elif value is not None and not kind.fits(value):
            yield f'the argument "{key}"{where} is {kind.words}'
        else:
            inner = _INNER.get(_SAME.get(key, key)) if kind is TABLES else None
            for table in tables(value) if inner else ():
                yield from _problems(table, inner or {}, key)


def _unknown(key: str, known: Mapping[str, Kind]) -> str:
    if known is HONOURED and key in REFUSED:
        return f'the argument "{key}" is not honoured: {REFUSED[key]}'
    return f'no argument is named "{key}" {near(key, list(known))}'.rstrip()


# ── reading values ───────────────────────────────────────────────────────────────────────────────


def tables(value: object) -> tuple[Config, ...]:
    """A block, or several, as tables; nothing where it is absent."""
    if value is None:
        return ()
    return tuple(cast("Config", t) for t in _raw(value) if isinstance(t, Mapping))


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
    return [] if value is None else [word(v) for v in _raw(value)]


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
