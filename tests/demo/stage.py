"""Where a page plays: a directory of its own, of which nothing stays, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.demo.terminal import Terminal

_ROUNDS = 600


def silent(_: str) -> None:
    """Nobody listens."""


@contextmanager
def stage(out: Callable[[str], None]) -> Generator[Terminal, None, None]:
    """Yield a terminal in an empty home; at the end, whatever was started there is ended."""
    top = Path(tempfile.mkdtemp(prefix="orch-demo-")).resolve()
    terminal = Terminal(session=top / ".session", cwd=top, environment=_environment(top), out=out)
    try:
        yield terminal
    finally:
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        terminal.end()
        _sweep(str(top))
        shutil.rmtree(top)
        signal.signal(signal.SIGINT, interrupt)


def _environment(top: Path) -> dict[str, str]:
    """Nothing of the user's settings, and nothing written beside the stage."""
    ours = ("ORCH_", "NOMAD_", "GIT_", "ANSIBLE_", "SSH_")
    found = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    who = {"NAME": "Demo", "EMAIL": "demo@example.com", "DATE": "2026-01-02T03:04:05Z"}
    git = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    return {
        **found,
        **git,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(top),
        "PATH": f"{Path(sys.executable).parent}:{found.get('PATH', os.defpath)}",
        "XDG_CACHE_HOME": str(top / ".cache"),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
    }


def _sweep(top: str) -> None:
    """End what was started below `top` and has outlived the page: supervisors and tasks."""
    for _ in range(_ROUNDS):
        left = list(_living(os.fsencode(top)))
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.1)


def _living(top: bytes) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            dead = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
            if top in words and not dead:
                yield int(entry.name)
