"""What a container sees of its host's files: own directories, volumes and mounts. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from executors.containers import keys
from executors.containers.keys import Config
from executors.driver import ConfigError

_TYPES = ("bind", "tmpfs", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where an allocation and one of its tasks live on the host: absolute paths."""

    alloc_root: str
    task_dir: str


def binds(storage: Storage, config: Config) -> list[str]:
    """What is mounted from the host by path: the allocation's directories, then `volumes`.

    Sources that are not there are made, as directories. A mount of something of the allocation's
    own is among them: its directories are made after the container.
    """
    own = [
        f"{storage.alloc_root}/alloc:/alloc",
        f"{storage.task_dir}/local:/local",
        f"{storage.task_dir}/secrets:/secrets",
    ]
    named = bool(keys.text(config, "volume_driver"))
    volumes = [_volume(storage, v, named=named) for v in keys.texts(config, "volumes")]
    inner = [_inner_bind(storage, m) for m in _all_mounts(config) if _is_inner(m)]
    return [*own, *volumes, *inner]


def mounts(storage: Storage, config: Config) -> list[dict[str, object]]:
    """What `mount` and `mounts` ask for, apart from the allocation's own files."""
    return [_mount(m) for m in _all_mounts(config) if not _is_inner(m)]


def _all_mounts(config: Config) -> tuple[Config, ...]:
    return (*keys.tables(config.get("mount")), *keys.tables(config.get("mounts")))


def _is_inner(mount: Config) -> bool:
    source = keys.text(mount, "source")
    return keys.text(mount, "type") == "bind" and not source.startswith("/")


def _volume(storage: Storage, text: str, *, named: bool) -> str:
    source, found, rest = text.partition(":")
    if not found:
        return text
    if named and "/" not in source:
        return text
    return f"{_path(storage, source)}:{rest}"


def _path(storage: Storage, source: str) -> str:
    """The host's path of a source: relative ones lie in the task's directory."""
    if source.startswith("/"):
        return source
    path = posixpath.normpath(posixpath.join(storage.task_dir, source))
    if not path.startswith(f"{storage.alloc_root}/"):
        raise ConfigError(f"the volume {source!r} escapes the allocation's directory")
    return path


def _inner_bind(storage: Storage, mount: Config) -> str:
    options = ["ro"] if keys.flag(mount, "readonly") else []
    if propagation := keys.text(keys.table(mount, "bind_options"), "propagation"):
        options.append(propagation)
    bind = f"{_path(storage, keys.text(mount, 'source'))}:{keys.text(mount, 'target')}"
    return f"{bind}:{','.join(options)}" if options else bind


def _mount(mount: Config) -> dict[str, object]:
    kind = keys.text(mount, "type") or "volume"
    if kind not in _TYPES:
        raise ConfigError(f'mount type "{kind}" is none of {", ".join(_TYPES)}')
    found: dict[str, object] = {
        "Type": kind,
        "Target": keys.text(mount, "target"),
        "ReadOnly": keys.flag(mount, "readonly"),
    }
    if kind != "tmpfs":
        found["Source"] = keys.text(mount, "source")
    return {**found, **_OPTIONS[kind](mount)}


def _bind_options(mount: Config) -> dict[str, object]:
    propagation = keys.text(keys.table(mount, "bind_options"), "propagation")
    return {"BindOptions": {"Propagation": propagation}} if propagation else {}


def _tmpfs_options(mount: Config) -> dict[str, object]:
    given = keys.table(mount, "tmpfs_options")
    wanted = {"SizeBytes": keys.number(given, "size"), "Mode": keys.number(given, "mode")}
    options = {k: v for k, v in wanted.items() if v}
    return {"TmpfsOptions": options} if options else {}


def _volume_options(mount: Config) -> dict[str, object]:
    given = keys.table(mount, "volume_options")
    driver = keys.table(given, "driver_config")
    options: dict[str, object] = {
        "NoCopy": keys.flag(given, "no_copy"),
        "Labels": keys.mapping(given, "labels"),
    }
    if driver:
        name, extra = keys.text(driver, "name"), keys.mapping(driver, "options")
        options["DriverConfig"] = {"Name": name, "Options": extra}
    return {"VolumeOptions": options} if given else {}


_OPTIONS = {"bind": _bind_options, "tmpfs": _tmpfs_options, "volume": _volume_options}
