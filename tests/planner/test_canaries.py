# ruff: noqa: ANN401 - the builders pass on any field
"""The life of a canary: it waits, is overtaken by another change, fails, or is found good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.action import Action
from planner.job import Job, ReschedulePolicy, Update
from planner.recorded import Deployment, DeploymentGroup, DeploymentStatus
from tests.planner.scenes import Scene, counts, ended, group, job, names, only, scene, task


def spec(count: int = 3, user: str = "", canary: int = 1, **fields: Any) -> Job:
    update = Update(max_parallel=1, canary=canary)
    return job(group(count, update=update, tasks=(task(user=user, **fields),)))


def tried(old: Job, new: Job, **progress: Any) -> Scene:
    """The scene in which canaries of `new` run beside all of `old`."""
    here = scene().applied(old)
    number = len(here.state().allocs)
    here = here.applied(new)
    status = progress.pop("status", DeploymentStatus.RUNNING)
    found = DeploymentGroup(desired_canaries=1, **progress)
    deployment = Deployment(id="d", job_version=1, status=status, groups={"api": found})
    allocs = tuple(
        replace(a, canary=True, deployment="d") if i >= number else a
        for i, a in enumerate(here.state().allocs)
    )
    return here.with_state(allocs=allocs, deployments=(deployment,))


def test_without_max_parallel_nothing_is_tried_first() -> None:
    at_once = Update(max_parallel=0, canary=1)
    old, new = (job(group(3, update=at_once, tasks=(task(user=u),))) for u in ("", "www"))
    assert counts(scene().applied(old).plan(new)) == {"replace": 3}


def test_while_a_canary_waits_nothing_happens() -> None:
    here = tried(spec(), spec(user="www"))
    assert counts(here.plan(spec(user="www"))) == {"ignore": 4}
    reasons = {c.reason for c in here.plan(spec(user="www")).changes}
    assert "user (none) → www, but it is tried by canaries first" in reasons


def test_a_canary_is_overtaken_by_the_next_change() -> None:
    plan = tried(spec(), spec(user="www")).plan(spec(user="root"))
    assert counts(plan) == {"canary": 1, "destroy": 1, "ignore": 3}
    assert only(plan, Action.DESTROY).reason == "a canary that was never promoted"


def test_a_canary_is_overtaken_by_a_change_of_the_count_too() -> None:
    plan = tried(spec(2), spec(2, user="www")).plan(spec(4, user="www"))
    assert counts(plan) == {"canary": 1, "destroy": 1, "ignore": 2}


def test_back_to_the_old_spec_the_canary_goes_and_the_rest_is_only_told() -> None:
    plan = tried(spec(), spec(user="www")).plan(spec())
    assert counts(plan) == {"destroy": 1, "update": 3}


def test_once_promoted_the_canary_takes_the_place_of_its_name() -> None:
    plan = tried(spec(), spec(user="www"), promoted=True).plan(spec(user="www"))
    assert counts(plan) == {"replace": 1, "destroy": 1, "ignore": 2}
    assert only(plan, Action.DESTROY).name == "web.api[0]"
    assert names(plan.changes, Action.DESTRUCTIVE) == ["api[1]"]


def test_a_failed_deployment_ends_its_canaries_and_nothing_else() -> None:
    here = tried(spec(), spec(user="www"), status=DeploymentStatus.FAILED)
    assert counts(here.plan(spec(user="www"))) == {"destroy": 1, "ignore": 3}


def test_canaries_that_are_missing_are_added() -> None:
    here = tried(spec(canary=2), spec(user="www", canary=2))
    kept = [a for a in here.state().allocs if a.name != "web.api[1]" or not a.canary]
    plan = here.with_state(allocs=tuple(kept)).plan(spec(user="www", canary=2))
    assert counts(plan) == {"canary": 1, "ignore": 4}
    assert names(plan.changes, Action.CANARY) == ["api[1]"]


def test_a_lost_one_is_replaced_while_a_canary_waits() -> None:
    here = tried(spec(), spec(user="www"))
    gone = next(a.id for a in here.state().allocs if a.name == "web.api[2]")
    seen = {i: a for i, a in here.observed.allocs.items() if i != gone}
    here = replace(here, observed=replace(here.observed, allocs=seen))
    assert counts(here.plan(spec(user="www"))) == {"create": 1, "ignore": 3}


def test_a_failed_one_keeps_the_policy_it_was_started_with() -> None:
    never = ReschedulePolicy(unlimited=False)
    here = scene().applied(job(group(reschedule_policy=never)))
    here = here.with_seen("web.api[0]", tasks=ended(failed=True, at=1))
    assert counts(here.plan(job())) == {"ignore": 1}
