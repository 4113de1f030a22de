"""Home directories in paths that people write."""

from __future__ import annotations

from pathlib import Path

from planner.errors import OrchError


class NoHomeError(OrchError):
    """A path begins with ``~``, and nobody is known whose home that is."""


def at_home(path: str) -> Path:
    """Return a path with home directories in the place of ``~`` and ``~user``.

    Raises `NoHomeError`.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as e:
        raise NoHomeError(
            f"{path}: {path.partition('/')[0]} is nobody's home directory", "Write the whole path."
        ) from e
