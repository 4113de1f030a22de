"""How hosts are reached where their inventory does not say it: orch's own settings."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def _agent_of_environment() -> str:
    return os.environ.get("SSH_AUTH_SOCK", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSettings:
    """How to log in where the inventory does not say it; times in seconds.

    What is empty or None is left to ssh's configuration, and to its defaults. `concurrency` is the
    number of logins under way at once, `jump_concurrency` that through one jump host, `attempts`
    how often a login is tried that the host hung up on. `jump` are jump hosts for all hosts, as
    ``ssh -J`` takes them.
    """

    user: str = ""
    key_path: str = ""
    known_hosts: tuple[str, ...] | None = None
    jump: str = ""
    concurrency: int = 32
    jump_concurrency: int = 10
    connect_timeout: float | None = None
    keepalive: float = 5.0
    keepalive_count: int = 3
    attempts: int = 5
    agent: str = field(default_factory=_agent_of_environment)
