"""Tasks of one allocation that something is done to while they run."""

from __future__ import annotations

from dataclasses import dataclass

from executors.taskfiles import task_dir_name
from planner.job import SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """Running tasks of an allocation; `patience` is how long, in ns, they may take to end.

    With `ended` they may have ended too. `blame` is what they are restarted for, where that counts
    as a failure of theirs: their restart policies say what comes of it.
    """

    alloc_id: str
    tasks: tuple[str, ...]
    patience: int = 5 * SECOND
    ended: bool = False
    blame: str = ""

    def words(self) -> list[str]:
        """The scripts' arguments."""
        return [self.alloc_id, *map(task_dir_name, self.tasks)]
