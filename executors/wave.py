"""Carrying one wave out: its chains side by side, each step after the other; then a look back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from executors.boundary import Boundary
from executors.refusals import GuardError
from executors.run import Run
from executors.transport import HostError
from planner.decide import Wave
from planner.errors import ConflictError, OrchError
from planner.events import AllocationModified, AllocationPlaced, AllocationStopped
from planner.recorded import AllocRecord, JobChange, JobState
from planner.steps import Chain, Start, Step, Stop, Update
from planner.verdict import refused_start, synced

_AllocationEvent = AllocationPlaced | AllocationModified | AllocationStopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A step that failed, and why."""

    step: Step
    error: OrchError

    @property
    def is_moved(self) -> bool:
        """Whether the host was merely not as it was planned, so that planning anew may help."""
        started = isinstance(self.step, Start)
        return started and isinstance(self.error, GuardError) and self.error.replan

    @property
    def is_lost(self) -> bool:
        """Whether the host can't be reached: what became of the step is not known."""
        return isinstance(self.error, HostError)


async def carried_out(run: Run, key: str, wave: Wave) -> list[Problem]:
    """Do all chains at once; journal what came of them; return the steps that failed.

    Raises a `ConflictError` where a host has seen a newer decision about the job.
    """
    await run.prepare(key, (c[0].alloc.node for c in wave.chains))
    ends = await asyncio.gather(*(_chain(run, c) for c in wave.chains))
    problems = [end for end in ends if end is not None]
    for problem in problems:
        if isinstance(problem.error, ConflictError):
            raise problem.error
    await _look_back(run, wave, problems)
    change = synced(run.state(key), run.observed, run.clock.now())
    await run.journalled("result", (_refused(run.state(key), change, problems),))
    run.at(Boundary.RECORDED)
    return problems


async def _chain(run: Run, chain: Chain) -> Problem | None:
    for step in chain:
        try:
            await _step(run, step)
        except HostError as e:
            run.lost(e.host, e.message)
            return Problem(step=step, error=e)
        except OrchError as e:
            return Problem(step=step, error=e)
    return None


async def _step(run: Run, step: Step) -> None:
    node = run.node(step.alloc.node)
    match step:
        case Start():
            await run.fleet.start(step, node)
            run.started[step.alloc.id] = run.clock.monotonic()
            _say(run, AllocationPlaced, step)
            run.at(Boundary.STARTED)
        case Stop():
            await run.fleet.stop(step, node)
            _say(run, AllocationStopped, step)
            run.at(Boundary.STOPPED)
        case Update():
            await run.fleet.update(step, node)
            _say(run, AllocationModified, step)
            run.at(Boundary.UPDATED)


def _say(run: Run, event: type[_AllocationEvent], step: Step) -> None:
    run.tell(event(time=run.clock.now(), job_id=step.job.id, alloc=step.alloc))


async def _look_back(run: Run, wave: Wave, problems: Iterable[Problem]) -> None:
    """See what the steps left on each host; hosts that were not as planned are probed anew."""
    hosts: dict[str, set[str]] = {}
    for step in (s for c in wave.chains for s in c):
        hosts.setdefault(step.alloc.node, set()).add(step.alloc.id)
    moved = {p.step.alloc.node for p in problems if p.is_moved}
    await asyncio.gather(
        *(_inspect(run, h, sorted(ids)) for h, ids in hosts.items()),
        *(_probe(run, h) for h in sorted(moved)),
    )


async def _inspect(run: Run, host: str, allocs: list[str]) -> None:
    try:
        run.saw(await run.fleet.inspect(host, allocs))
    except HostError as e:
        run.lost(host, e.message)


async def _probe(run: Run, host: str) -> None:
    try:
        node, allocs = await run.fleet.look(host)
    except HostError as e:
        run.lost(host, e.message)
        return
    run.saw_node(node)
    run.saw(allocs)


def _refused(state: JobState, change: JobChange, problems: Iterable[Problem]) -> JobChange:
    """Mark allocations that a host refused to start: they never ran and never will."""
    after = state.changed(change, state.modify_index)
    refused: list[AllocRecord] = []
    for problem in problems:
        record = after.alloc(problem.step.alloc.id)
        if isinstance(problem.step, Start) and not problem.is_lost and record is not None:
            why = problem.error.message
            refused.append(refused_start(record, why, counts=not problem.is_moved))
    return JobChange(key=state.key, allocs=(*change.allocs, *refused))
