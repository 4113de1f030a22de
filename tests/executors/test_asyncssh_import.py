"""asyncssh is imported without starting a compiler, and finds libraries all the same."""

from __future__ import annotations

import subprocess
import sys

IMPORT = """
import ctypes.util, sys
before = ctypes.util.find_library
started = []
sys.addaudithook(lambda event, _: started.append(event) if event == "subprocess.Popen" else None)
from executors.asyncssh_import import _found, import_asyncssh
import_asyncssh()
import asyncssh
assert asyncssh.connect and ctypes.util.find_library is before
assert not started, started
assert _found("c") is None or "libc.so" in _found("c")
assert _found("no-such-library") is None
"""


def test_asyncssh_is_imported_without_other_programs() -> None:
    subprocess.run([sys.executable, "-c", IMPORT], check=True)
