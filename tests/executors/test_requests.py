"""Requests that come while a run holds the job: the run takes them in before it lets the job go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from executors.boundary import Boundary
from executors.outcome import OutcomeKind
from gitops.ledger.protocol import Guard
from gitops.orders import Orders
from planner.errors import ConflictError
from planner.events import Message
from planner.job import SECOND
from planner.recorded import Deployment, DeploymentStatus, JobChange, JobState
from planner.request import Request, Verb
from tests.executors.stories import allocs, deployment, job, only, progress, shape
from tests.world import CrashError, World, node

BETTER = job(command="/bin/b", canary=1)


def world() -> World:
    here = World([node("h1"), node("h2")])
    assert here.apply(job(canary=1)).exit_code == 0
    return here


def recorded(here: World) -> JobState:
    return here.ledger().read().recorded.job("web")


def current(here: World) -> Deployment:
    """The latest deployment, as the run's journal has it."""
    found = here.ledger().read().folded().job("web").deployment
    assert found is not None
    return found


def ask(here: World, verb: Verb, **more: Any) -> Request:  # noqa: ANN401
    """Record a request as a command does: on condition that the job is in the same hands."""
    named = Request(id=here.fresh_id(), verb=verb, deployment=current(here).id, by="ann@box")
    request = replace(named, **more)
    ledger = here.ledger()
    snapshot = ledger.read()
    guard = Guard(key="web", modify_index=snapshot.recorded.job("web").modify_index)
    change = JobChange(key="web", requests=(request,))
    ledger.commit(snapshot, [change], message="ask", guards=[guard])
    return request


def once(boundary: Boundary, act: Callable[[], object]) -> Callable[[Boundary], None]:
    """Act when the boundary is passed first."""
    left = [act]

    def at(passed: Boundary) -> None:
        if passed is boundary and left:
            left.pop()()

    return at


def answers(here: World) -> dict[str, str]:
    return {a.id: a.refusal for a in recorded(here).answers}


def told(here: World) -> list[str]:
    return [e.text for e in here.events if isinstance(e, Message)]


def test_a_promotion_asked_for_just_before_the_end_is_done_by_the_same_run() -> None:
    here = world()
    asked: list[Request] = []
    at = once(Boundary.JUDGED, lambda: asked.append(ask(here, Verb.PROMOTE)))
    assert here.apply(BETTER, at=at).exit_code == 0
    assert shape(here) == ["0@1", "1@1", "2@1"]
    assert deployment(here).status is DeploymentStatus.SUCCESSFUL
    assert answers(here) == {asked[0].id: ""}
    assert recorded(here).requests == ()
    assert told(here) == [f"Deployment {deployment(here).id[:8]} is promoted, as ann@box asks"]
    assert here.plan(BETTER).empty


def test_a_pause_ends_the_run_and_a_resumption_the_pause() -> None:
    here = world()
    at = once(Boundary.JUDGED, lambda: ask(here, Verb.PAUSE))
    result = here.apply(BETTER, at=at)
    assert only(result) == (OutcomeKind.INCOMPLETE, "its deployment is paused")
    assert deployment(here).status is DeploymentStatus.PAUSED
    assert recorded(here).run == ""


def test_both_within_one_run_are_nothing_in_the_end() -> None:
    here = world()

    def both() -> None:
        ask(here, Verb.PAUSE)
        ask(here, Verb.RESUME)

    result = here.apply(BETTER, at=once(Boundary.JUDGED, both))
    assert only(result)[1] == "its canaries are healthy and wait for promotion"
    assert list(answers(here).values()) == ["", ""]
    assert deployment(here).status is DeploymentStatus.RUNNING


def test_a_failure_by_hand_is_one_of_the_run_and_goes_back() -> None:
    here = World([node("h1"), node("h2")])
    here.apply(job(canary=1, auto_revert=True))
    at = once(Boundary.JUDGED, lambda: ask(here, Verb.FAIL))
    result = here.apply(job(command="/bin/b", canary=1, auto_revert=True), at=at)
    assert result.exit_code == 5
    assert only(result)[1] == "Deployment marked as failed - rolling back to job version 0"
    assert result.outcomes[0].rolled_back_to == 0
    assert shape(here) == ["0@2", "1@2", "2@2"]
    assert list(answers(here).values()) == [""]


def test_of_two_failures_one_is_refused_and_there_is_one_way_back() -> None:
    here = World([node("h1"), node("h2")])
    here.apply(job(canary=1, auto_revert=True))

    def both() -> None:
        ask(here, Verb.FAIL)
        ask(here, Verb.FAIL)

    at = once(Boundary.JUDGED, both)
    assert here.apply(job(command="/bin/b", canary=1, auto_revert=True), at=at).exit_code == 5
    assert list(answers(here).values()) == ["", "can't fail terminal deployment"]
    assert [v.version for v in recorded(here).versions] == [2, 1, 0]


def test_what_is_asked_of_a_deployment_that_has_just_ended_is_refused() -> None:
    here = World([node("h1")])
    at = once(Boundary.CONCLUDED, lambda: ask(here, Verb.PAUSE))
    result = here.apply(job(1), at=at)
    assert result.exit_code == 0
    assert list(answers(here).values()) == ["can't pause terminal deployment"]
    assert deployment(here).status is DeploymentStatus.SUCCESSFUL


