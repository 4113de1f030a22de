"""Where the story plays: a directory of its own, of which nothing stays, whatever happens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from tests.demo.story import EPILOGUE, STORY, Step
from tests.demo.terminal import Terminal

_ROUNDS = 600
_INDEX = re.compile(r"^Job Modify Index: (\d+)$", re.MULTILINE)


class WrongTurnError(Exception):
    """A step did not come out as the story tells it."""


def play(out: Callable[[str], None]) -> None:
    """Play the story to `out`. Raises `WrongTurnError` where a step comes out otherwise."""
    index = ""
    with _stage(out) as terminal:
        for step in STORY:
            text = _step(terminal, replace(step, command=step.command.replace("INDEX", index)))
            planned = _INDEX.search(text) if step.command.startswith("orch plan") else None
            index = planned[1] if planned else index
    out(f"\n{EPILOGUE}")


def _step(terminal: Terminal, step: Step) -> str:
    """Take one step; return what it showed."""
    if step.says:
        terminal.out(f"\n# {step.says}\n")
    before = None if step.touches else _state(terminal.cwd)
    if step.waits_for:
        code, text = 0, terminal.start(step.command, step.waits_for)
    else:
        code, text = terminal.run(step.command)
    if code:
        terminal.out(f"$ echo $?\n{code}\n")
    if code != step.code:
        raise WrongTurnError(f"{step.command}: exit code {code}, where {step.code} was due")
    for wanted in (*step.shows, step.waits_for):
        if wanted not in text:
            raise WrongTurnError(f"{step.command}: does not show {wanted!r}")
    if before is not None and before != _state(terminal.cwd):
        raise WrongTurnError(f"{step.command}: changed something, where nothing was to be touched")
    return text


def _state(cwd: Path) -> dict[str, str]:
    """What the host and the ledger hold: each file with a digest."""
    return {
        str(path): sha256(path.read_bytes()).hexdigest()
        for path in sorted((cwd / ".orch").rglob("*"))
        if path.is_file()
    }


@contextmanager
def _stage(out: Callable[[str], None]) -> Generator[Terminal, None, None]:
    top = Path(tempfile.mkdtemp(prefix="orch-demo-")).resolve()
    terminal = Terminal(session=top / "session", cwd=top, environment=_environment(top), out=out)
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
    found = {k: v for k, v in os.environ.items() if not k.startswith(("ORCH_", "NOMAD_", "GIT_"))}
    who = {"NAME": "Demo", "EMAIL": "demo@example.com", "DATE": "2026-01-02T03:04:05Z"}
    git = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    return {
        **found,
        **git,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH": f"{Path(sys.executable).parent}:{found.get('PATH', os.defpath)}",
        "XDG_CACHE_HOME": str(top / "cache"),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
    }


def _sweep(top: str) -> None:
    """End what was started below `top` and has outlived the story: supervisors and tasks."""
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
