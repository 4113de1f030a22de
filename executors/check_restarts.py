"""Tasks whose checks have failed too often begin anew, while somebody watches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors.checks import BoundCheck
from executors.handled import Handled
from executors.refusals import FencedError, GuardError
from executors.run import Run
from executors.transport import HostError
from planner.check_restart import Failures, counted, is_over, life, reason
from planner.check_status import CheckLevel, restarts
from planner.events import Message
from planner.job import TaskGroup
from planner.observed import ObservedAlloc
from planner.recorded import AllocRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhealthy:
    """A check that has failed too often, and the tasks that are to begin anew for it."""

    check: str
    tasks: tuple[str, ...]

    def handled(self, alloc: str, group: TaskGroup) -> Handled:
        """Return what is asked of the allocation's host."""
        patience = max((t.kill_timeout for t in group.tasks), default=0)
        return Handled(
            alloc_id=alloc, tasks=self.tasks, patience=patience, blame=reason(self.check)
        )

    def told(self, alloc: AllocRecord) -> str:
        """Return a line about it."""
        return (
            f'{alloc.name} on {alloc.node}: check "{self.check}" unhealthy, '
            f"restarting {', '.join(self.tasks)}"
        )


@dataclass(slots=True, kw_only=True)
class CheckFailures:
    """How often checks have failed in a row, from look to look, by allocation and place."""

    found: dict[tuple[str, int], Failures] = field(default_factory=dict[tuple[str, int], Failures])

    def after(
        self,
        seen: ObservedAlloc,
        checks: Sequence[BoundCheck],
        levels: Mapping[int, CheckLevel],
        now: float,
    ) -> Unhealthy | None:
        """Take in what the checks that were made have come to, by place; say which is too much."""
        worst: Unhealthy | None = None
        for place, bound in enumerate(checks):
            if not restarts(bound.check):
                continue
            named = (bound.own_task,) if bound.own_task else ()
            alive, level = life(seen, named), levels.get(place)
            failures = counted(self.found.get((seen.id, place)), bound.check, alive, level, now)
            if worst is None and is_over(failures, bound.check):
                worst = Unhealthy(check=bound.name, tasks=tuple(name for name, _, _ in alive))
                failures = replace(failures, number=0)
            self.found[seen.id, place] = failures
        return worst

    def keep(self, allocs: Collection[str]) -> None:
        """Forget all allocations but these."""
        self.found = {k: f for k, f in self.found.items() if k[0] in allocs}


async def restart(
    run: Run, key: str, alloc: AllocRecord, group: TaskGroup, unhealthy: Unhealthy
) -> None:
    """Let the tasks begin anew, guarded on the host; a host that refuses is told of.

    One on which the fence could not be raised is not touched. Raises `FencedError` where a newer
    decision about the job stands there.
    """
    await run.prepare(key, (alloc.node,))
    if (key, alloc.node) not in run.fenced:
        return
    text = unhealthy.told(alloc)
    try:
        handled = unhealthy.handled(alloc.id, group)
        await run.fleet.restart(run.node(alloc.node), run.fence(key), handled)
    except FencedError:
        raise
    except (HostError, GuardError) as e:
        text = f"{text}: {e.message}"
    run.tell(Message(time=run.clock.now(), text=text))
