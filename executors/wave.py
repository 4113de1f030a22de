"""Carrying one wave out: its chains side by side, each step after the other; then a look back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass

from executors.boundary import Boundary
from executors.refusals import GuardError, OtherNodeError
from executors.run import Run
from executors.transport import HostError, HostFault
from planner.decide import Wave
from planner.errors import ConflictError, OrchError
from planner.events import AllocationModified, AllocationPlaced, AllocationStopped
from planner.images import pulled_images
from planner.observed import NodeStatus
from planner.recorded import AllocRecord, JobChange, JobState
from planner.steps import Chain, Start, Step, Stop, Update
from planner.verdict import not_stopped, refused_start, synced

_AllocationEvent = AllocationPlaced | AllocationModified | AllocationStopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A step that failed, why, and what of its chain was not done then."""

    step: Step
    error: OrchError
    rest: Chain = ()

    @property
    def is_moved(self) -> bool:
        """Whether the host was merely not as it was planned, so that planning anew may help."""
        return isinstance(self.error, GuardError) and self.error.replan

    @property
    def is_lost(self) -> bool:
        """Whether the host can't be used: what became of the step is not known."""
        return isinstance(self.error, HostError | OtherNodeError)

    @property
    def is_taken(self) -> bool:
        """Whether the job is another run's by now."""
        return isinstance(self.error, ConflictError) and not self.is_lost


async def carried_out(run: Run, key: str, wave: Wave) -> list[Problem]:
    """Do all chains at once; journal what came of them; return the steps that failed.

    Raises a `ConflictError` where another run has the job: a `FencedError` where a host says so.
    """
    await run.prepare(key, (step.alloc.node for chain in wave.chains for step in chain))
    ends = await asyncio.gather(*(_chain(run, c) for c in wave.chains))
    problems = [end for end in ends if end is not None]
    for problem in problems:
        if problem.is_taken:
            raise problem.error
    await _look_back(run, wave, problems)
    state = run.state(key)
    change = synced(state, run.observed, run.clock.now())
    after = state.changed(change, state.modify_index)
    taken_back = [r for p in problems if not p.is_lost for r in _taken_back(p, after)]
    allocs = (*change.allocs, *taken_back)
    images = pulled_images(state, run.fleet.pulled())
    await run.journalled("result", (JobChange(key=key, allocs=allocs, images=images),))
    run.at(Boundary.RECORDED)
    return problems


async def _chain(run: Run, chain: Chain) -> Problem | None:
    for i, step in enumerate(chain):
        if isinstance(step, Stop) and _is_down(run, step.alloc.node):
            continue  # it is recorded, and done when the host is back
        try:
            async with run.steps_at_once or nullcontext():
                await run.prepare(step.key, (step.alloc.node,))
                _check_fenced(run, step)
                await _step(run, step)
        except (HostError, OtherNodeError) as e:
            run.lost(step.alloc.node, e.message, e.hint)
            return Problem(step=step, error=e)
        except OrchError as e:
            return Problem(step=step, error=e, rest=chain[i + 1 :])
    return None


def _is_down(run: Run, host: str) -> bool:
    return run.node(host).status is NodeStatus.DOWN


def _check_fenced(run: Run, step: Step) -> None:
    """A host on which the fence could not be raised is not touched."""
    host = step.alloc.node
    if (step.key, host) not in run.fenced:
        raise HostError(host, HostFault.UNREACHABLE, run.node(host).reason)


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
        if not _is_down(run, step.alloc.node):
            hosts.setdefault(step.alloc.node, set()).add(step.alloc.id)
    moved = {p.step.alloc.node for p in problems if p.is_moved}
    await asyncio.gather(
        *(run.inspect(h, sorted(ids)) for h, ids in hosts.items()),
        *(_probe(run, h) for h in sorted(moved)),
    )


async def _probe(run: Run, host: str) -> None:
    try:
        node, allocs = await run.fleet.look(host)
    except HostError as e:
        run.lost(host, e.message, e.hint)
        return
    run.saw_node(node)
    run.saw(allocs)


def _taken_back(problem: Problem, after: JobState) -> list[AllocRecord]:
    """Return the records of what a refusal left undone, so that they say what is.

    A refused start never ran and never will. Where a stop was refused, what it was to make room
    for has not started, and the old one goes on.
    """
    why = problem.error.message
    if isinstance(problem.step, Start):
        record = after.alloc(problem.step.alloc.id)
        return [] if record is None else [refused_start(record, why, counts=not problem.is_moved)]
    starts = [s for s in problem.rest if isinstance(s, Start)]
    new = [r for s in starts if (r := after.alloc(s.alloc.id)) is not None]
    old = after.alloc(problem.step.alloc.id) if starts else None
    return [
        *(refused_start(r, why, counts=False) for r in new),
        *([not_stopped(old)] if old is not None else []),
    ]
