"""A spec that failed and was taken back is known again."""

from __future__ import annotations

from dataclasses import replace

from planner.evaluate import Situation, plan_job
from planner.job import Job
from planner.observed import Observed
from planner.recorded import Deployment, DeploymentStatus, JobState, JobVersion, Recorded
from planner.way_back import taken_back

GOOD, BAD, OTHER = Job(id="web"), Job(id="web", priority=60), Job(id="web", priority=70)
FAILED = Deployment(
    id="d1",
    job_version=1,
    status=DeploymentStatus.FAILED,
    description="Failed due to unhealthy allocations - rolling back to job version 0",
)


def version(number: int, job: Job) -> JobVersion:
    return JobVersion(version=number, index=number, submit_time=0, job=job)


STATE = JobState(
    key="web",
    versions=(version(2, GOOD), version(1, BAD), version(0, GOOD)),
    deployments=(FAILED,),
)


def test_the_spec_that_failed_is_known_and_others_are_not() -> None:
    found = taken_back(STATE, BAD)
    assert found is not None
    assert found.version == 1
    assert taken_back(STATE, OTHER) is None
    assert taken_back(STATE, GOOD) is None


def test_a_plan_warns_of_what_has_failed_before() -> None:
    seen = Situation(recorded=Recorded(jobs={"web": STATE}), observed=Observed(), now=0)
    (told,) = plan_job(BAD, seen).warnings
    assert told.startswith("this very spec has failed as version 1, and was taken back")
    assert plan_job(OTHER, seen).warnings == ()


def test_one_that_failed_and_stayed_is_no_matter_of_going_back() -> None:
    stayed = replace(FAILED, description="Failed due to unhealthy allocations")
    assert taken_back(replace(STATE, deployments=(stayed,)), BAD) is None


def test_one_that_was_tried_by_hand_again_and_did_well_is_forgiven() -> None:
    good = Deployment(id="d3", job_version=3, status=DeploymentStatus.SUCCESSFUL)
    later = replace(
        STATE,
        versions=(version(4, GOOD), version(3, BAD), *STATE.versions),
        deployments=(FAILED, good),
    )
    assert taken_back(later, BAD) is None
