"""Arguments of the ssh program as settings: what inventories and ProxyCommand lines are made of."""

from __future__ import annotations

from dataclasses import dataclass

from executors.printable import printable
from executors.ssh_config.errors import SshConfigError
from executors.ssh_config.options import HONOURED
from executors.ssh_config.reader import setting
from executors.ssh_config.sections import Setting
from executors.ssh_config.words import BadLineError, keyword

_NAMES = {"i": "identityfile", "J": "proxyjump", "l": "user", "p": "port"}
_FAMILIES = {"4": "inet", "6": "inet6"}
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOoPpQRSWw")


@dataclass(frozen=True, slots=True)
class Arguments:
    """Settings in their order, the place to forward to (``-W``), and what stands behind."""

    settings: tuple[Setting, ...] = ()
    forward: str = ""
    rest: tuple[str, ...] = ()


def arguments(given: tuple[str, ...], place: str) -> Arguments:
    """Take ssh's arguments apart; options that orch does not honour are passed over.

    Raises `SshConfigError` for ``-F``, and for a value that is missing or none.
    """
    settings: list[Setting] = []
    forward, at = "", 0
    while at < len(given) and given[at].startswith("-") and len(given[at]) > 1:
        flag, value, at = _next(given, at, place)
        if flag == "W":
            forward = value
        elif flag == "F":
            raise SshConfigError(f"{place}: -F is not followed", _FILE_HINT)
        else:
            settings += _settings(flag, value, place)
    return Arguments(tuple(settings), forward, given[at:])


_FILE_HINT = "Name the file in orch.toml: [ssh] config, or in ORCH_SSH_CONFIG."


def _next(given: tuple[str, ...], at: int, place: str) -> tuple[str, str, int]:
    """Return a flag, its value, and where to go on; flags before it in one word say nothing."""
    word = given[at]
    found = next((n for n, c in enumerate(word[1:], 1) if c in _WITH_VALUE), 0)
    if not found:
        family = next((c for c in reversed(word) if c in _FAMILIES), "")
        return family, "", at + 1
    if word[found + 1 :]:
        return word[found], word[found + 1 :], at + 1
    if at + 1 == len(given):
        raise SshConfigError(f"{place}: {printable(word, 40)} has no value")
    return word[found], given[at + 1], at + 2


def _settings(flag: str, value: str, place: str) -> list[Setting]:
    if flag in _FAMILIES:
        return [Setting("addressfamily", (_FAMILIES[flag],), place)]
    if flag in _NAMES:
        return [Setting(_NAMES[flag], (value,), place)]
    name, rest = keyword(value) if flag == "o" else ("", "")
    if name not in HONOURED:
        return []
    try:
        return [setting(name, rest, place)]
    except BadLineError as e:
        raise SshConfigError(f"{place}: {e}") from e
