"""All fields that force an update are told, not only the first."""

from __future__ import annotations

from dataclasses import replace

from planner.action import Action
from planner.job import Job
from planner.plan import Why
from tests.planner.scenes import Scene, group, job, node, nodes, scene, task

HERE = scene(*nodes("a", "b"))


def _why(old: Job, new: Job, here: Scene = HERE) -> tuple[Why, ...]:
    (planned,) = here.converged(old).plan(new).groups
    return planned.why


def test_every_forcing_field_is_named() -> None:
    old = job(group(2, tasks=(task(), task(name="side"))))
    new = job(group(2, tasks=(task(env={"A": "1"}, user="x"), task(name="side", env={"B": "2"}))))
    assert _why(old, new) == (
        Why(action=Action.DESTRUCTIVE, task="main", reason="user (none) → x"),
        Why(action=Action.DESTRUCTIVE, task="main", reason="env.A changed"),
        Why(action=Action.DESTRUCTIVE, task="side", reason="env.B changed"),
    )


def test_what_needs_no_new_allocation_is_named_where_nothing_does() -> None:
    old = job(group(1, tasks=(task(kill_timeout=1),)))
    new = job(group(2, tasks=(task(kill_timeout=10**9),)), priority=70)
    found = _why(old, new)
    assert {w.action for w in found} == {Action.IN_PLACE}
    assert [(w.task, w.reason) for w in found] == [
        ("", "count 1 → 2"),
        ("main", "kill_timeout 1e-09s → 1s"),
        ("", "priority 50 → 70"),
    ]


def test_a_host_that_does_not_fit_any_more_is_a_reason_too() -> None:
    moved = replace(HERE.converged(job()), observed=scene(node("a"), node("b")).observed)
    found = _why(job(), job(datacenters=("dc9",)), moved)
    assert [w.reason for w in found] == ["a is not in the job's datacenters and node pool any more"]


def test_nothing_is_told_where_nothing_is_updated() -> None:
    assert _why(job(), job()) == ()
