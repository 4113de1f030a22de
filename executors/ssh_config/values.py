"""Words of ssh_config as values: numbers, times, yes and no, jump hosts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from executors.printable import printable
from executors.ssh_config.errors import SshConfigError
from executors.ssh_config.sections import Setting

_MAX_PORT = 65535
_TIME = re.compile(r"(\d+)([smhdw]?)", re.IGNORECASE)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump host as it is written: ``[user@]host[:port]``, with 0 for a port that is not said.

    `settings` are those that were given for it alone.
    """

    host: str
    user: str = ""
    port: int = 0
    settings: tuple[Setting, ...] = ()


def number(setting: Setting, lowest: int, highest: int) -> int:
    """Return a whole number. Raises `SshConfigError`."""
    word = setting.word
    if word.isascii() and word.isdigit() and lowest <= int(word[:10]) <= highest:
        return int(word)
    raise _bad(setting, f"a number from {lowest} to {highest}")


def port(setting: Setting) -> int:
    """Return a port. Raises `SshConfigError`."""
    return number(setting, 1, _MAX_PORT)


def truth(setting: Setting) -> bool:
    """Return yes or no. Raises `SshConfigError`."""
    found = _TRUTH.get(setting.word.lower())
    if found is None:
        raise _bad(setting, "yes or no")
    return found


def seconds(setting: Setting) -> int:
    """Return a time such as ``90`` or ``1m30s`` in seconds, 0 for ``none``."""
    word = setting.word.lower()
    if word == "none":
        return 0
    parts = _TIME.findall(word)
    if not parts or "".join(n + u for n, u in parts) != word:
        raise _bad(setting, "a time such as 30 or 1m")
    return min(sum(int(n[:9]) * _UNITS[u] for n, u in parts), 2**31 - 1)


def jumps(text: str, place: str) -> tuple[Jump, ...]:
    """Return the jump hosts of a ProxyJump in the order of travel. Raises `SshConfigError`."""
    if text.lower() == "none":
        return ()
    return tuple(jump(part, place) for part in text.split(","))


def jump(text: str, place: str) -> Jump:
    """Return one jump host, given as ``[user@]host[:port]`` or as an ssh:// address."""
    written = text.strip().removesuffix("/").removeprefix("ssh://")
    user, at, rest = written.rpartition("@")
    host, said = _host_port(rest)
    is_port = not said or (said.isascii() and said.isdigit() and 1 <= int(said[:6]) <= _MAX_PORT)
    if not host or host.startswith("-") or not is_port or (at and not user):
        shown = printable(text, 60)
        raise SshConfigError(f"{place}: {shown!r} is no jump host such as user@host:22 or none")
    return Jump(host, user, int(said or 0))


def _host_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    if text.count(":") > 1:  # an IPv6 address without brackets
        return text, ""
    host, _, port = text.partition(":")
    return host, port


def _bad(setting: Setting, wanted: str) -> SshConfigError:
    shown = printable(setting.word, 60)
    return SshConfigError(f"{setting.place}: {setting.name}: {shown!r} is not {wanted}")
