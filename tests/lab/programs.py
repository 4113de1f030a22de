"""Runs the machine's own programs, from argument lists, and says what went wrong with one."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


class LabError(Exception):
    """The lab could not do what it was told."""


class LabUnavailableError(LabError):
    """This machine cannot run a lab; the text says why."""


def run(
    argv: Sequence[str],
    *,
    check: bool = True,
    stdin: str = "",
    timeout: float = 300,
    env: Mapping[str, str] = ENVIRONMENT,
) -> str:
    """Return what the program printed on stdout; raise `LabError` when it fails or takes too long.

    `timeout` is in seconds. Without `check` the exit status is of no interest, and what
    was printed on stderr is never returned.
    """
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env=env,
            cwd="/",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"{shlex.join(argv)}: not done after {timeout} s"
        raise LabError(message) from error
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        message = f"{shlex.join(argv)}: exit status {done.returncode}: {said}"
        raise LabError(message)
    return done.stdout


def wait_for(condition: Callable[[], bool], what: str, *, timeout: float = 180) -> None:
    """Return as soon as the condition holds; raise `LabError` after `timeout` seconds."""
    end, pause = time.monotonic() + timeout, 0.01
    while not condition():
        if time.monotonic() > end:
            message = f"{what}: not within {timeout} s"
            raise LabError(message)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
