"""How a container is kept apart from its host: capabilities, devices, limits, namespaces. Pure."""

from __future__ import annotations

from executors.containers import keys
from executors.containers.keys import Config
from executors.driver import ConfigError

# What Docker itself gives a container; adding more is like being privileged.
_CAPS = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
        *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)


def beyond_docker(config: Config) -> list[str]:
    """Return the capabilities asked for that Docker itself does not give, sorted."""
    return sorted({_cap(c) for c in keys.texts(config, "cap_add")} - _CAPS)


def settings(config: Config) -> dict[str, object]:
    """Return these parts of a host config, in dockerd's words. Raises `ConfigError`."""
    return {
        "CapAdd": sorted({f"CAP_{_cap(c)}" for c in keys.texts(config, "cap_add")}),
        "CapDrop": _cap_drop(config),
        "Privileged": keys.flag(config, "privileged"),
        "SecurityOpt": keys.texts(config, "security_opt"),
        "Ulimits": [_ulimit(k, v) for k, v in keys.mapping(config, "ulimit").items()],
        "Devices": [_device(d) for d in keys.tables(config.get("devices"))],
        **_modes(config),
    }


def _cap(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def _cap_drop(config: Config) -> list[str]:
    added = {_cap(c) for c in keys.texts(config, "cap_add")}
    dropped = {_cap(c) for c in keys.texts(config, "cap_drop")}
    if "NET_RAW" not in added and not keys.flag(config, "privileged"):
        dropped.add("NET_RAW")
    return sorted(f"CAP_{c}" for c in dropped)


def _ulimit(name: str, value: str) -> dict[str, object]:
    soft, _, hard = value.partition(":")
    try:
        return {"Name": name, "Soft": int(soft), "Hard": int(hard or soft)}
    except ValueError:
        raise ConfigError(f'ulimit "{name}": {value!r} is not a number or SOFT:HARD') from None


def _device(device: Config) -> dict[str, object]:
    path = keys.text(device, "host_path")
    return {
        "PathOnHost": path,
        "PathInContainer": keys.text(device, "container_path") or path,
        "CgroupPermissions": keys.text(device, "cgroup_permissions") or "rwm",
    }


def _modes(config: Config) -> dict[str, object]:
    return {
        "CgroupnsMode": keys.text(config, "cgroupns"),
        "IpcMode": keys.text(config, "ipc_mode"),
        "PidMode": keys.text(config, "pid_mode"),
        "Runtime": keys.text(config, "runtime"),
        "UTSMode": keys.text(config, "uts_mode"),
        "UsernsMode": keys.text(config, "userns_mode"),
    }
