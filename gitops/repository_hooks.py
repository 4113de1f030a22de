"""Programs of the repository that run around an apply: hooks/pre-apply, post-apply, on-failure."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gitops.repo import Repository
from gitops.view.safe import clean
from gitops.workspace import Workspace
from planner.errors import OrchError
from planner.source import Source

FOLDER = "hooks"
# Seconds that a hook may take, and bytes of what it says that are shown.
DEADLINE = 300.0
MOST_SHOWN = 64 * 1024
# Not for others: the key, and values of variables.
_SECRET = ("ORCH_KEY", "ORCH_VAR_", "NOMAD_VAR_")


class Hook(StrEnum):
    """When a hook runs: before anything is touched, or after, by how it ended."""

    PRE_APPLY = "pre-apply"
    POST_APPLY = "post-apply"
    ON_FAILURE = "on-failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The hooks of a repository at one commit; `say` gets what they print, line by line."""

    root: Path
    commit: str
    environment: Mapping[str, str]
    say: Callable[[str], None]
    deadline: float = DEADLINE

    async def run(self, hook: Hook, plan: str, **more: str) -> int:
        """Run a hook with a plan's JSON as its input; return its exit code, 0 without one.

        Raises `OrchError` where it can't be run, or takes too long: then it is killed.
        """
        path = self.root / FOLDER / hook
        if not path.exists():
            return 0
        name = f"{FOLDER}/{hook}"
        try:
            process = await asyncio.create_subprocess_exec(
                str(path),
                cwd=self.root,
                env={**_fit(self.environment), **self._about(hook), **more},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as e:
            raise OrchError(f"{name}: can't be run: {e.strerror}", _REMEDY) from e
        try:
            await asyncio.wait_for(self._carried(process, plan, name), self.deadline)
        except TimeoutError as e:
            raise OrchError(f"{name}: not done after {self.deadline:g} s", _REMEDY) from e
        finally:
            _end(process)
        return await process.wait()

    def _about(self, hook: Hook) -> dict[str, str]:
        return {"ORCH_HOOK": hook, "ORCH_COMMIT": self.commit}

    async def _carried(self, process: asyncio.subprocess.Process, plan: str, name: str) -> None:
        """Hand the plan over and show what is said, as far as there is room; read all of it."""
        shown = 0
        output = process.stdout or asyncio.StreamReader()
        feeding = asyncio.ensure_future(_fed(process.stdin, plan))
        rest = b""
        while chunk := await output.read(4096):
            if shown <= MOST_SHOWN:
                *lines, rest = (rest + chunk).split(b"\n")
                self._tell(name, lines)
            shown += len(chunk)
        self._tell(name, [rest] if rest else [])
        if shown > MOST_SHOWN:
            self.say(f"{name}: … and more, which is not shown")
        await feeding
        await process.wait()

    def _tell(self, name: str, lines: list[bytes]) -> None:
        for line in lines:
            self.say(f"{name}: {clean(line.decode('utf-8', 'replace'))}")


_REMEDY = "A hook is a program in the repository, executable; -no-hooks goes on without."


def hooks_of(
    ws: Workspace, source: Source, say: Callable[[str], None], *, allow_dirty: bool = False
) -> Hooks | None:
    """Return the hooks of the commit that is applied; None where the repository has none.

    Raises `OrchError` where the working tree is not at that commit, where hooks have changes that
    are not committed, unless these are allowed, and for one that is not executable.
    """
    found = [ws.root / FOLDER / hook for hook in Hook if (ws.root / FOLDER / hook).exists()]
    if not found:
        return None
    repository = Repository.find(ws.root)
    if repository.head != source.commit:
        raise OrchError(
            f"the hooks here are those of commit {repository.head[:8]}, and {source.commit[:8]} is "
            "to be applied; nothing was touched",
            "Check that commit out, or give -no-hooks.",
        )
    paths = repository.inside(ws.root, [FOLDER])
    if not allow_dirty and repository.is_dirty(paths, ignored=True):
        raise OrchError(
            f"{FOLDER} has changes that are not committed; nothing was touched",
            "Commit them, or give -allow-dirty, or -no-hooks.",
        )
    for path in found:
        if not os.access(path, os.X_OK):
            raise OrchError(f"{FOLDER}/{path.name} is not executable; nothing was touched", _REMEDY)
    return Hooks(root=ws.root, commit=source.commit, environment=ws.environment, say=say)


def _fit(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environment.items() if not k.startswith(_SECRET)}


async def _fed(stdin: asyncio.StreamWriter | None, text: str) -> None:
    """Hand a text over; a program need not read it."""
    if stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(text.encode())
        await stdin.drain()
    stdin.close()


def _end(process: asyncio.subprocess.Process) -> None:
    """End what is left of it, and of what it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
