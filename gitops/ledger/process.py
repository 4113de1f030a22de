"""Tells whether a process of this machine still exists, by what /proc says. Signals nobody."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from gitops.ledger.journal import ProcessIdentity

_PROC = Path("/proc")
# Field 22 of /proc/PID/stat, counted after the name, which may hold blanks and brackets.
_START_TIME = 19
_STATE = 0


def this_process() -> ProcessIdentity:
    """Return the identity of the calling process; empty parts where there is no /proc."""
    pid = os.getpid()
    return ProcessIdentity(
        pid=pid, start_time=_start_time(pid) or 0, boot_id=_boot_id(), pid_namespace=_namespace()
    )


def is_gone(process: ProcessIdentity) -> bool:
    """Whether the process is surely no more. False where that can't be told from here."""
    return is_here(process) and _start_time(process.pid) != process.start_time


def is_here(process: ProcessIdentity) -> bool:
    """Whether the process is, or was, one of this machine since it was booted."""
    known = process.boot_id and process.pid_namespace and process.start_time
    ours = process.boot_id == _boot_id() and process.pid_namespace == _namespace()
    return bool(known) and ours


ProcessCheck = Callable[[ProcessIdentity], bool]


def _start_time(pid: int) -> int | None:
    """Return when the process was started; None where there is none, or only its remains."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return None if fields[_STATE] in "ZX" else int(fields[_START_TIME])
    except (OSError, ValueError, IndexError):
        return None


def _boot_id() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return (_PROC / "self/ns/pid").readlink().name
    except OSError:
        return ""
