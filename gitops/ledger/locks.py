"""Lock files that a killed git has left in a repository: finds them, and removes the old ones."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gitops.git import LOCAL_SECONDS

# orch's own git is killed after this time, so that an older lock is nobody's that works for us.
STALE_SECONDS = 2 * LOCAL_SECONDS
_PROC = Path("/proc")


def lock_files(directory: Path) -> list[Path]:
    """Return all lock files that git may have left there, those of refs included."""
    walk = os.walk(directory)  # passes over what vanishes meanwhile
    return sorted(Path(top, n) for top, _, names in walk for n in names if n.endswith(".lock"))


def is_stale(path: Path, now: float) -> bool:
    """Whether a lock is old and no process of ours has it open. `now` in s since the epoch."""
    try:
        age = now - path.stat().st_mtime
    except OSError:
        return False
    return age > STALE_SECONDS and not _is_open(path)


def remove_stale(directory: Path) -> list[Path]:
    """Remove the lock files that nobody can need any more; return those."""
    now = time.time()
    stale = [path for path in lock_files(directory) if is_stale(path, now)]
    for path in stale:
        with suppress(OSError):
            path.unlink()
    return stale


def _is_open(path: Path) -> bool:
    wanted = str(path.resolve())
    return any(target == wanted for target in _open_files())


def _open_files() -> Iterator[str]:
    for folder in _PROC.glob("[0-9]*/fd"):
        # Processes end while one looks, and those of others can't be looked into.
        with suppress(OSError):
            for name in os.listdir(folder):  # noqa: PTH208 - names are enough
                with suppress(OSError):
                    yield os.readlink(folder / name)  # noqa: PTH115 - it may say " (deleted)"
