"""Explanations fit 80 columns and stay short for a large fleet, unless all of it is asked for."""

from __future__ import annotations

from gitops.view import plan_json
from gitops.view.palette import PLAIN
from gitops.view.plan_text import PlanView, text
from gitops.view.why_text import explanation_lines
from planner.evaluate import plan_jobs
from planner.explanation import Explainer
from planner.job import Constraint
from planner.plan import Plan
from tests.planner.scenes import Scene, group, job, node, scene, task

HOSTS = 3000


def _explained(here: Scene) -> tuple[Plan, Explainer]:
    explainer = Explainer()
    linux = Constraint(l_target="${attr.kernel.name}", r_target="linux")
    wanted = job(group(2), constraints=(linux,))
    return Plan(jobs=plan_jobs([("w", wanted)], here.situation, explainer)), explainer


def test_a_large_fleet_is_summed_up() -> None:
    bsd = {"kernel.name": "freebsd", "kernel.version": "x" * 70}
    fleet = [node(f"h{n:04}", **({"attributes": bsd} if n % 2 else {})) for n in range(HOSTS)]
    _, explainer = _explained(scene(*fleet))
    short = explanation_lines(explainer.explanations, PLAIN)
    assert len(short) < 20
    assert max(map(len, short)) <= 80
    assert "and 1490 more" in "\n".join(short)
    assert "1500 hosts" in "\n".join(short)
    full = "\n".join(explanation_lines(explainer.explanations, PLAIN, verbose=True))
    assert all(f"h{n:04}" in full for n in range(HOSTS))
    assert max(map(len, full.splitlines())) <= 80


def test_the_text_names_the_host_that_is_taken_and_the_reasons() -> None:
    plan, explainer = _explained(scene(node("a"), node("b", eligible=False)))
    shown = text(plan, PlanView(explanations=explainer.explanations))
    assert 'Hosts for group "api" (web.api[0] -> a):' in shown
    assert "Host  binpack  final\na*    0.051    0.051" in shown
    assert "1 host    not eligible (b)" in shown


def test_json_has_counts_and_a_bounded_number_of_hosts() -> None:
    fleet = [node(f"h{n:04}", eligible=n < 20) for n in range(40)]
    plan, explainer = _explained(scene(*fleet))
    (found,) = plan_json.data(plan, explainer.explanations).get("explanations", [])
    assert (found["Feasible"], len(found["Scores"])) == (20, 10)
    (ruled,) = found["RuledOut"]
    assert (ruled["Reason"], ruled["Count"], len(ruled["Hosts"])) == ("not eligible", 20, 10)
    whole = plan_json.data(plan, explainer.explanations, verbose=True)
    (full,) = whole.get("explanations", [])
    assert len(full["Scores"]) == len(full["RuledOut"][0]["Hosts"]) == 20
    assert "explanations" not in plan_json.data(plan)


def test_verbose_plans_name_every_field_that_forces_an_update() -> None:
    here = scene(node("a")).converged(job())
    changed = job(group(tasks=(task(user="x", env={"A": "1"}),)))
    plan = Plan(jobs=(here.plan(changed),))
    shown = text(plan, PlanView(verbose=True))
    assert "api         create/destroy update  main  user (none) → x" in shown
    assert "api         create/destroy update  main  env.A changed" in shown
    assert shown.index("Scheduler dry-run") < shown.index("Because of")
    assert "Because of" not in text(plan)
