"""What is wrong with an ssh configuration, and where."""

from __future__ import annotations

from planner.errors import OrchError


class SshConfigError(OrchError):
    """An ssh configuration can't be followed; the message begins with ``file:line:``."""
