"""A plan of many jobs ends in a table; what does not change takes one line."""

from __future__ import annotations

from gitops.view import plan_json
from gitops.view.plan_text import text
from planner.evaluate import plan_jobs
from planner.job import Job
from planner.plan import Plan
from planner.recorded import DeploymentStatus
from tests.planner.scenes import Scene, group, job, node, scene

JOBS = [job(group(), id=f"job{n:03}", name=f"job{n:03}") for n in range(40)]


def _running(jobs: list[Job]) -> Scene:
    here = scene(node("a"), node("b"))
    for each in jobs:
        here = here.converged(each)
    return here


def _plan(jobs: list[Job], here: Scene) -> Plan:
    return Plan(jobs=plan_jobs([(f"{j.id}.nomad.hcl", j) for j in jobs], here.situation))


def test_many_jobs_without_changes_take_one_line() -> None:
    here = _running(JOBS)
    changed = [job(group(2), id="job001", name="job001"), job(group(), id="new", name="new")]
    others = [j for j in JOBS if j.id != "job001"]
    shown = text(_plan([*others, *changed], here))
    assert "39 jobs: no changes (-verbose shows them)" in shown
    table = "Job     Create  In-place update\njob001  1       1\nnew     1       -\n"
    assert f"{table}\nPlan: 2 jobs to change: 2 create, 1 in-place update." in shown
    assert len(shown.splitlines()) < 50


def test_few_jobs_without_changes_are_named() -> None:
    shown = text(_plan(JOBS[:2], _running(JOBS[:2])))
    assert 'Job "job000": no changes\nJob "job001": no changes\n' in shown


def test_what_is_not_placed_in_full_is_noted() -> None:
    big = [job(group(100), id=name, name=name) for name in ("big", "huge")]
    shown = text(_plan(big, scene(node("a"))))
    rows = [line.split("  ") for line in shown.splitlines() if line.endswith("not placed in full")]
    assert [row[0] for row in rows] == ["big", "huge"]


def test_the_order_of_files_changes_nothing() -> None:
    jobs, here = JOBS[:5], _running(JOBS[:3])
    mixed = [jobs[i] for i in (3, 0, 4, 2, 1)]
    one, two = _plan(jobs, here), _plan(mixed, here)
    assert text(one) == text(two)
    assert plan_json.data(one) == plan_json.data(two)


def test_json_has_the_totals() -> None:
    here = _running(JOBS[:2])
    found = plan_json.data(_plan([JOBS[0], JOBS[5]], here))["summary"]
    assert (found["Jobs"], found["Changed"], found["NotPlaced"]) == (2, 1, 0)
    assert found["DesiredTGUpdates"]["Place"] == found["DesiredTGUpdates"]["Ignore"] == 1


def test_a_deployment_that_rests_is_no_end() -> None:
    one = job(group(), id="web", name="web")
    resting = (
        scene(node("a")).applied(one).with_deployment(status=DeploymentStatus.PAUSED, job_version=0)
    )
    plan = _plan([one], resting)
    assert plan.empty
    shown = text(plan)
    assert "Nothing is to be done while its deployment is paused: web." in shown
    assert (
        "* deployment deploy-1 is paused: 'orch deployment resume deploy-1' goes on with it"
        in shown
    )
