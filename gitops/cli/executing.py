"""What `orch exec` does: find the allocation and its task, and run a command beside it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from executors.exec_task import TaskCommand, run_beside
from gitops.cli.console import OwnConsole
from gitops.cli.escape_key import DEFAULT, EscapeKey
from gitops.cli.look import session, workspace
from gitops.cli.say import note
from gitops.resolve import Found, alloc_named, job_named
from planner.errors import OrchError
from planner.recorded import ClientStatus, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A command, and where: an allocation or, with `by_job`, any that runs of a job.

    `terminal` is the TERM of a terminal to give it, which the `escape` key leaves; `stdin` whether
    it gets our input.
    """

    name: str
    task: str = ""
    by_job: bool = False
    argv: Sequence[str]
    terminal: str = ""
    stdin: bool = True
    escape: str = DEFAULT


async def execute(wanted: Wanted) -> int:
    """Run the command; return its exit status."""
    if not wanted.argv:
        raise OrchError("there is no command to run", "Write it after --: orch exec ALLOC -- sh")
    ws = workspace()
    async with session(ws) as ties:
        recorded = ties.ledger.read().folded()
        found = chosen(wanted.name, recorded, by_job=wanted.by_job)
        task = only_task(found, wanted.task)
        transport = await ties.connector.connect(found.alloc.node)
        command = TaskCommand(
            alloc_id=found.alloc.id,
            task=task,
            argv=wanted.argv,
            data_dir=ties.inventory.hosts[found.alloc.node].data_dir or None,
        )
        console = OwnConsole(
            terminal=wanted.terminal, reads=wanted.stdin, escape=EscapeKey(wanted.escape)
        )
        sys.stdout.flush()
        with console.raw():
            status = await _unless_left(run_beside(transport, command, console), console)
    if status is None:
        note("\nConnection closed")
        return 1
    return status


async def _unless_left(talk: Coroutine[Any, Any, int], console: OwnConsole) -> int | None:
    """Return how the command ended, or None where whoever talked with it has left it before."""
    talking = asyncio.create_task(talk)
    leaving = asyncio.create_task(console.left.wait())
    try:
        await asyncio.wait((talking, leaving), return_when=asyncio.FIRST_COMPLETED)
        return talking.result() if talking.done() else None
    finally:
        talking.cancel()
        leaving.cancel()
        await asyncio.gather(talking, leaving, return_exceptions=True)


def chosen(name: str, recorded: Recorded, *, by_job: bool) -> Found:
    """Return the allocation of that name, or the newest one of a job that is taken to run."""
    if not by_job:
        return alloc_named(name, recorded)
    state = recorded.job(job_named(name, recorded))
    live = [a for a in state.allocs if not a.terminal]
    live.sort(key=lambda a: (a.client is ClientStatus.RUNNING, a.created, a.name))
    if not live:
        raise OrchError(f"no allocation of job {state.key!r} runs", "See 'orch status'.")
    return Found(state=state, alloc=live[-1])


def only_task(found: Found, task: str) -> str:
    """Return the name of the task that is meant; where there are several it must be said."""
    names = task_names(found)
    if task and task not in names:
        listed = "\n".join(names)
        raise OrchError(f"Could not find task named: {task}, found:\n{listed}")
    if task or len(names) == 1:
        return task or names[0]
    listed = "\n".join(f" * {n}" for n in names)
    raise OrchError(
        f"Allocation {found.alloc.id[:8]} is running the following tasks:\n{listed}",
        "Say which one.",
    )


def task_names(found: Found) -> list[str]:
    """Return the names of an allocation's tasks, as its version of the job has them."""
    version = found.state.version(found.alloc.job_version) or found.state.current
    group = version.job.group(found.alloc.group) if version else None
    return [t.name for t in group.tasks] if group else sorted(found.alloc.tasks)
