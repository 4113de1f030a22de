"""Makes the bare repository that a ledger is kept in, guarded against pushes that rewind it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gitops.git import Git

# Against pushes. receive.denyNonFastForwards knows only branches, and receive.denyDeletes would
# keep journals from being removed; so a hook looks at the ref's name.
_GUARD = """#!/bin/sh
# Written by orch: the state of a ledger only grows.
case "$1" in
*/state) ;;
*) exit 0 ;;
esac
case "$3" in
*[!0]*) ;;
*) echo "orch: the state of a ledger can't be deleted" >&2; exit 1 ;;
esac
case "$2" in
*[!0]*) git merge-base --is-ancestor "$2" "$3" && exit 0 ;;
*) exit 0 ;;
esac
echo "orch: the state of a ledger can't be rewound" >&2
exit 1
"""
_CONFIG = """
[receive]
\tdenyNonFastForwards = true
[core]
\tfsync = committed,loose-object,reference
\tlogAllRefUpdates = true
[gc]
\tauto = 0
"""

HOOK = "hooks/update"
# What is appended to the files of a new repository, by name. The hook is executable.
BARE_FILES: Mapping[str, str] = {"config": _CONFIG, HOOK: _GUARD}


def create_bare(directory: Path) -> None:
    """Make a bare repository whose state can't be rewound or deleted by pushes. Atomic.

    Of two that make it at once one wins, and the other uses it.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    new = directory.with_name(f".{directory.name}.{os.getpid()}.{os.urandom(4).hex()}.new")
    try:
        Git(directory=directory.parent).out("init", "--quiet", "--bare", "--template=", str(new))
        for name, text in BARE_FILES.items():
            path = new / name
            path.parent.mkdir(exist_ok=True)
            with path.open("a") as f:
                f.write(text)
        (new / HOOK).chmod(0o755)
        _moved_into_place(new, directory)
    finally:
        import shutil

        shutil.rmtree(new, ignore_errors=True)


def _moved_into_place(new: Path, directory: Path) -> None:
    try:
        new.rename(directory)
    except OSError:
        if not (directory / "HEAD").is_file():
            raise
