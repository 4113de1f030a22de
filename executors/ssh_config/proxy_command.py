"""ProxyCommand lines that say in ssh's words what ProxyJump says: read, never run."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

from executors.ssh_config.arguments import Arguments, arguments
from executors.ssh_config.errors import SshConfigError
from executors.ssh_config.sections import Setting
from executors.ssh_config.values import Jump, jump, jumps

_FORWARDS = frozenset({"%h:%p", "[%h]:%p"})
_RELAYS = frozenset({("nc", "%h", "%p"), ("netcat", "%h", "%p")})


def as_jumps(command: Setting) -> tuple[Jump, ...] | None:
    """Return the jump hosts of ``ssh -W %h:%p [user@]host`` and its like, else None.

    Raises `SshConfigError` where such a line is wrong in itself.
    """
    try:
        words = tuple(shlex.split(command.word))
    except ValueError:
        return None
    words = words[1:] if words[:1] == ("exec",) else words
    if not words or PurePosixPath(words[0]).name != "ssh":
        return None
    found = _arguments(words[1:], command.place)
    if not found.rest or not _only_forwards(found):
        return None
    return _jumps(found, command.place)


def _arguments(words: tuple[str, ...], place: str) -> Arguments:
    found = arguments(words, place)
    # flags may also stand behind the host
    if found.rest[1:2] and found.rest[1].startswith("-"):
        more = arguments(found.rest[1:], place)
        forward = found.forward or more.forward
        rest = (found.rest[0], *more.rest)
        return Arguments((*found.settings, *more.settings), forward, rest)
    return found


def _only_forwards(found: Arguments) -> bool:
    if found.forward:
        return found.forward in _FORWARDS and len(found.rest) == 1
    return found.rest[1:] in _RELAYS


def _jumps(found: Arguments, place: str) -> tuple[Jump, ...]:
    named = jump(found.rest[0], place)
    if any(s.name == "proxycommand" for s in found.settings):
        raise SshConfigError(
            f"{place}: a ProxyCommand within a ProxyCommand is not followed",
            "Write both as one ProxyJump: first,second",
        )
    before = next((s for s in found.settings if s.name == "proxyjump"), None)
    own = tuple(s for s in found.settings if s.name != "proxyjump")
    last = Jump(named.host, named.user, named.port, own)
    return (*(jumps(before.word, place) if before else ()), last)
