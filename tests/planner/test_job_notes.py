from __future__ import annotations

from dataclasses import replace

from planner.codec import from_json, to_json
from planner.job import Job, Task, TaskGroup
from planner.job_notes import ScalingEvent, VersionTag, kept_events, scaling_events
from planner.node_record import DrainStrategy, NodeRecord
from planner.recorded import JobChange, JobState, JobVersion


def job(**counts: int) -> Job:
    task = Task(name="t", driver="raw_exec")
    groups = tuple(TaskGroup(name=n, count=c, tasks=(task,)) for n, c in counts.items())
    return Job(id="web", task_groups=groups)


def version(number: int, **changes: object) -> JobVersion:
    made = JobVersion(version=number, index=number, submit_time=number, job=job(g=number))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_tag_is_given_and_taken_and_keeps_its_version() -> None:
    state = JobState(key="web")
    for number in range(3):
        state = state.changed(JobChange(key="web", register=version(number)), number + 1)
    tag = VersionTag(name="good", description="known good", tagged=7)
    state = state.changed(JobChange(key="web", tagged=(0,), tag=tag), 9)
    for number in range(3, 12):
        state = state.changed(JobChange(key="web", register=version(number)), number + 10)
    kept = [v.version for v in state.versions]
    assert kept == [11, 10, 9, 8, 7, 6, 0]
    assert [v.tag for v in state.versions if v.tag] == [tag]
    assert from_json(JobState, to_json(state)) == state
    untagged = state.changed(JobChange(key="web", tagged=(0,)), 30)
    assert [v.version for v in untagged.versions] == [11, 10, 9, 8, 7, 6]


def test_a_tag_moves_no_job_modify_index() -> None:
    state = JobState(key="web").changed(JobChange(key="web", register=version(0)), 4)
    state = state.changed(JobChange(key="web", tagged=(0,), tag=VersionTag(name="x")), 5)
    assert (state.modify_index, state.job_modify_index) == (5, 4)


def test_counts_that_change_are_events() -> None:
    found = scaling_events(job(a=1, b=2), job(a=1, b=5, c=3), 9)
    assert found == (ScalingEvent(group="b", count=5, previous_count=2, time=9),)
    assert scaling_events(None, job(a=1), 9) == ()


def test_of_each_group_the_newest_events_are_kept() -> None:
    many = [ScalingEvent(group="a", count=n, previous_count=0, time=n) for n in range(30)]
    one = ScalingEvent(group="b", count=1, previous_count=0, time=0)
    kept = kept_events([one, *many])
    assert kept[0] == one
    assert [e.time for e in kept[1:]] == list(range(10, 30))


def test_records_of_an_older_orch_are_read() -> None:
    old = NodeRecord(id="n", name="h1")
    assert to_json(old).keys() == {"ID", "Name", "Eligible", "HostKey", "MachineID"}
    drained = replace(old, drain=DrainStrategy(deadline=-1, started=3), lost=4)
    assert from_json(NodeRecord, to_json(drained)) == drained
