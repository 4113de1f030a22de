from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from planner.capacity import Fleet, Load, fleet
from planner.codec import to_json
from planner.evaluate import plan_job
from planner.job import Constraint, Job
from planner.observed import NodeStatus, ObservedAlloc
from planner.occupancy import Occupancy
from planner.recorded import Recorded
from tests.planner.scenes import RUNNING, Scene, ended, group, job, node, scene
from tests.planner.test_planner_properties import EXAMPLES, fleets, jobs, scenes


def _first_record_gone(here: Scene) -> Scene:
    return here.with_state(allocs=here.state().allocs[1:])


def _job_forgotten(here: Scene) -> Scene:
    return replace(here, recorded=Recorded(index=here.recorded.index))


def _foreign(here: Scene) -> Scene:
    name = min(here.observed.nodes)
    alien = ObservedAlloc(
        id="alien", node=name, name="x.y[0]", job_id="x", group="y", cpu=100, ports={"p": 8080}
    )
    allocs = {**here.observed.allocs, "alien": alien}
    return replace(here, observed=replace(here.observed, allocs=allocs))


def _moved(here: Scene) -> Scene:
    last = max(here.observed.nodes)
    allocs = {i: replace(a, node=last) for i, a in here.observed.allocs.items()}
    return replace(here, observed=replace(here.observed, allocs=allocs))


def _barred(here: Scene) -> Scene:
    return here.barred(min(here.observed.nodes))


def _lost(here: Scene) -> Scene:
    return here.with_node(min(here.observed.nodes), status=NodeStatus.UNKNOWN)


def _emptied(here: Scene) -> Scene:
    return replace(here, observed=replace(here.observed, allocs={}))


STEPS: tuple[Callable[[Scene], Scene], ...] = (
    _first_record_gone,
    _job_forgotten,
    _foreign,
    _moved,
    _barred,
    _lost,
    _emptied,
    lambda here: here.with_seen("web.api[0]", tasks=ended(failed=True)),
    lambda here: here.with_seen("web.api[0]", tasks=RUNNING),
    lambda here: here.with_seen("web.api[0]", desired="stop"),
    lambda here: here.joined(node("late")),
)


def _load(load: Load) -> dict[str, Any]:
    return {name: getattr(load, name) for name in Load.__slots__}


def _plain(found: Fleet) -> tuple[dict[str, Any], dict[str, Any]]:
    return {n: _load(x) for n, x in found.loads.items()}, found.holdings


@EXAMPLES
@given(scenes(), st.lists(st.one_of(jobs(), st.sampled_from(STEPS)), max_size=6))
def test_what_is_kept_equals_what_is_counted_anew(
    here: Scene, steps: list[Job | Callable[[Scene], Scene]]
) -> None:
    kept = Occupancy()
    for number, step in enumerate(steps):
        if isinstance(step, Job):
            wanted = replace(step, id=("web", "other")[number % 2])
            plan = plan_job(wanted, here.situation, occupancy=kept)
            assert to_json(plan) == to_json(here.plan(wanted))
            here = here.after(plan)
        else:
            here = step(here)
        found = kept.fleet(here.recorded, here.observed)
        assert _plain(found) == _plain(fleet(here.recorded, here.observed))


@EXAMPLES
@given(fleets(), jobs(), jobs())
def test_a_trial_leaves_nothing(here: Scene, first: Job, second: Job) -> None:
    here, kept = here.applied(first), Occupancy()
    before = _plain(fleet(here.recorded, here.observed))
    plan_job(second, here.situation, occupancy=kept)
    assert _plain(kept.fleet(here.recorded, here.observed)) == before


def test_a_group_is_held_against_every_node_where_it_asks_for_one_by_name() -> None:
    here = scene(*(node(n, meta={"unique.rack": n}) for n in "abc"))
    for target in ("${node.unique.name}", "${meta.unique.rack}"):
        only = Constraint(l_target=target, operand="=", r_target="b")
        plan = here.plan(job(group(2, constraints=(only,))))
        assert {c.node for c in plan.changes} == {"b"}
