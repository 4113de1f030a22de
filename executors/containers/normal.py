"""A normal form of what can differ between a container and what was created. Pure.

It is taken from dockerd's own answer right after the creation, so that its defaults are never a
difference; it is kept in the allocation's record on the host, and compared with what is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, cast

_MIB = 1024 * 1024
# What changes without another container, by `docker update`; the words of the reasons.
_LIMITS = {
    "memory": "memory",
    "reservation": "memory reservation",
    "shares": "cpu shares",
    "quota": "cpu quota",
    "period": "cpu period",
    "nano_cpus": "cpus",
    "cpuset": "cpuset",
    "policy": "restart policy",
    "retries": "restart retries",
}
_FORM = itemgetter("image", *_LIMITS)
_MEMORY = ("memory", "reservation")
_EMPTY = ("", "0", "no", "null", "{}", "<nil>", "<no value>")


def of_inspection(inspected: Mapping[str, Any]) -> dict[str, str]:
    """The normal form of what dockerd says of one container, and its id and name."""
    host = cast("Mapping[str, Any]", inspected["HostConfig"])
    policy = cast("Mapping[str, Any]", host.get("RestartPolicy") or {})
    return {
        "id": str(inspected["Id"]),
        "name": str(inspected["Name"]).removeprefix("/"),
        "image": str(inspected["Image"]),
        "memory": _number(host.get("Memory")),
        "reservation": _number(host.get("MemoryReservation")),
        "shares": _number(host.get("CpuShares")),
        "quota": _number(host.get("CpuQuota")),
        "period": _number(host.get("CpuPeriod")),
        "nano_cpus": _number(host.get("NanoCpus")),
        "cpuset": str(host.get("CpusetCpus") or ""),
        "policy": str(policy.get("Name") or "no"),
        "retries": _number(policy.get("MaximumRetryCount")),
        "ports": ports(json.dumps(host.get("PortBindings") or {})),
        "env": env_hash(cast("Iterable[str]", inspected["Config"].get("Env") or ())),
    }


def _number(value: object) -> str:
    return str(value or 0)


def ports(text: str) -> str:
    """Published ports, from Docker's JSON to one order: ``127.0.0.1:80->8080/tcp``."""
    if text in ("", "{}", "null"):  # most containers publish none
        return ""
    try:
        found: Any = json.loads(text or "{}")
    except ValueError:
        return "?"
    if not isinstance(found, dict):
        return ""
    table = cast("dict[str, list[dict[str, str]] | None]", found)
    shown = [
        f"{b.get('HostIp') or '*'}:{b.get('HostPort') or '*'}->{inside}"
        for inside, bindings in table.items()
        for b in bindings or ()
    ]
    return " ".join(sorted(shown))


def is_same(bound: Mapping[str, str], said: Mapping[str, str]) -> bool:
    """Whether a container's words are what its record has, to the letter: then nothing changed.

    It says no where `changes` may still find nothing.
    """
    try:
        same = _FORM(bound) == _FORM(said)
    except KeyError:
        return False
    return same and bound.get("ports", "") == ports(said.get("ports", ""))


def env_hash(env: Iterable[str]) -> str:
    """A short hash of variables, whatever their order: what they hold stays where it is."""
    return hashlib.sha256("\0".join(sorted(env)).encode()).hexdigest()[:16]


def changes(bound: Mapping[str, str], seen: Mapping[str, str]) -> Iterator[str]:
    """Yield in words what differs; `seen` has no ``env`` where it can't have changed."""
    if _plain(bound, "image") != _plain(seen, "image"):
        yield f"image {_short(bound.get('image', ''))} → {_short(seen.get('image', ''))}"
    if "env" in seen and bound.get("env") != seen["env"]:
        yield "env changed"
    for key, words in _LIMITS.items():
        if bound.get(key, "") == seen.get(key, ""):
            continue
        before, after = _plain(bound, key), _plain(seen, key)
        if before != after:
            yield f"{words} {_shown(key, before)} → {_shown(key, after)}"
    if bound.get("ports", "") != seen.get("ports", ""):
        yield f"ports {bound.get('ports') or 'none'} → {seen.get('ports') or 'none'}"


def _plain(form: Mapping[str, str], key: str) -> str:
    value = form.get(key, "")
    return "" if value in _EMPTY else value


def _short(image: str) -> str:
    return image.removeprefix("sha256:")[:12] or "none"


def _shown(key: str, value: str) -> str:
    if not value:
        return "none"
    if key in _MEMORY and value.isdigit():
        return f"{int(value) / _MIB:g} MiB"
    return value
