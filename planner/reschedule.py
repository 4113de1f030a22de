"""When a failed allocation is placed again: the group's reschedule policy, worked out for one."""

from __future__ import annotations

from collections.abc import Iterator

from planner.job import SECOND, ReschedulePolicy
from planner.recorded import AllocRecord, ClientStatus, JobState

# What is due this soon (ns) is done now.
_SOON = SECOND


def failed_at(record: AllocRecord) -> int:
    """Return when the allocation ended, in ns: when its last task did, or it was last written."""
    return max((t.finished_at for t in record.tasks.values()), default=0) or record.modified


def failed_nodes(state: JobState, record: AllocRecord) -> frozenset[str]:
    """Return the nodes on which the allocation and those it replaced have failed."""
    chain = (record, *_predecessors(state, record))
    return frozenset(a.node for a in chain if a.client is ClientStatus.FAILED or a is record)


def due_at(state: JobState, record: AllocRecord, policy: ReschedulePolicy | None) -> int | None:
    """Return when (ns) the failed allocation may be placed again; None for never."""
    return due_after(state, record, policy, failed_at(record))


def due_after(
    state: JobState, record: AllocRecord, policy: ReschedulePolicy | None, end: int
) -> int | None:
    """Return when (ns) what ended, or was last seen, at `end` may be placed again; None: never."""
    if policy is None or not (policy.unlimited or policy.attempts):
        return None
    if not policy.unlimited and _attempts(state, record, end - policy.interval) >= policy.attempts:
        return None
    return end + _delay(record, policy, end)


def is_due(time: int, now: int) -> bool:
    """Whether what is due at `time` is done now."""
    return time <= now + _SOON


def _predecessors(state: JobState, record: AllocRecord) -> Iterator[AllocRecord]:
    for _ in range(record.reschedules):
        before = state.alloc(record.previous)
        if before is None:
            return
        yield before
        record = before


def _attempts(state: JobState, record: AllocRecord, since: int) -> int:
    """Count the reschedules that led to `record` and were made after `since`."""
    made = [record, *_predecessors(state, record)][: record.reschedules]
    return sum(a.created > since for a in made)


def _delay(record: AllocRecord, policy: ReschedulePolicy, end: int) -> int:
    delay = _series(policy, record.reschedules)
    if policy.max_delay and delay >= policy.max_delay and policy.delay_function != "constant":
        has_run_long = end - record.created > policy.max_delay
        return policy.delay if has_run_long else policy.max_delay
    return delay


def _series(policy: ReschedulePolicy, number: int) -> int:
    if policy.delay_function == "exponential":
        return policy.delay << min(number, 40)
    if policy.delay_function == "fibonacci":
        last, delay = 0, policy.delay
        for _ in range(min(number, 80)):
            last, delay = delay, last + delay
        return delay
    return policy.delay
