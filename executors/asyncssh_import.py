"""Imports asyncssh without the programs that it would start for that.

It looks for two C libraries that it can do without, by `ctypes.util.find_library`, which asks
ldconfig, the compiler and the linker: up to ten processes, a fifth of what a short command takes.
Here it looks into the folders that the loader looks into.
"""

from __future__ import annotations

import ctypes.util
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib")


def import_asyncssh() -> None:
    """Import it, where nothing has done so yet."""
    if "asyncssh" in sys.modules or sys.platform != "linux":
        return
    with _looking_into_folders():
        import_module("asyncssh")


@contextmanager
def _looking_into_folders() -> Generator[None]:
    find = ctypes.util.find_library
    ctypes.util.find_library = _found
    try:
        yield
    finally:
        ctypes.util.find_library = find


def _found(name: str) -> str | None:
    """Return the path of a shared library that can be loaded; None where there is none."""
    machine = str(getattr(sys.implementation, "_multiarch", ""))
    folders = [Path(f) / below for f in _FOLDERS for below in (machine, "")]
    paths = (str(path) for folder in folders for path in folder.glob(f"lib{name}.so*"))
    return next(filter(_is_loadable, paths), None)


def _is_loadable(path: str) -> bool:
    """Whether it is a library of this machine: some are texts for the linker."""
    try:
        ctypes.CDLL(path)
    except OSError:
        return False
    return True
