"""Which images a new version takes over from earlier ones, and which are to be resolved anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from planner.codec import from_json, to_json
from planner.decide import Stamp, opened, wave
from planner.diff import job_diff
from planner.images import images_to_resolve, kept_images, movable_images
from planner.job import Job, Task, TaskGroup
from planner.plan import JobPlan
from planner.recorded import JobChange, JobState, JobVersion
from planner.steps import Start
from tests.world import World, node

OLD, NEW = ("redis@sha256:" + digit * 64 for digit in "ab")


def job(image: str = "redis:7", *, count: int = 1, **config: object) -> Job:
    task = Task(name="t", driver="docker", config={"image": image, **config})
    return Job(id="web", task_groups=(TaskGroup(name="g", count=count, tasks=(task,)),))


def version(number: int, spec: Job, images: Mapping[str, str]) -> JobVersion:
    return JobVersion(version=number, index=number, submit_time=0, job=spec, images=images)


def state(*versions: JobVersion) -> JobState:
    """What is recorded of the job, its newest version last."""
    return JobState(key="web", versions=tuple(reversed(versions)))


def planned(spec: Job, *, registers: bool) -> JobPlan:
    diff = job_diff(None, spec)
    return JobPlan(key="web", path="", job=spec, diff=diff, registers=registers)


FIRST = version(0, job(), {"redis:7": OLD})
OTHER = version(1, job("nginx:1"), {})
STOPPED = version(1, replace(job(), stop=True), {"redis:7": OLD})


@pytest.mark.parametrize(
    ("recorded", "wanted", "kept"),
    [
        (state(), job(), False),
        (state(FIRST), job(count=2), True),
        (state(FIRST), job(args=["-v"]), True),
        (state(FIRST), job("docker://redis:7"), True),
        (state(FIRST), job(count=2, force_pull=True), False),
        (state(FIRST), job(count=2, force_pull="true"), False),
        (state(FIRST), job("redis:8"), False),
        (state(FIRST, OTHER), job(), True),
        (state(FIRST, OTHER), job(count=2), False),
        (state(FIRST), replace(job(force_pull=True), stop=True), True),
        (state(FIRST, STOPPED), job(), False),
        (state(replace(FIRST, images={})), job(count=2), False),
    ],
    ids=[
        "new job",
        "another count",
        "another argument",
        "the same, written in another way",
        "force_pull",
        "force_pull as text",
        "another tag",
        "back to an earlier version",
        "an earlier tag in another version",
        "stopped",
        "started again",
        "recorded by an older orch",
    ],
)
def test_what_a_new_version_takes_over(recorded: JobState, wanted: Job, kept: bool) -> None:
    assert kept_images(wanted, recorded) == ({"redis:7": OLD} if kept else {})
    asked = images_to_resolve(planned(wanted, registers=True), recorded)
    assert set(asked) == (set() if kept or wanted.stop else set(movable_images(wanted)))


@pytest.mark.parametrize("image", [OLD, "redis:${meta.tag}", ""])
def test_what_can_not_move_is_not_resolved(image: str) -> None:
    assert movable_images(job(image)) == {}


def test_nothing_is_resolved_without_a_new_version() -> None:
    assert images_to_resolve(planned(job(), registers=False), state()) == {}


def test_the_begin_records_digests_and_starts_bring_them() -> None:
    here = World([node("h1", drivers=frozenset({"docker"}))])
    (plan,) = here.plan(job()).jobs
    stamp = Stamp(now=1, ids=here.fresh_id, run="r", images={"web": {"redis:7": NEW}})
    change = opened(plan, JobState(key="web"), stamp)
    assert from_json(JobChange, to_json(change)) == change
    after = JobState(key="web").changed(change, 1)
    assert after.versions[0].images == {"redis:7": NEW}
    ((start,),) = wave(plan, after, stamp).chains
    assert isinstance(start, Start)
    assert start.images == {"redis:7": NEW}


def test_versions_of_an_older_orch_have_none() -> None:
    data = to_json(replace(FIRST, images={}))
    assert "Images" not in data
    assert from_json(JobVersion, data).images == {}
