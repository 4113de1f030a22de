"""What requests come to that wait for a job: each once, in order, or refused for a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from planner.answering import answered
from planner.codec import FormatError, from_json, to_json
from planner.job import Job, TaskGroup, Update
from planner.recorded import (
    AllocRecord,
    Deployment,
    DeploymentGroup,
    DeploymentStatus,
    JobChange,
    JobState,
    JobVersion,
)
from planner.request import KEPT_ANSWERS, MOST_REQUESTS, Answer, Request, Verb, problem

D1, D0 = "d1d1d1d1-0000", "d0d0d0d0-0000"
JOB = Job(id="web", task_groups=(TaskGroup(name="g", count=2, update=Update(canary=1)),))
OLD = replace(JOB, priority=40)


def ask(number: int, verb: Verb, **more: Any) -> Request:  # noqa: ANN401
    request = Request(id=f"{number:08x}", verb=verb, deployment=D1, by="ann@box")
    return replace(request, **more)


def state(*requests: Request, healthy: bool = True, **group: Any) -> JobState:  # noqa: ANN401
    """A job whose second version has a canary that waits to be promoted."""
    trying = DeploymentGroup(desired_total=2, desired_canaries=1, **group)
    canary = AllocRecord(
        id="a1", name="web.g[0]", group="g", node="h1", deployment=D1, canary=True, healthy=healthy
    )
    return JobState(
        key="web",
        modify_index=7,
        run="r1",
        versions=(
            JobVersion(version=1, index=7, submit_time=0, job=JOB),
            JobVersion(version=0, index=3, submit_time=0, job=OLD, stable=True),
        ),
        allocs=(canary,),
        deployments=(
            Deployment(id=D0, job_version=0, status=DeploymentStatus.SUCCESSFUL),
            Deployment(id=D1, job_version=1, groups={"g": trying}),
        ),
        requests=requests,
    )


def after(before: JobState) -> JobState:
    """The job with all of it recorded, journal entry after journal entry."""
    now = 0
    while before.requests:
        now += 1
        found = answered(before, JOB, now)
        ends = (found.end.change(),) if found.end else ()
        for change in (*found.changes, *ends):
            before = before.changed(change, before.modify_index)
    return before


def refusals(of: JobState) -> list[str]:
    return [a.refusal for a in of.answers]


def test_it_is_done_and_answered_in_one_change() -> None:
    found = answered(state(ask(1, Verb.PAUSE)), JOB, 9)
    (change,) = found.changes
    assert change.deployments[0].status is DeploymentStatus.PAUSED
    assert change.answers == (Answer(id="00000001", time=9),)
    assert found.told == ("Deployment d1d1d1d1 is paused, as ann@box asks",)


def test_they_are_done_in_the_order_in_which_they_were_asked() -> None:
    end = after(state(ask(1, Verb.PAUSE), ask(2, Verb.RESUME), ask(3, Verb.PROMOTE)))
    assert refusals(end) == ["", "", ""]
    assert end.deployments[-1].status is DeploymentStatus.RUNNING
    assert end.deployments[-1].groups["g"].promoted
    assert not end.requests


def test_to_promote_twice_is_done_once() -> None:
    end = after(state(ask(1, Verb.PROMOTE), ask(2, Verb.PROMOTE)))
    assert refusals(end) == ["", "no canaries to promote"]


def test_canaries_that_are_not_healthy_are_not_promoted() -> None:
    end = after(state(ask(1, Verb.PROMOTE), healthy=False))
    assert refusals(end) == ['group "g" has 0 of 1 healthy canaries']
    assert not end.deployments[-1].groups["g"].promoted


def test_a_failure_ends_the_deployment_and_names_the_way_back() -> None:
    found = answered(state(ask(1, Verb.FAIL), ask(2, Verb.PAUSE), auto_revert=True), JOB, 9)
    assert not found.changes
    assert found.end is not None
    assert found.end.way.version is not None
    change = found.end.change()
    assert change.answers == (Answer(id="00000001", time=9),)
    assert change.deployments[0].description == (
        "Deployment marked as failed - rolling back to job version 0"
    )


def test_what_comes_after_a_failure_is_refused() -> None:
    end = after(state(ask(1, Verb.FAIL), ask(2, Verb.FAIL), ask(3, Verb.RESUME)))
    assert end.deployments[-1].status is DeploymentStatus.FAILED
    assert refusals(end) == [
        "",
        "can't fail terminal deployment",
        "can't resume terminal deployment",
    ]


@pytest.mark.parametrize("verb", Verb)
def test_a_deployment_that_has_ended_takes_nothing(verb: Verb) -> None:
    (refusal,) = refusals(after(state(ask(1, verb, deployment=D0, healthy=("a1",)))))
    assert "terminal deployment" in refusal


def test_a_deployment_that_is_not_there_takes_nothing() -> None:
    assert refusals(after(state(ask(1, Verb.PAUSE, deployment="ffff")))) == [
        'job "web" has no deployment ffff'
    ]


def test_a_persons_word_for_the_last_canary_promotes_where_that_goes_by_itself() -> None:
    waiting = state(ask(1, Verb.HEALTH, healthy=("a1",)), healthy=False, auto_promote=True)
    assert after(waiting).deployments[-1].groups["g"].promoted


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (ask(1, Verb.PAUSE, deployment="../../etc"), "its ids are none"),
        (replace(ask(1, Verb.PAUSE), id="1" * 65), "its ids are none"),
        (ask(1, Verb.PAUSE, by="\x1b[2J"), "a name in it is longer"),
        (ask(1, Verb.PAUSE, by="x" * 257), "a name in it is longer"),
        (ask(1, Verb.PROMOTE, groups=("g\n",)), "a name in it is longer"),
        (ask(1, Verb.PROMOTE, groups=("g",) * 1001), "it names more than 1000"),
    ],
)
def test_what_no_command_writes_is_refused_and_shown_nowhere(request_: Request, why: str) -> None:
    assert why in problem(request_)
    found = answered(state(request_), JOB, 9)
    (refusal,) = refusals(after(state(request_)))
    assert why in refusal
    assert all(line.isprintable() for line in found.told)
    assert after(state(request_)).deployments == state().deployments


def test_no_more_are_read_than_may_wait() -> None:
    many = [ask(n, Verb.PAUSE) for n in range(MOST_REQUESTS + 2)]
    found = answered(state(*many), JOB, 9)
    refused = [a for c in found.changes for a in c.answers if a.refusal]
    assert len(refused) == 2
    assert len(after(state(*many)).answers) == KEPT_ANSWERS


def test_a_word_that_is_no_verb_is_not_read() -> None:
    data = {**to_json(ask(1, Verb.PAUSE)), "Verb": "destroy"}
    with pytest.raises(FormatError, match="destroy"):
        from_json(Request, json.loads(json.dumps(data)))


def test_what_was_answered_does_not_wait_again() -> None:
    end = after(state(ask(1, Verb.PAUSE)))
    again = end.changed(JobChange(key="web", requests=(ask(1, Verb.PAUSE),)), 9)
    assert not again.requests


def test_to_ask_leaves_the_index_and_to_answer_moves_it() -> None:
    asks = JobChange(key="web", requests=(ask(1, Verb.PAUSE),))
    asked = state().changed(asks, 9)
    assert asked.modify_index == 7
    (change,) = answered(asked, JOB, 9).changes
    assert asked.changed(change, 10).modify_index == 10
    assert state().changed(replace(asks, run="r2"), 9).modify_index == 9
