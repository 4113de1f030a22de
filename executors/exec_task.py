"""Running a command beside a task, with the task's directory, variables and user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from executors import scripts
from executors.interaction import Console
from executors.taskfiles import task_dir_name
from executors.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCommand:
    """A command, and the task that it is run beside."""

    alloc_id: str
    task: str
    argv: Sequence[str]
    data_dir: str | None = None


async def run_beside(transport: Transport, command: TaskCommand, console: Console) -> int:
    """Run it; return its exit status: 125 where the task does not run, 126 and 127 as shells do."""
    place = (command.data_dir or "", command.alloc_id, task_dir_name(command.task))
    argv = scripts.command("lib", "containers", "handle", "exec", arguments=(*place, *command.argv))
    return await transport.interact(argv, console)
