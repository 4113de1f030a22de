"""What a deployment waits for: a reschedule to come, not one that found no room."""

from __future__ import annotations

from planner.job import SECOND, Job, ReschedulePolicy, TaskGroup
from planner.observed import TaskPhase, TaskState
from planner.patience import next_due
from planner.recorded import AllocRecord, ClientStatus, Deployment, DeploymentGroup, JobState

POLICY = ReschedulePolicy(delay=30 * SECOND, delay_function="constant", unlimited=True)
JOB = Job(id="web", task_groups=(TaskGroup(name="g", reschedule_policy=POLICY),))


def failed(index: int, second: int) -> AllocRecord:
    ended = TaskState(state=TaskPhase.DEAD, failed=True, finished_at=second * SECOND)
    return AllocRecord(
        id=f"a{index}",
        name=f"web.g[{index}]",
        group="g",
        node="h1",
        deployment="d",
        client=ClientStatus.FAILED,
        healthy=False,
        tasks={"t": ended},
    )


STATE = JobState(
    key="web",
    allocs=(failed(0, 10), failed(1, 20)),
    deployments=(Deployment(id="d", job_version=0, groups={"g": DeploymentGroup()}),),
)


def test_the_first_reschedule_is_due_after_its_delay() -> None:
    assert next_due(STATE, JOB, planned=15 * SECOND) == 40 * SECOND


def test_what_was_due_when_the_job_was_planned_is_not_waited_for_again() -> None:
    assert next_due(STATE, JOB, planned=40 * SECOND) == 50 * SECOND
    assert next_due(STATE, JOB, planned=50 * SECOND) is None
