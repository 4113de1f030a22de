"""What a wave of changes means for hosts: steps as values, and a model of each step's effect.

A chain is done in order (stop, then start); the chains of a wave are independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from planner.capacity import Ask, asked
from planner.fingerprint import spec_hash
from planner.job import Job, TaskGroup
from planner.observed import Observed, ObservedAlloc, TaskPhase, TaskState
from planner.plan import Change
from planner.recorded import AllocRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start an allocation that is recorded as decided. `index` is the job's, for the fence.

    `images` are the digests of its job version, by the references that the spec has.
    """

    key: str
    change: Change
    alloc: AllocRecord
    job: Job
    index: int
    images: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Stop an allocation for good."""

    key: str
    change: Change
    alloc: AllocRecord
    job: Job
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Give a running allocation its job's new version without touching its tasks."""

    key: str
    change: Change
    alloc: AllocRecord
    job: Job
    index: int


Step = Start | Stop | Update
Chain = tuple[Step, ...]


def group_of(step: Step) -> TaskGroup | None:
    """The group of the job version that the step brings; None where it is gone from the job."""
    return step.job.group(step.alloc.group)


def simulate(step: Step, observed: Observed, now: int) -> Observed:
    """Return what a probe would see after the step went well at time `now` (ns)."""
    match step:
        case Start():
            return _with(observed, _started(step, now))
        case Stop():
            return _stopped(step, observed, now)
        case Update():
            seen = observed.allocs.get(step.alloc.id)
            if seen is None:
                return observed
            return _with(observed, replace(seen, index=step.index, version=step.alloc.job_version))


def simulate_all(chains: Iterable[Chain], observed: Observed, now: int) -> Observed:
    """Return what a probe would see after all chains went well."""
    return reduce(lambda o, s: simulate(s, o, now), (s for c in chains for s in c), observed)


def _with(observed: Observed, alloc: ObservedAlloc) -> Observed:
    return replace(observed, allocs={**observed.allocs, alloc.id: alloc})


def _started(step: Start, now: int) -> ObservedAlloc:
    group = group_of(step)
    tasks = group.tasks if group else ()
    ask = asked(group) if group else Ask()
    running = TaskState(state=TaskPhase.RUNNING, started_at=now)
    return ObservedAlloc(
        id=step.alloc.id,
        node=step.alloc.node,
        name=step.alloc.name,
        namespace=step.job.namespace,
        job_id=step.job.id,
        group=step.alloc.group,
        index=step.index,
        version=step.alloc.job_version,
        ports={p.label: p.value for p in step.alloc.ports},
        cpu=ask.cpu,
        memory_mb=ask.memory_mb,
        disk_mb=ask.disk_mb,
        tasks={t.name: running for t in tasks},
        spec=spec_hash(step.job, step.alloc.group),
        created=step.alloc.created,
    )


def _stopped(step: Stop, observed: Observed, now: int) -> Observed:
    seen = observed.allocs.get(step.alloc.id)
    if seen is None:
        return observed
    tasks = {
        name: t if t.state is TaskPhase.DEAD else replace(t, state=TaskPhase.DEAD, finished_at=now)
        for name, t in seen.tasks.items()
    }
    return _with(observed, replace(seen, desired="stop", tasks=tasks))