def test_a_failure_stays_one_though_something_was_asked_after_it() -> None:
    here = World([node("h1")])
    here.fleet.crashes = lambda _: True
    at = once(Boundary.CONCLUDED, lambda: ask(here, Verb.PROMOTE))
    result = here.apply(job(1), at=at)
    assert result.exit_code == 5
    assert only(result)[1] == "Failed due to unhealthy allocations"
    assert list(answers(here).values()) == ["can't promote terminal deployment"]


def test_health_that_a_person_says_meanwhile_ends_the_rollout() -> None:
    here = World([node("h1")])
    spec = job(1, health_check="manual")

    def say() -> None:
        live = here.ledger().read().folded().job("web").allocs
        ask(here, Verb.HEALTH, healthy=tuple(a.id for a in live))

    assert here.apply(spec, at=once(Boundary.RECORDED, say)).exit_code == 0
    assert deployment(here).status is DeploymentStatus.SUCCESSFUL


def test_a_job_that_has_changed_hands_is_not_asked() -> None:
    here = world()
    stale = here.ledger().read()
    here.apply(BETTER)
    change = JobChange(
        key="web", requests=(Request(id="a", verb=Verb.PAUSE, deployment=current(here).id),)
    )
    guard = Guard(key="web", modify_index=stale.recorded.job("web").modify_index)
    with pytest.raises(ConflictError):
        here.ledger().commit(stale, [change], message="ask", guards=[guard])


# ── runs that die ────────────────────────────────────────────────────────────────────────────────


def crash() -> None:
    raise CrashError


def crashed(here: World, asks: tuple[Boundary, Verb], dies: Boundary) -> None:
    """An apply of whose deployment something is asked at a boundary, and that dies at another."""
    boundary, verb = asks
    asking, dying = once(boundary, lambda: ask(here, verb)), once(dies, crash)

    def at(passed: Boundary) -> None:
        asking(passed)
        dying(passed)

    with pytest.raises(CrashError):
        here.apply(BETTER, at=at)


def test_what_a_dead_run_has_not_taken_in_the_next_one_does() -> None:
    here = world()
    crashed(here, (Boundary.JUDGED, Verb.PROMOTE), Boundary.JUDGED)
    assert len(recorded(here).requests) == 1
    assert here.apply(BETTER).exit_code == 0
    assert shape(here) == ["0@1", "1@1", "2@1"]
    assert list(answers(here).values()) == [""]


def test_what_a_dead_run_has_taken_in_the_next_one_does_not_do_again() -> None:
    here = world()
    crashed(here, (Boundary.JUDGED, Verb.FAIL), Boundary.ANSWERED)
    # In the state it waits yet, in the journal it is answered.
    assert len(recorded(here).requests) == 1
    assert here.ledger().read().folded().job("web").requests == ()
    result = here.apply(BETTER)
    assert only(result) == (OutcomeKind.FAILED, "Deployment marked as failed")
    assert list(answers(here).values()) == [""]
    assert len(recorded(here).deployments) == 2
    assert shape(here) == ["0@0", "1@0", "2@0"]


def test_a_pause_is_taken_in_by_the_next_before_it_begins_anything() -> None:
    here = world()
    crashed(here, (Boundary.JUDGED, Verb.PAUSE), Boundary.JUDGED)
    here.fleet.steps.clear()
    assert only(here.apply(BETTER)) == (OutcomeKind.INCOMPLETE, "its deployment is paused")
    assert not here.fleet.steps


def test_another_spec_takes_nothing_in_for_a_deployment_that_it_cancels() -> None:
    here = world()
    crashed(here, (Boundary.JUDGED, Verb.PROMOTE), Boundary.JUDGED)
    assert only(here.apply(job(command="/bin/c", canary=1)))[1].startswith("its canaries are")
    assert list(answers(here).values()) == ["can't promote terminal deployment"]
    assert not progress(here).promoted
    assert [a.job_version for a in allocs(here) if a.canary] == [2]


def test_a_request_that_waits_makes_a_plan_of_nothing_else_worth_an_apply() -> None:
    here = world()
    here.apply(BETTER)
    ask(here, Verb.PAUSE)
    here.apply(BETTER)
    assert deployment(here).status is DeploymentStatus.PAUSED
    ask(here, Verb.RESUME)
    assert not here.plan(BETTER).empty
    here.apply(BETTER)
    assert deployment(here).status is DeploymentStatus.RUNNING
    assert here.ledger().read().recorded.job("web").requests == ()


def test_who_carries_out_their_own_request_answers_it() -> None:
    here = world()
    here.apply(BETTER)
    request = ask(here, Verb.PROMOTE)
    assert here.apply(BETTER, orders=Orders(requests={"web": request}, anyway=True)).exit_code == 0
    assert answers(here) == {request.id: ""}
    assert recorded(here).requests == ()


def test_a_run_that_is_told_to_stop_leaves_what_is_asked_to_the_next() -> None:
    here = World([node("h1")])
    here.apply(job(2))
    spec = job(2, "/bin/b", min_healthy_time=5 * SECOND)

    def interrupt() -> None:
        ask(here, Verb.PAUSE)
        here.stopping = lambda: True

    assert here.apply(spec, at=once(Boundary.STARTED, interrupt)).exit_code == 130
    assert (recorded(here).run, len(recorded(here).requests)) == ("", 1)
    here.stopping = lambda: False
    assert only(here.apply(spec)) == (OutcomeKind.INCOMPLETE, "its deployment is paused")
    assert shape(here) == ["0@1", "1@0"]
