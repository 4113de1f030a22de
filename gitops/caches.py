"""Where this user's caches are; all of it may vanish at any time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return ``$XDG_CACHE_HOME/orch``, else ``~/.cache/orch``; it may not be there yet.

    Raises `RuntimeError` where neither that variable nor a home directory is known.
    """
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "orch"
