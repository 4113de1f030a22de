"""What a person does to a deployment on the simulated fleet, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from executors.outcome import OutcomeKind
from planner.errors import OrchError
from planner.recorded import DeploymentStatus
from planner.request import Verb
from tests.executors.stories import allocs, asked, deployment, job, only, progress, shape
from tests.world import World, node

NEW = job(command="/bin/b", canary=1)


def trying(**changes: Any) -> World:  # noqa: ANN401
    """A world in which a canary is healthy, and waits."""
    here = World([node("h1"), node("h2")])
    here.apply(job(canary=1, **changes))
    here.apply(job(command="/bin/b", canary=1, **changes))
    return here


def test_a_promotion_rolls_the_rest_and_makes_the_version_stable() -> None:
    here = trying()
    canary = progress(here).placed_canaries
    here.fleet.steps.clear()
    assert asked(here, Verb.PROMOTE, NEW).exit_code == 0
    assert shape(here) == ["0@1", "1@1", "2@1"]
    assert next(a.id for a in allocs(here)) == canary[0]
    group = progress(here)
    assert (group.promoted, group.placed, group.healthy) == (True, 3, 3)
    assert deployment(here).status is DeploymentStatus.SUCCESSFUL
    state = here.look().recorded.job("web")
    assert [v.stable for v in state.versions] == [True, True]
    told = {a.name: a.desired_description for a in state.allocs if a.job_version == 0}
    assert told == {
        "web.g[0]": "alloc not needed due to job update",
        "web.g[1]": "alloc is being updated due to job update",
        "web.g[2]": "alloc is being updated due to job update",
    }
    assert here.plan(NEW).empty


def test_blue_becomes_green_at_once() -> None:
    here = World([node("h1"), node("h2")])
    here.apply(job(canary=3))
    here.apply(job(command="/bin/b", canary=3))
    here.fleet.steps.clear()
    spec = job(command="/bin/b", canary=3)
    assert asked(here, Verb.PROMOTE, spec).exit_code == 0
    assert {type(s).__name__ for s in here.fleet.steps} == {"Stop"}
    assert shape(here) == ["0@1", "1@1", "2@1"]


def test_more_are_placed_only_after_the_promotion() -> None:
    here = World([node("h1"), node("h2")])
    here.apply(job(2, canary=1))
    here.apply(job(4, "/bin/b", canary=1))
    assert shape(here) == ["0@0", "0@1*", "1@0"]
    assert asked(here, Verb.PROMOTE, job(4, "/bin/b", canary=1)).exit_code == 0
    assert shape(here) == ["0@1", "1@1", "2@1", "3@1"]
    assert progress(here).desired_total == 4


def test_twice_is_refused_in_nomads_words() -> None:
    here = trying()
    asked(here, Verb.PROMOTE, NEW)
    with pytest.raises(OrchError, match="can't promote terminal deployment"):
        asked(here, Verb.PROMOTE, NEW)


def test_without_canaries_there_is_nothing_to_promote() -> None:
    here = World([node("h1")])
    here.fleet.down.add("h9")
    here.apply(job(1, health_check="manual"))
    with pytest.raises(OrchError, match="no canaries to promote"):
        asked(here, Verb.PROMOTE, job(1, health_check="manual"))


def test_a_group_that_is_not_there_is_not_promoted() -> None:
    with pytest.raises(OrchError, match='no group "x" in this deployment'):
        asked(trying(), Verb.PROMOTE, NEW, groups=("x",))


def test_what_is_failed_by_hand_ends_its_canaries_and_leaves_the_rest() -> None:
    here = trying()
    result = asked(here, Verb.FAIL, NEW)
    assert only(result) == (OutcomeKind.FAILED, "Deployment marked as failed")
    assert shape(here) == ["0@0", "1@0", "2@0"]
    assert here.plan(NEW).empty


def test_what_is_failed_by_hand_goes_back_where_it_says_so() -> None:
    here = trying(auto_revert=True)
    # The verb drives the version that the job goes back to.
    asked(here, Verb.FAIL, job(canary=1, auto_revert=True))
    failed, latest = here.look().recorded.job("web").deployments[-2:]
    assert failed.description == "Deployment marked as failed - rolling back to job version 0"
    assert (latest.job_version, latest.status) == (2, DeploymentStatus.SUCCESSFUL)
    assert shape(here) == ["0@2", "1@2", "2@2"]


def test_a_paused_deployment_rests_until_it_is_resumed() -> None:
    here = trying()
    result = asked(here, Verb.PAUSE, NEW)
    assert only(result) == (OutcomeKind.INCOMPLETE, "its deployment is paused")
    assert deployment(here).description == "Deployment is paused"
    result = asked(here, Verb.RESUME, NEW)
    assert only(result)[1] == "its canaries are healthy and wait for promotion"
    assert deployment(here).description == "Deployment is running but requires manual promotion"


def test_a_promotion_of_what_is_paused_waits_for_it_to_be_resumed() -> None:
    here = trying()
    asked(here, Verb.PAUSE, NEW)
    asked(here, Verb.PROMOTE, NEW)
    assert deployment(here).status is DeploymentStatus.PAUSED
    assert asked(here, Verb.RESUME, NEW).exit_code == 0
    assert shape(here) == ["0@1", "1@1", "2@1"]


def test_health_that_a_person_says_rolls_a_job_on() -> None:
    here = World([node("h1"), node("h2")])
    spec = job(2, health_check="manual")
    result = here.apply(spec)
    assert only(result) == (
        OutcomeKind.INCOMPLETE,
        "web.g[0], web.g[1]: somebody has to say whether it is healthy",
    )
    ids = tuple(a.id for a in allocs(here))
    assert asked(here, Verb.HEALTH, spec, healthy=ids).exit_code == 0
    assert deployment(here).status is DeploymentStatus.SUCCESSFUL


def test_one_of_which_a_person_says_that_it_is_not_well_fails_its_deployment() -> None:
    here = World([node("h1"), node("h2")])
    spec = job(2, health_check="manual")
    here.apply(spec)
    result = asked(here, Verb.HEALTH, spec, unhealthy=(allocs(here)[0].id,))
    assert only(result)[1] == "Failed due to unhealthy allocations"


def test_health_of_others_is_refused() -> None:
    here = trying()
    old = allocs(here, 0)[0].id
    with pytest.raises(OrchError, match="is none of deployment"):
        asked(here, Verb.HEALTH, NEW, healthy=(old,))
