"""Hosts that do not answer: how long they are waited for, what stands in, who stays after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from planner.action import Action
from planner.decide import Stamp, wave
from planner.disconnect import watched, with_silence
from planner.job import SECOND, Disconnect, Job, ReschedulePolicy
from planner.node_score import NodeScore
from planner.observed import NodeStatus, Observed
from planner.plan import JobPlan
from planner.recorded import ClientStatus, Desired
from planner.steps import Start
from tests.planner.scenes import NOW, RUNNING, Scene, counts, group, job, node, nodes, only, scene

AWAY = NodeStatus.UNKNOWN
POLICY = ReschedulePolicy(delay=5 * SECOND)


def spec(count: int = 1, **fields: object) -> Job:
    values: dict[str, object] = {"lost_after": 60 * SECOND} | fields
    block = Disconnect(**values)  # type: ignore[arg-type]
    return job(group(count, disconnect=block, reschedule_policy=POLICY))


def silent(here: Scene, *, seconds: int, grace: int = 0, host: str = "a") -> Scene:
    """The scene so many seconds after a host was first found not to answer."""
    here = here.with_node(host, status=AWAY).without_seen("web.api[0]")
    observed = with_silence(here.observed, {host: NOW}, grace)
    return replace(here, observed=observed, now=NOW + seconds * SECOND)


def carried_out(here: Scene, plan: JobPlan) -> Scene:
    """The scene after the records of a plan are written, and what starts of it runs."""
    ids = count(100)
    stamp = Stamp(now=here.now, ids=lambda: f"new-{next(ids)}", run="r")
    decided = wave(plan, here.state(), stamp)
    here = here.with_state(allocs=here.state().changed(decided.change, 9).allocs)
    first = next(iter(here.observed.allocs.values()), None)
    seen = dict(here.observed.allocs)
    for step in (s for c in decided.chains for s in c):
        assert isinstance(step, Start)
        assert first is not None
        seen[step.alloc.id] = replace(
            first, id=step.alloc.id, name=step.alloc.name, node=step.alloc.node, tasks=RUNNING
        )
    return replace(here, observed=Observed(nodes=here.observed.nodes, allocs=seen))


def pair() -> Scene:
    """One on a, whose host does not answer, beside one that goes on on b."""
    here = scene(*nodes("a", "b")).applied(spec(2))
    return here.with_record("web.api[0]", client=ClientStatus.RUNNING)


def test_a_host_is_unknown_since_it_was_first_found_so() -> None:
    gone = Observed(
        nodes={"a": node("a", status=AWAY), "b": node("b"), "c": node("c", status=AWAY)}
    )
    assert watched({"a": 5, "b": 6}, gone, 9) == {"a": 5, "c": 9}
    told = with_silence(gone, {"a": 5}, 3)
    assert {n: (x.silent_since, x.lost_at) for n, x in told.nodes.items()} == {
        "a": (5, 8),
        "b": (0, 0),
        "c": (0, 0),
    }


def test_without_anybody_watching_it_stays_unknown() -> None:
    here = pair().with_node("a", status=AWAY).without_seen("web.api[0]")
    assert replace(here, now=NOW + 3600 * SECOND).plan(spec(2)).empty


def test_another_one_stands_in_after_the_delay_of_a_reschedule() -> None:
    assert silent(pair(), seconds=3).plan(spec(2)).empty
    here = silent(pair(), seconds=5)
    plan = here.plan(spec(2))
    assert counts(plan) == {"create": 1, "ignore": 1}
    change = only(plan, Action.CREATE)
    assert (change.beside, change.replaces, change.node) == ("web-0000", "", "b")
    after = carried_out(here, plan)
    original, other = after.state().alloc("web-0000"), after.state().alloc("new-100")
    assert original is not None
    assert other is not None
    assert (original.desired, original.next) == (Desired.RUN, other.id)
    assert (other.previous, other.reschedules) == (original.id, 1)
    assert after.plan(spec(2)).empty


@pytest.mark.parametrize("policy", [None, ReschedulePolicy(unlimited=False, attempts=0)])
def test_what_may_not_be_rescheduled_has_nothing_to_stand_in(
    policy: ReschedulePolicy | None,
) -> None:
    wanted = replace(
        spec(2), task_groups=(replace(spec(2).task_groups[0], reschedule_policy=policy),)
    )
    here = scene(*nodes("a", "b")).applied(wanted)
    assert silent(here, seconds=30).plan(wanted).empty


def test_with_replace_off_nothing_stands_in_until_it_is_lost() -> None:
    wanted = spec(2, replace=False)
    here = scene(*nodes("a", "b")).applied(wanted)
    assert silent(here, seconds=59).plan(wanted).empty
    plan = silent(here, seconds=60).plan(wanted)
    change = only(plan, Action.CREATE)
    assert (change.replaces, change.lost) == ("web-0000", True)
    assert change.stop_description == "alloc is lost since its node is down"


def test_what_is_lost_is_recorded_so_and_its_host_told_nothing() -> None:
    here = silent(pair(), seconds=5)
    here = carried_out(here, here.plan(spec(2)))
    later = replace(here, now=NOW + 60 * SECOND)
    plan = later.plan(spec(2))
    assert counts(plan) == {"destroy": 1, "ignore": 2}
    after = carried_out(later, plan)
    original = after.state().alloc("web-0000")
    assert original is not None
    assert (original.desired, original.client) == (Desired.STOP, ClientStatus.LOST)
    assert original.desired_description == "alloc is lost since its node is down"
    assert after.plan(spec(2)).empty


def test_a_group_that_says_nothing_is_lost_after_the_grace_of_who_watches() -> None:
    plain = job(group(2))
    here = scene(*nodes("a", "b")).applied(plain)
    grace = 10 * SECOND
    assert silent(here, seconds=9, grace=grace).plan(plain).empty
    assert only(silent(here, seconds=10, grace=grace).plan(plain), Action.CREATE).lost


def test_where_nothing_can_be_placed_it_is_lost_all_the_same() -> None:
    here = scene(node("a")).applied(spec())
    here = silent(here, seconds=60)
    after = carried_out(here, here.plan(spec()))
    assert after.state().allocs[0].client is ClientStatus.LOST


def test_above_the_count_nothing_stands_in() -> None:
    plan = silent(pair(), seconds=5).plan(spec(1))
    assert not [c for c in plan.changes if c.beside]


def test_a_stopped_job_leaves_what_is_cut_off_until_its_host_is_back() -> None:
    plan = silent(pair(), seconds=5).plan(replace(spec(2), stop=True))
    assert counts(plan) == {"destroy": 1, "ignore": 1}


def back(**fields: object) -> Callable[[], tuple[Scene, Job]]:
    """The host is back, and both run."""

    def made() -> tuple[Scene, Job]:
        wanted = spec(2, **fields)
        first = scene(*nodes("a", "b")).applied(wanted)
        seen = first.observed.allocs["web-0000"]
        here = silent(first, seconds=5)
        here = carried_out(here, here.plan(wanted)).with_node(
            "a", status=NodeStatus.READY, silent_since=0
        )
        allocs = {**here.observed.allocs, "web-0000": seen}
        return replace(here, observed=replace(here.observed, allocs=allocs)), wanted

    return made


@pytest.mark.parametrize(
    ("rule", "stopped", "why"),
    [
        ("best_score", "new-100", "alloc not needed due to disconnected client reconnect"),
        ("keep_original", "new-100", "alloc not needed due to disconnected client reconnect"),
        ("longest_running", "new-100", "alloc not needed due to disconnected client reconnect"),
        ("keep_replacement", "web-0000", "alloc not needed due to job update"),
    ],
)
def test_one_of_two_goes_on_when_the_host_is_back(rule: str, stopped: str, why: str) -> None:
    here, wanted = back(reconcile=rule)()
    plan = here.plan(wanted)
    assert counts(plan) == {"destroy": 1, "ignore": 2}
    change = only(plan, Action.DESTROY)
    assert (change.alloc, change.stop_description) == (stopped, why)


def test_the_one_that_stands_in_goes_on_where_it_has_a_better_score() -> None:
    here, wanted = back()()
    allocs = tuple(
        replace(a, scores=(NodeScore(node=a.node, final=0.9 if a.id == "new-100" else 0.1),))
        for a in here.state().allocs
    )
    plan = here.with_state(allocs=allocs).plan(wanted)
    assert only(plan, Action.DESTROY).alloc == "web-0000"
