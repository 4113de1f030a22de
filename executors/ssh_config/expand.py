"""Tokens (``%h``), variables (``${NAME}``) and ``~`` in values of ssh_config."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from executors.printable import printable
from executors.ssh_config.errors import SshConfigError

_TOKEN = re.compile(r"%(.?)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Who runs orch, and where: the near side of a connection."""

    user: str
    hostname: str = ""
    home: str = "/"
    uid: int = 0
    environment: Mapping[str, str]

    def expand_home(self, path: str) -> str:
        """Put home directories in the place of ``~`` and ``~user``."""
        if path == "~" or path.startswith("~/"):
            return f"{self.home}{path[1:]}"
        return os.path.expanduser(path)  # noqa: PTH111 - tokens may make it another path yet


def here(environment: Mapping[str, str]) -> Local:
    """Return this process's side."""
    return Local(
        user=getpass.getuser(),
        hostname=socket.gethostname(),
        home=str(Path("~").expanduser()),
        uid=os.getuid(),
        environment=environment,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """The other side, as far as tokens name it. `given` is the name that ssh is given."""

    given: str
    hostname: str
    port: int
    user: str
    alias: str = ""


def tokens(local: Local, remote: Remote) -> dict[str, str]:
    """Return what each token stands for."""
    port = str(remote.port)
    connection = f"{local.hostname}{remote.hostname}{port}{remote.user}"
    return {
        "%": "%",
        "C": hashlib.sha1(connection.encode(), usedforsecurity=False).hexdigest(),
        "d": local.home,
        "h": remote.hostname,
        "i": str(local.uid),
        "k": remote.alias or remote.given,
        "L": local.hostname.partition(".")[0],
        "l": local.hostname,
        "n": remote.given,
        "p": port,
        "r": remote.user,
        "u": local.user,
    }


def expanded(text: str, known: Mapping[str, str], place: str) -> str:
    """Put values in the place of tokens. Raises `SshConfigError` for one that is none."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise SshConfigError(f"{place}: {printable(found[0], 10)!r} is no token here")
        return known[found[1]]

    return _TOKEN.sub(value, text) if "%" in text else text


def variables(text: str, environment: Mapping[str, str], place: str) -> str:
    """Put variables' values in. Raises `SshConfigError` for one that is not set."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in environment:
            raise SshConfigError(f"{place}: variable {printable(found[1], 60)!r} is not set")
        return environment[found[1]]

    return _VARIABLE.sub(value, text) if "${" in text else text
