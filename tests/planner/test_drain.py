from __future__ import annotations

from dataclasses import replace

from planner.drain import Drained, ending, next_to_leave, short, staying
from planner.job import SECOND, Job, Migrate, Task, TaskGroup
from planner.node_record import DrainStrategy
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Desired,
    JobState,
    JobVersion,
    Recorded,
)

HOUR = 3600 * SECOND


def job(kind: str = "service", *, count: int = 3, at_a_time: int = 1) -> Job:
    task = Task(name="t", driver="raw_exec")
    policy = Migrate(max_parallel=at_a_time) if kind == "service" else None
    group = TaskGroup(name="g", count=count, tasks=(task,), migrate=policy)
    return Job(id=kind, type=kind, task_groups=(group,))


def recorded(*jobs: Job, node: str = "h1") -> Recorded:
    """Each job's allocations run, all on one node."""
    states: dict[str, JobState] = {}
    for each in jobs:
        allocs = tuple(
            AllocRecord(
                id=f"{each.id}-{i}",
                name=f"{each.id}.g[{i}]",
                group="g",
                node=node,
                client=ClientStatus.RUNNING,
            )
            for i in range(each.task_groups[0].count)
        )
        version = JobVersion(version=0, index=1, submit_time=1, job=each)
        states[each.id] = JobState(key=each.id, versions=(version,), allocs=allocs)
    return Recorded(jobs=states)


def drained(**changes: object) -> Drained:
    made = Drained(node="h1", strategy=DrainStrategy(deadline=HOUR), found={})
    return replace(made, **changes)  # type: ignore[arg-type]


def test_services_leave_at_their_groups_pace() -> None:
    assert next_to_leave(recorded(job()), drained()) == {"service-0"}
    assert len(next_to_leave(recorded(job(at_a_time=2)), drained())) == 2
    assert len(next_to_leave(recorded(job(at_a_time=9)), drained())) == 3


def test_none_leaves_before_the_replacements_are_well() -> None:
    state = recorded(job()).job("service")
    old = replace(state.allocs[0], desired=Desired.STOP, client=ClientStatus.COMPLETE)
    new = replace(state.allocs[0], id="new", node="h2", previous=old.id)
    now = Recorded(jobs={"service": replace(state, allocs=(old, *state.allocs[1:], new))})
    assert next_to_leave(now, drained(unproven=frozenset({"new"}))) == frozenset()
    assert next_to_leave(now, drained()) == {"service-1"}
    # One that could not be placed holds up the others, too, until the deadline.
    without = Recorded(jobs={"service": replace(state, allocs=(old, *state.allocs[1:]))})
    assert next_to_leave(without, drained()) == frozenset()
    assert len(next_to_leave(without, drained(watched=3600.0))) == 2


def test_what_serves_nobody_leaves_at_once() -> None:
    now = recorded(job())
    found = {"service-2": ClientStatus.PENDING}
    assert next_to_leave(now, drained(found=found)) == {"service-2"}


def test_batch_jobs_run_on_until_the_deadline() -> None:
    now = recorded(job("batch", count=2))
    assert next_to_leave(now, drained(watched=3599.0)) == frozenset()
    assert len(next_to_leave(now, drained(watched=3600.0))) == 2
    never = DrainStrategy(deadline=-1)
    assert next_to_leave(now, drained(strategy=never, watched=1e9)) == frozenset()


def test_system_jobs_go_last_or_stay() -> None:
    now = recorded(job(count=1), job("system", count=1))
    assert next_to_leave(now, drained()) == {"service-0"}
    alone = recorded(job("system", count=1))
    assert next_to_leave(alone, drained()) == {"system-0"}
    keeps = DrainStrategy(deadline=0, ignore_system=True)
    assert next_to_leave(now, drained(strategy=keeps)) == {"service-0"}
    assert staying(alone, drained(strategy=keeps)) == {}


def test_other_nodes_are_left_alone() -> None:
    assert staying(recorded(job(), node="h2"), drained()) == {}
    assert len(next_to_leave(recorded(job()), drained(strategy=DrainStrategy(deadline=0)))) == 3


def test_what_was_told_to_stop_and_runs_still_is_ending() -> None:
    records = recorded(job(count=2))
    (state,) = records.jobs.values()
    first, second = state.allocs
    told = replace(state, allocs=(replace(first, desired=Desired.STOP), second))
    told_records = replace(records, jobs={state.key: told})
    drained = Drained(node="h1", strategy=DrainStrategy(deadline=-1), found={})
    assert [a.id for a in ending(told_records, drained)[state.key]] == [first.id]
    over = replace(drained, found={first.id: ClientStatus.COMPLETE})
    assert ending(told_records, over) == {}
    assert ending(told_records, replace(drained, node="h2")) == {}


def test_a_service_that_lacks_one_is_short() -> None:
    records = recorded(job(count=2), job("batch", count=2))
    drained = Drained(node="h1", strategy=DrainStrategy(deadline=-1), found={})
    assert short(records, drained) == frozenset()
    dead = {"service-0": ClientStatus.FAILED, "batch-0": ClientStatus.FAILED}
    assert short(records, replace(drained, found=dead)) == {
        key for key, s in records.jobs.items() if s.current and s.current.job.type == "service"
    }
