"""A plan for a forge: all that matters in sight, diffs folded, never above the limit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.view.plan_markdown import markdown
from planner.evaluate import plan_jobs
from planner.job import Job
from planner.plan import Drift, Plan, UnknownHost
from planner.source import Source
from tests.planner.scenes import Scene, group, job, node, scene

SOURCE = Source(commit="0123456789abcdef")


def plan(jobs: list[Job], here: Scene) -> Plan:
    made = plan_jobs([(f"{j.id}.nomad.hcl", j) for j in jobs], here.situation)
    return Plan(cluster="shop", index=7, source=SOURCE, jobs=made)


def named(name: str, count: int = 1) -> Job:
    return job(group(count), id=name, name=name)


def test_what_changes_is_a_table_and_its_diff_is_folded() -> None:
    here = scene(node("a")).converged(named("web"))
    said = markdown(plan([named("web", 3), named("new")], here))
    assert said.startswith(
        "### Plan: 2 jobs to change: 3 create, 1 in\\-place update.\n\n"
        "Plan of `0123456789ab` for cluster `shop` at index 7.\n\n"
        "| Job | Create | In-place update | Hosts |\n"
        "| --- | ---: | ---: | --- |\n"
        "| new | 1 |  | a |\n"
        "| web | 2 | 1 | a |\n"
    )
    assert "<details><summary>new</summary>\n\n```diff\n+ Job:" in said
    assert said.endswith("```\n\n</details>\n")


def test_replacements_say_what_forces_them() -> None:
    here = scene(node("a")).converged(named("web"))
    (old,) = named("web").task_groups
    (task,) = old.tasks
    changed = replace(named("web"), task_groups=(replace(old, tasks=(replace(task, user="me"),)),))
    said = markdown(plan([changed], here))
    assert "#### Replaced, and why\n\n- **web** / " in said


def test_what_is_not_placed_unknown_or_drifted_is_named() -> None:
    made = replace(
        plan([named("big", 100)], scene(node("a"))),
        unknown=(UnknownHost(host="b", reason="timed out"),),
        drift=(Drift(kind="dead", host="a", alloc="1234", name="x.g[0]", detail="exit 1"),),
    )
    said = markdown(made)
    assert "#### Not placed in full\n\n- **big** / " in said
    assert "#### Unknown hosts\n\n- b: timed out" in said
    assert "#### Drift\n\n- x.g\\[0\\] on a: dead, exit 1" in said


def test_an_empty_plan_is_one_sentence() -> None:
    here = scene(node("a")).converged(named("web"))
    said = markdown(plan([named("web")], here))
    assert said.startswith("### No changes. The hosts run what the jobs describe.\n")
    assert "details" not in said


def test_words_of_specs_are_no_markup() -> None:
    made = plan([named("a")], scene(node("a")))
    (one,) = made.jobs
    hostile = replace(one, key="<img> [x](y) `@team` #1 \x1b[31m", warnings=("**b** | c",))
    said = markdown(replace(made, jobs=(hostile,)))
    assert "<img>" not in said
    assert "@team" not in said
    assert "\x1b" not in said
    assert r"\*\*b\*\* \| c" in said


@pytest.mark.parametrize("limit", [20_000, 4000, 1000])
def test_it_stays_below_the_limit_and_says_what_is_left_out(limit: int) -> None:
    jobs = [named(f"job{n:03}") for n in range(300)]
    said = markdown(plan(jobs, scene(node("a"))), limit)
    assert len(said) <= limit
    assert "did not fit" in said or "cut off" in said


def test_a_thousand_jobs_fit_a_comment_with_all_that_matters() -> None:
    jobs = [named(f"job{n:04}") for n in range(999)]
    said = markdown(plan([*jobs, named("zebra", 100)], scene(node("a"))))
    assert said.startswith("### Plan: 1000 jobs to change: ")
    assert len(said) <= 65_536
    assert "#### Not placed in full\n\n- **job" in said
    assert "| job0000 | 1 | a |" in said
    assert "did not fit; see the output of `orch plan`." in said


@given(st.text(max_size=40), st.integers(min_value=300, max_value=3000))
def test_whatever_the_words_it_stays_below_the_limit(words: str, limit: int) -> None:
    made = plan([named("a"), named("b")], scene(node("a")))
    jobs = tuple(replace(j, key=words or "x", warnings=(words,)) for j in made.jobs)
    assert len(markdown(replace(made, jobs=jobs), limit)) <= limit
