"""Counts by value while a plan stops some allocations and places others."""

from __future__ import annotations

from planner.job import Update
from planner.score import SPREAD
from planner.uses import Uses
from tests.planner.scenes import counts, group, job, node, scene, task
from tests.planner.test_placement import RACK, spread


def test_what_stands_is_placed_and_leaves() -> None:
    uses = Uses()
    assert not uses
    uses.stand("a", 2)
    uses.place("b")
    uses.leave("a")
    assert (uses["a"], uses["b"], uses["c"]) == (1, 1, 0)
    assert dict(uses.items()) == {"a": 1, "b": 1}


def test_a_value_that_all_have_left_is_still_known() -> None:
    uses = Uses()
    uses.stand("a")
    uses.leave("a")
    assert uses
    assert list(uses.counts()) == [0]
    uses.leave("a", -1)
    assert uses["a"] == 1


def test_of_several_that_left_where_one_came_one_is_counted_on() -> None:
    uses = Uses()
    uses.stand("a", 2)
    uses.leave("a")
    uses.place("a")
    assert uses["a"] == 2
    uses.leave("a")
    assert uses["a"] == 2


def test_nodes_without_the_property_count_nowhere() -> None:
    uses = Uses()
    uses.stand(None)
    assert not uses


def test_a_lone_allocation_that_is_replaced_finds_its_spread_even() -> None:
    racks = (node("a", meta={"rack": "r1"}), node("b", meta={"rack": "r2"}))
    before = job(group(1, spreads=(spread(RACK),)))
    after = job(group(1, spreads=(spread(RACK),), tasks=(task(user="x"),)))
    plan = scene(*racks).applied(before).plan(after)
    assert [s.parts[SPREAD] for s in plan.changes[0].scores] == [-1.0, -1.0]


def test_the_first_of_two_that_are_replaced_goes_where_none_is_left() -> None:
    racks = (node("a", meta={"rack": "r1"}), node("b", meta={"rack": "r2"}))
    fields = {"spreads": (spread(RACK),), "update": Update(max_parallel=1)}
    here = scene(*racks).applied(job(group(2, **fields)))
    plan = here.plan(job(group(2, **fields, tasks=(task(user="x"),))))
    assert counts(plan) == {"replace": 1, "ignore": 1}
    scores = {s.node: s.parts[SPREAD] for s in plan.changes[0].scores}
    assert scores == {"a": 1.0, "b": -1.0}
