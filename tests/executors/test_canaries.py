"""Canaries on the simulated fleet: they try a version, and somebody, or nobody, finds them good."""

from __future__ import annotations

from executors.outcome import OutcomeKind
from planner.recorded import DeploymentStatus
from tests.executors.stories import PATIENT, allocs, deployment, job, only, progress, shape
from tests.world import World, node


def world(*hosts: str) -> World:
    return World([node(h) for h in hosts or ("h1", "h2")])


def test_a_canary_stands_beside_the_old_ones_and_waits_for_a_person() -> None:
    here = world()
    here.apply(job(canary=1))
    assert deployment(here).description == "Deployment completed successfully"
    result = here.apply(job(command="/bin/b", canary=1))
    assert result.exit_code == 4
    assert only(result) == (
        OutcomeKind.INCOMPLETE,
        "its canaries are healthy and wait for promotion",
    )
    short = deployment(here).id[:8]
    assert result.outcomes[0].detail.endswith(f"orch deployment promote {short}")
    assert shape(here) == ["0@0", "0@1*", "1@0", "2@0"]
    assert deployment(here).description == "Deployment is running but requires manual promotion"
    group = progress(here)
    assert (group.desired_total, group.desired_canaries, group.placed, group.healthy) == (
        3,
        1,
        1,
        1,
    )
    assert group.placed_canaries == tuple(a.id for a in allocs(here, 1))
    assert not here.look().recorded.job("web").run


def test_the_next_apply_of_the_same_spec_waits_on() -> None:
    here = world()
    here.apply(job(canary=1))
    here.apply(job(command="/bin/b", canary=1))
    before = shape(here), deployment(here).id
    assert here.apply(job(command="/bin/b", canary=1)).exit_code == 4
    assert (shape(here), deployment(here).id) == before


def test_a_new_job_has_no_canaries() -> None:
    here = world()
    assert here.apply(job(canary=2)).exit_code == 0
    assert progress(here).desired_canaries == 0


def test_canaries_that_promote_themselves_roll_on_to_the_end() -> None:
    here = world()
    here.apply(job(canary=2, auto_promote=True))
    told: list[str] = []
    here.tell = lambda e: told.append(getattr(getattr(e, "deployment", None), "description", ""))
    assert here.apply(job(command="/bin/b", canary=2, auto_promote=True)).exit_code == 0
    assert "Deployment is running pending automatic promotion" in told
    assert shape(here) == ["0@1", "1@1", "2@1"]
    group = progress(here)
    assert (group.placed, group.healthy, group.promoted) == (3, 3, True)
    reasons = {a.desired_description for a in here.look().recorded.job("web").allocs}
    assert "alloc not needed due to job update" in reasons
    assert here.plan(job(command="/bin/b", canary=2, auto_promote=True)).empty


def test_blue_and_green_stand_beside_each_other() -> None:
    here = world()
    here.apply(job(canary=3))
    here.apply(job(command="/bin/b", canary=3))
    assert shape(here) == ["0@0", "0@1*", "1@0", "1@1*", "2@0", "2@1*"]


def test_the_next_version_replaces_the_canary_and_cancels_its_deployment() -> None:
    here = world()
    here.apply(job(canary=1))
    here.apply(job(command="/bin/b", canary=1))
    here.apply(job(command="/bin/c", canary=1))
    assert shape(here) == ["0@0", "0@2*", "1@0", "2@0"]
    earlier = here.look().recorded.job("web").deployments[-2]
    assert earlier.status is DeploymentStatus.CANCELLED
    assert earlier.description == "Cancelled due to newer version of job"


def test_back_to_the_old_spec_the_canary_goes() -> None:
    here = world()
    here.apply(job(canary=1))
    here.apply(job(command="/bin/b", canary=1))
    assert here.apply(job(canary=1)).exit_code == 0
    assert shape(here) == ["0@2", "1@2", "2@2"]


def test_a_canary_that_fails_for_good_fails_its_deployment_and_goes() -> None:
    here = world()
    here.apply(job(canary=1))
    here.fleet.crashes = lambda _: True
    result = here.apply(job(command="/bin/b", canary=1))
    assert only(result) == (OutcomeKind.FAILED, "Failed due to unhealthy allocations")
    assert shape(here) == ["0@0", "1@0", "2@0"]


def test_a_canary_that_may_be_placed_again_is_a_canary_again() -> None:
    here = world()
    here.apply(job(canary=1, policy=PATIENT, progress_deadline=10 * 60 * 10**9))
    broken = {"left": 1}

    def crashes(_: str) -> bool:
        broken["left"] -= 1
        return broken["left"] >= 0

    here.fleet.crashes = crashes
    spec = job(command="/bin/b", canary=1, policy=PATIENT, progress_deadline=10 * 60 * 10**9)
    assert here.apply(spec).exit_code == 4
    assert shape(here) == ["0@0", "0@1*", "1@0", "2@0"]
    assert len(progress(here).placed_canaries) == 2


def test_what_is_lost_while_canaries_wait_comes_back_as_it_was() -> None:
    here = world()
    here.apply(job(canary=1))
    here.apply(job(command="/bin/b", canary=1))
    gone = next(a for a in allocs(here, 0) if a.index == 2)
    seen = {i: a for i, a in here.fleet.observed.allocs.items() if i != gone.id}
    here.fleet.observed = here.fleet.observed.__class__(
        nodes=here.fleet.observed.nodes, allocs=seen
    )
    assert here.apply(job(command="/bin/b", canary=1)).exit_code == 4
    assert shape(here) == ["0@0", "0@1*", "1@0", "2@0"]
    assert gone.id not in {a.id for a in allocs(here)}


def test_when_one_canary_fails_the_healthy_ones_go_with_it() -> None:
    here = world()
    here.apply(job(canary=2))
    here.fleet.crashes = lambda name: name == "web.g[1]"
    result = here.apply(job(command="/bin/b", canary=2))
    assert result.exit_code == 5
    assert shape(here) == ["0@0", "1@0", "2@0"]
    assert here.plan(job(command="/bin/b", canary=2)).empty
