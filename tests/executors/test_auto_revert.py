"""What becomes of a job whose deployment fails, with `auto_revert` and without, in virtual time."""

from __future__ import annotations

from dataclasses import replace

from executors.boundary import Boundary
from planner.events import DeploymentUpdate
from planner.job import SECOND
from planner.recorded import DeploymentStatus
from tests.executors.stories import PATIENT, deployment, job, only, progress, shape
from tests.world import CrashError, World, node

GOOD, BAD = "/bin/good", "/bin/bad"


def world() -> World:
    """A world in which allocations that are started second of their name end at once."""
    here = World([node("h1"), node("h2")])
    here.apply(job(2, GOOD, auto_revert=True))
    return here


def all_crash_once(here: World, times: int = 100) -> None:
    """From now on so many starts crash."""
    left = [times]

    def crashes(_: str) -> bool:
        left[0] -= 1
        return left[0] >= 0

    here.fleet.crashes = crashes


def test_what_cannot_be_placed_again_fails_at_once_and_the_job_goes_back() -> None:
    here = world()
    all_crash_once(here, 1)
    start = here.clock.monotonic()
    result = here.apply(job(2, BAD, auto_revert=True))
    assert here.clock.monotonic() - start < 15
    assert result.exit_code == 5
    assert only(result)[1] == "Failed due to unhealthy allocations - rolling back to job version 0"
    assert result.outcomes[0].rolled_back_to == 0
    assert "Version 0 runs again" in result.outcomes[0].detail
    assert shape(here) == ["0@2", "1@2"]
    state = here.look().recorded.job("web")
    assert state.version(2).job == state.version(0).job  # type: ignore[union-attr]
    assert [v.stable for v in state.versions] == [True, False, True]
    assert [d.status for d in state.deployments] == [
        DeploymentStatus.SUCCESSFUL,
        DeploymentStatus.FAILED,
        DeploymentStatus.SUCCESSFUL,
    ]
    assert state.evaluations[-1].triggered_by == "deployment-watcher"


def test_the_end_of_the_failed_deployment_is_told_before_the_next_one() -> None:
    here = world()
    all_crash_once(here, 1)
    here.events.clear()
    here.apply(job(2, BAD, auto_revert=True))
    told = [e.deployment for e in here.events if isinstance(e, DeploymentUpdate)]
    # What has not moved may be told again.
    ends = list(dict.fromkeys(d.status for d in told if not d.status.active))
    assert ends == [DeploymentStatus.FAILED, DeploymentStatus.SUCCESSFUL]


def test_what_may_be_placed_again_is_waited_for_until_the_deadline_for_progress() -> None:
    here = World([node("h1"), node("h2")])
    here.apply(job(2, GOOD, auto_revert=True, policy=PATIENT))
    all_crash_once(here, 1)
    start = here.clock.monotonic()
    result = here.apply(job(2, BAD, auto_revert=True, policy=PATIENT))
    assert only(result)[1] == "Failed due to progress deadline - rolling back to job version 0"
    assert 15 <= here.clock.monotonic() - start < 25
    failed = here.look().recorded.job("web").deployments[-2].groups["g"]
    assert (failed.placed, failed.healthy, failed.unhealthy) == (1, 0, 1)
    assert shape(here) == ["0@2", "1@2"]


def test_a_reschedule_that_is_due_in_time_saves_the_deployment() -> None:
    here = World([node("h1"), node("h2")])
    patient = replace(PATIENT, delay=5 * SECOND)
    here.apply(job(2, GOOD, auto_revert=True, policy=patient))
    all_crash_once(here, 1)
    assert here.apply(job(2, BAD, auto_revert=True, policy=patient)).exit_code == 0
    group = progress(here)
    assert (group.placed, group.healthy, group.unhealthy) == (3, 2, 1)
    assert here.plan(job(2, BAD, auto_revert=True, policy=patient)).empty


def test_attempts_that_are_used_up_fail_it_before_the_deadline() -> None:
    here = World([node("h1"), node("h2")])
    thrice = replace(
        PATIENT,
        unlimited=False,
        attempts=3,
        interval=600 * SECOND,
        delay=5 * SECOND,
        delay_function="constant",
    )
    all_crash_once(here)
    slow = {"policy": thrice, "progress_deadline": 300 * SECOND}
    result = here.apply(job(1, BAD, **slow))
    assert only(result)[1] == "Failed due to unhealthy allocations"
    assert (progress(here).placed, progress(here).unhealthy) == (4, 4)


def test_without_a_stable_version_there_is_no_way_back() -> None:
    here = World([node("h1")])
    all_crash_once(here)
    result = here.apply(job(2, BAD, auto_revert=True))
    assert only(result)[1] == (
        "Failed due to unhealthy allocations - no stable job version to auto revert to"
    )
    assert result.outcomes[0].rolled_back_to is None


def test_the_same_spec_is_no_way_back() -> None:
    here = world()
    all_crash_once(here)
    result = here.apply(job(2, BAD, auto_revert=True))
    assert result.exit_code == 5
    assert result.outcomes[0].rolled_back_to is None
    assert deployment(here).description == (
        "Failed due to unhealthy allocations - not rolling back to stable job version 2"
        " as current job has same specification"
    )


def test_where_its_values_are_not_at_hand_a_job_stays_where_it_is() -> None:
    here = world()
    all_crash_once(here, 1)
    here.can_open = lambda _: False
    result = here.apply(job(2, BAD, auto_revert=True))
    assert deployment(here).description == "Failed due to unhealthy allocations"
    assert "Not rolled back to version 0: its sensitive values are not at hand." in (
        result.outcomes[0].detail
    )


def test_a_canary_that_fails_takes_the_job_back_without_touching_the_rest() -> None:
    here = World([node("h1"), node("h2")])
    here.apply(job(2, GOOD, auto_revert=True, canary=1))
    before = here.running()
    all_crash_once(here, 1)
    result = here.apply(job(2, BAD, auto_revert=True, canary=1))
    assert only(result)[1] == "Failed due to unhealthy allocations - rolling back to job version 0"
    assert here.running() == before
    assert shape(here) == ["0@2", "1@2"]


def test_a_crash_right_after_the_way_back_was_decided_is_finished_by_the_next() -> None:
    here = world()
    all_crash_once(here, 1)

    def crash(boundary: Boundary) -> None:
        if boundary is Boundary.CONCLUDED:
            raise CrashError(boundary)

    try:
        here.apply(job(2, BAD, auto_revert=True), at=crash)
    except CrashError:
        assert here.apply(job(2, GOOD, auto_revert=True)).exit_code == 0
    assert shape(here) == ["0@2", "1@2"]
    assert here.plan(job(2, GOOD, auto_revert=True)).empty


def test_a_healthy_deadline_that_is_missed_waits_for_the_deadline_for_progress() -> None:
    here = World([node("h1"), node("h2")])
    here.apply(job(2, GOOD, policy=PATIENT))
    start = here.clock.monotonic()
    # Nothing that is started is healthy for so long before its time is over.
    result = here.apply(job(2, BAD, policy=PATIENT, min_healthy_time=12 * SECOND))
    assert only(result)[1] == "Failed due to progress deadline"
    assert 15 <= here.clock.monotonic() - start < 25
