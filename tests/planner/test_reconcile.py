"""What becomes of a group's allocations: tables of specs and states against counts of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from planner.action import Action
from planner.job import SECOND, Constraint, Job, Network, Port, ReschedulePolicy, Update
from planner.observed import NodeStatus, TaskPhase, TaskState
from planner.plan import JobPlan
from planner.recorded import ClientStatus, DeploymentStatus, Desired
from tests.planner.scenes import (
    NOW,
    Scene,
    batch,
    counts,
    ended,
    group,
    job,
    names,
    node,
    nodes,
    only,
    scene,
    task,
)

USER = (task(user="www"),)
MILD = (task(kill_timeout=9),)
PLAN9 = (Constraint(l_target="${attr.kernel.name}", r_target="plan9"),)


def spec(count: int = 1, parallel: int = 1, **fields: object) -> Job:
    canary = fields.pop("canary", 0)
    update = Update(max_parallel=parallel, canary=canary)  # type: ignore[arg-type]
    return job(group(count, update=update, **fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Before (None: no such job), after, and the counts of changes that lead there."""

    name: str
    before: Job | None
    after: Job
    counts: dict[str, int]


# Counts as Nomad plans them.
ROWS = [
    Row(name="new job", before=None, after=spec(), counts={"create": 1}),
    Row(name="new job with canaries", before=None, after=spec(3, canary=1), counts={"create": 3}),
    Row(name="no allocations wanted", before=None, after=spec(0), counts={}),
    Row(name="no change", before=spec(), after=spec(), counts={"ignore": 1}),
    Row(name="count 1 to 3", before=spec(), after=spec(3), counts={"create": 2, "update": 1}),
    Row(name="count 3 to 1", before=spec(3), after=spec(), counts={"destroy": 2, "update": 1}),
    Row(name="count 2 to 0", before=spec(2), after=spec(0), counts={"destroy": 2}),
    Row(name="count 0 to 2", before=spec(0), after=spec(2), counts={"create": 2}),
    Row(
        name="one by one",
        before=spec(3),
        after=spec(3, tasks=USER),
        counts={"replace": 1, "ignore": 2},
    ),
    Row(
        name="two at a time",
        before=spec(5, 2),
        after=spec(5, 2, tasks=USER),
        counts={"replace": 2, "ignore": 3},
    ),
    Row(name="all three", before=spec(3, 3), after=spec(3, 3, tasks=USER), counts={"replace": 3}),
    Row(name="all at once", before=spec(3, 0), after=spec(3, 0, tasks=USER), counts={"replace": 3}),
    Row(
        name="more and changed",
        before=spec(2),
        after=spec(4, tasks=USER),
        counts={"create": 2, "ignore": 2},
    ),
    Row(
        name="more and changed, three at a time",
        before=spec(2, 3),
        after=spec(4, 3, tasks=USER),
        counts={"create": 2, "replace": 1, "ignore": 1},
    ),
    Row(
        name="fewer and changed",
        before=spec(4),
        after=spec(2, tasks=USER),
        counts={"replace": 1, "destroy": 2, "ignore": 1},
    ),
    Row(
        name="more and mildly changed",
        before=spec(2),
        after=spec(3, tasks=MILD),
        counts={"create": 1, "update": 2},
    ),
    Row(
        name="one canary",
        before=spec(3),
        after=spec(3, canary=1, tasks=USER),
        counts={"canary": 1, "ignore": 3},
    ),
    Row(
        name="canaries beside all",
        before=spec(3),
        after=spec(3, canary=3, tasks=USER),
        counts={"canary": 3, "ignore": 3},
    ),
    Row(
        name="a canary and more",
        before=spec(3),
        after=spec(5, canary=1, tasks=USER),
        counts={"canary": 1, "ignore": 3},
    ),
    Row(
        name="a canary and fewer",
        before=spec(3),
        after=spec(1, canary=1, tasks=USER),
        counts={"canary": 1, "destroy": 2, "ignore": 1},
    ),
    Row(
        name="a mild change needs no canary",
        before=spec(2),
        after=spec(2, canary=1, tasks=MILD),
        counts={"update": 2},
    ),
    Row(name="batch", before=batch(2), after=batch(2, tasks=USER), counts={"replace": 2}),
    Row(
        name="stopped",
        before=spec(2),
        after=replace(spec(2), stop=True),
        counts={"destroy": 2},
    ),
    Row(name="never known and stopped", before=None, after=replace(spec(), stop=True), counts={}),
    Row(
        name="unsatisfied constraint",
        before=spec(),
        after=spec(constraints=PLAN9),
        counts={"replace": 1},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_counts(row: Row) -> None:
    here = scene().applied(row.before) if row.before else scene()
    assert counts(here.plan(row.after)) == row.counts


def test_each_group_has_its_own_allowance() -> None:
    before = job(group(3), group(2, name="db"))
    after = job(group(3, tasks=USER), group(2, name="db", tasks=USER))
    plan = scene().applied(before).plan(after)
    assert [counts(g) for g in plan.groups] == [
        {"replace": 1, "ignore": 2},
        {"replace": 1, "ignore": 1},
    ]


def test_groups_added_removed_and_renamed() -> None:
    plan = scene().applied(job(group(), group(2, name="old"))).plan(job(group(), group(name="new")))
    assert {g.name: counts(g) for g in plan.groups} == {
        "api": {"update": 1},
        "new": {"create": 1},
        "old": {"destroy": 2},
    }
    assert {c.reason for c in plan.groups[2].changes} == {"group was removed"}
    assert plan.groups[0].changes[0].reason == "job version changed"


def test_a_stopped_job_runs_again() -> None:
    here = scene().applied(spec(2)).applied(replace(spec(2), stop=True))
    assert counts(here.plan(replace(spec(2), stop=True))) == {}
    plan = here.plan(spec(2))
    assert counts(plan) == {"create": 2}
    assert plan.registers
    assert {c.reason for c in plan.changes} == {"new allocation"}


def test_names_are_the_lowest_free_and_stops_the_highest() -> None:
    here = scene().applied(spec(4)).with_record("web.api[1]", desired=Desired.STOP)
    here = here.without_seen("web.api[1]")
    plan = here.plan(spec(4))
    assert names(plan.changes, Action.CREATE) == ["api[1]"]
    plan = here.plan(spec(2))
    assert names(plan.changes, Action.DESTROY) == ["api[3]"]
    assert names(plan.changes, Action.IN_PLACE) == ["api[0]", "api[2]"]
    plan = scene().applied(spec(4)).plan(spec(4, tasks=USER))
    assert names(plan.changes, Action.DESTRUCTIVE) == ["api[0]"]


def test_reasons_and_descriptions() -> None:
    here = scene().applied(spec(2))
    created = only(here.plan(spec(3)), Action.CREATE)
    assert created.reason == "count 2 → 3"
    destroyed = only(here.plan(spec(1)), Action.DESTROY)
    assert (destroyed.reason, destroyed.stop_description) == (
        "count 2 → 1",
        "alloc not needed due to job update",
    )
    replaced = only(here.plan(spec(2, tasks=USER)), Action.DESTRUCTIVE)
    assert (replaced.reason, replaced.alloc, replaced.previous_node, replaced.node) == (
        "user (none) → www",
        "web-0000",
        "a",
        "a",
    )
    assert replaced.stop_description == "alloc is being updated due to job update"
    waiting = only(here.plan(spec(2, tasks=USER)), Action.IGNORE)
    assert waiting.reason == "user (none) → www, but others are updated first"
    assert (waiting.node, waiting.previous_node, waiting.stop_description) == ("a", "", "")
    stopped = here.plan(replace(spec(2), stop=True)).changes
    assert {c.reason for c in stopped} == {"job is stopped"}
    canary = here.plan(spec(2, canary=1, tasks=USER)).changes
    assert canary[0].reason == "user (none) → www, tried by a canary"
    assert canary[1].reason == "user (none) → www, but it is tried by canaries first"


def test_why_an_allocation_can_not_stay() -> None:
    here = scene().applied(spec())
    plan = here.plan(spec(constraints=PLAN9))
    assert plan.changes[0].reason == "a is left out by '${attr.kernel.name} = plan9'"
    assert plan.changes[0].node == ""
    failure = plan.groups[0].failure
    assert failure is not None
    assert failure.constraint_filtered == {"computed class ineligible": 1}
    away = replace(spec(), datacenters=("dc2",))
    reason = here.plan(away).changes[0].reason
    assert reason == "a is not in the job's datacenters and node pool any more"
    small = here.with_node("a", resources=replace(node().resources, memory_mb=10))
    assert small.plan(spec(tasks=MILD)).changes[0].reason == "a has too little memory"


def test_a_constraint_that_some_nodes_meet() -> None:
    linux = Constraint(l_target="${meta.rack}", r_target="r1")
    apart = Constraint(operand="distinct_hosts")
    here = scene(node("a", meta={"rack": "r1"}), node("b"), node("c")).applied(
        spec(3, 2, constraints=(apart,))
    )
    plan = here.plan(spec(3, 2, constraints=(linux,)))
    assert counts(plan) == {"replace": 2, "update": 1}


def test_ineligible_nodes_keep_what_they_have() -> None:
    here = scene(*nodes("a", "b")).applied(spec()).barred("a")
    assert here.plan(spec()).empty
    assert counts(here.plan(spec(tasks=MILD))) == {"update": 1}
    assert here.plan(spec(2)).changes[0].node == "b"
    assert here.plan(spec(tasks=USER)).changes[0].node == "b"
    assert scene().barred("gone").plan(spec()).changes[0].node == "a"


def test_a_version_that_is_no_longer_kept() -> None:
    here = scene().applied(spec()).with_record("web.api[0]", job_version=7)
    change = here.plan(spec()).changes[0]
    assert change.action is Action.DESTRUCTIVE
    assert change.reason == "version 7 of the job is no longer kept"


# Recorded and observed


def test_an_interrupted_intent_is_resumed() -> None:
    here = scene(*nodes("a", "b")).applied(spec(2))
    here = here.with_record("web.api[1]", client=ClientStatus.PENDING, node="b", healthy=None)
    for interrupted in (here.without_seen("web.api[1]"), here.with_seen("web.api[1]", tasks={})):
        change = only(interrupted.plan(spec(2)), Action.CREATE)
        assert (change.alloc, change.node, change.resumed) == ("web-0001", "b", True)
        assert change.ports == here.state().allocs[1].ports
        assert interrupted.converged(spec(2)).plan(spec(2)).empty


def test_an_interrupted_intent_of_an_older_version_is_replaced() -> None:
    here = scene().applied(spec()).with_record("web.api[0]", client=ClientStatus.PENDING)
    change = here.without_seen("web.api[0]").plan(spec(tasks=USER)).changes[0]
    assert change.action is Action.CREATE
    assert not change.resumed
    assert (change.alloc, change.replaces) == ("", "web-0000")
    assert change.reason == "replaces web-0000: an older version was decided, but never started"


def test_an_interrupted_intent_above_the_count_is_dropped() -> None:
    here = scene().applied(spec(2)).with_record("web.api[1]", client=ClientStatus.PENDING)
    plan = here.without_seen("web.api[1]").plan(spec(1))
    assert names(plan.changes, Action.DESTROY) == ["api[1]"]


def test_what_is_missing_on_a_ready_host_is_replaced() -> None:
    here = scene().applied(spec(2)).without_seen("web.api[1]")
    change = only(here.plan(spec(2)), Action.CREATE)
    assert (change.replaces, change.name) == ("web-0001", "web.api[1]")
    assert change.reason == "replaces web-0001: missing on a"
    assert change.stop_description == "alloc is lost since its host does not have it"


def test_what_is_missing_and_above_the_count_is_only_recorded_as_stopped() -> None:
    plan = scene().applied(spec(2)).without_seen("web.api[0]").plan(spec(1))
    assert counts(plan) == {"destroy": 1, "update": 1}
    assert names(plan.changes, Action.DESTROY) == ["api[0]"]


def test_a_host_that_is_down_has_lost_its_allocations() -> None:
    here = scene(*nodes("a", "b")).applied(spec()).with_node("a", status=NodeStatus.DOWN)
    change = here.plan(spec()).changes[0]
    assert (change.node, change.reason) == ("b", "replaces web-0000: a is down")
    assert change.stop_description == "alloc is lost since its node is down"


def test_a_tombstone_that_the_records_do_not_know() -> None:
    here = scene().applied(spec()).with_seen("web.api[0]", desired="stop")
    change = here.plan(spec()).changes[0]
    assert (change.action, change.replaces) == (Action.CREATE, "web-0000")


def test_what_was_decided_to_stop_is_stopped() -> None:
    here = (
        scene()
        .applied(spec())
        .with_record("web.api[0]", desired=Desired.STOP, desired_description="why")
    )
    plan = here.plan(spec())
    assert counts(plan) == {"create": 1, "destroy": 1}
    destroyed = only(plan, Action.DESTROY)
    assert destroyed.reason == "still on a, though it was decided to stop"
    assert destroyed.stop_description == "why"
    tombstone = here.with_seen("web.api[0]", desired="stop")
    assert counts(tombstone.plan(spec())) == {"create": 1, "destroy": 1}
    done = tombstone.with_seen("web.api[0]", tasks=ended(failed=False))
    assert counts(done.plan(spec())) == {"create": 1}
    # Its host went down before it had let its room go.
    holding = done.with_seen("web.api[0]", unreleased=True)
    assert counts(holding.plan(spec())) == {"create": 1, "destroy": 1}
    away = here.with_node("a", status=NodeStatus.UNKNOWN)
    assert names(away.plan(spec()).changes, Action.DESTROY) == []


def test_an_update_in_place_that_did_not_arrive() -> None:
    here = scene().applied(spec()).applied(spec(tasks=MILD)).with_seen("web.api[0]", version=0)
    change = here.plan(spec(tasks=MILD)).changes[0]
    assert (change.action, change.reason) == (Action.IN_PLACE, "a still has version 0")


def test_of_two_with_one_name_the_newer_stays() -> None:
    here = scene().applied(spec(2)).with_record("web.api[1]", name="web.api[0]")
    plan = here.with_seen("web.api[1]", name="web.api[0]").plan(spec(2))
    assert only(plan, Action.DESTROY).alloc == "web-0000"
    assert only(plan, Action.DESTROY).reason == "another allocation is web.api[0]"
    assert names(plan.changes, Action.CREATE) == ["api[1]"]


# Unknown hosts


def away(here: Scene, host: str = "a") -> Scene:
    return here.with_node(host, status=NodeStatus.UNKNOWN, reason="connection refused")


@pytest.mark.parametrize(
    "after",
    [
        spec(2),
        spec(2, tasks=USER),
        spec(2, tasks=MILD),
        spec(0),
        replace(spec(2), stop=True),
        job(group(name="other")),
    ],
)
def test_what_is_on_an_unknown_host_is_left_alone(after: Job) -> None:
    here = scene().applied(spec(2)).joined(node("b"))
    plan = away(here).plan(after)
    ignored = [c for c in plan.changes if c.action is Action.IGNORE]
    assert [c.reason for c in ignored] == ["host is unknown: connection refused"] * 2
    assert all(c.node == "b" for c in plan.changes if c.action is not Action.IGNORE)
    gone = here.without_node("a").plan(after)
    assert counts(gone) == counts(plan)
    assert "host is unknown: a is not in the inventory" in {c.reason for c in gone.changes}


def test_an_unknown_host_without_a_reason() -> None:
    here = scene().applied(spec()).with_node("a", status=NodeStatus.UNKNOWN)
    assert here.plan(spec()).changes[0].reason == "host is unknown"


def test_unknown_allocations_count_but_are_not_stopped() -> None:
    apart = (Constraint(operand="distinct_hosts"),)
    before = spec(3, constraints=apart)
    here = away(scene(*nodes("a", "b", "c")).applied(before))
    assert here.plan(before).empty
    plan = here.plan(spec(1, constraints=apart))
    assert counts(plan) == {"destroy": 1, "update": 1, "ignore": 1}
    assert names(plan.changes, Action.DESTROY) == ["api[2]"]
    assert counts(here.plan(spec(4, constraints=apart))) == {
        "create": 1,
        "update": 2,
        "ignore": 1,
    }


# Failed and ended allocations


def failed(here: Scene, *, seconds_ago: int = 3600) -> Scene:
    tasks = ended(failed=True, at=NOW - seconds_ago * SECOND)
    return here.with_seen("web.api[0]", tasks=tasks)


def test_a_failed_allocation_is_rescheduled_when_it_is_due() -> None:
    here = scene(*nodes("a", "b")).applied(spec(2))
    plan = failed(here).plan(spec(2))
    change = only(plan, Action.CREATE)
    assert (change.replaces, change.node) == ("web-0000", "b")
    assert change.reason == "replaces web-0000: has failed"
    assert not change.stop_description
    assert plan.diff.task_groups[0].updates == (("create", 1), ("destroy", 1), ("ignore", 1))
    later = failed(here, seconds_ago=10).plan(spec(2))
    assert later.empty
    assert later.changes[0].reason == "has failed, to be rescheduled in 20s"


def test_a_failed_allocation_that_may_not_be_rescheduled() -> None:
    never = ReschedulePolicy(unlimited=False)
    wanted = spec(reschedule_policy=never)
    here = failed(scene().applied(wanted))
    plan = here.plan(wanted)
    assert plan.empty
    assert plan.changes[0].reason == "has failed, and may not be rescheduled any more"
    assert counts(here.plan(spec(tasks=USER, reschedule_policy=never))) == {"replace": 1}
    assert counts(here.plan(spec(tasks=MILD, reschedule_policy=never))) == {"ignore": 1}
    assert counts(here.plan(replace(wanted, stop=True))) == {"destroy": 1}
    assert counts(here.plan(job(group(name="other")))) == {"create": 1, "destroy": 1}


def test_a_service_that_has_ended_is_started_again() -> None:
    here = scene().applied(spec()).with_seen("web.api[0]", tasks=ended(failed=False))
    change = here.plan(spec()).changes[0]
    assert (change.action, change.replaces) == (Action.CREATE, "web-0000")
    assert change.reason == "replaces web-0000: all its tasks have ended"


def test_a_batch_job_that_has_completed_fills_its_place() -> None:
    here = scene().applied(batch(2)).with_seen("web.api[0]", tasks=ended(failed=False))
    plan = here.plan(batch(2))
    assert plan.empty
    assert plan.changes[0].reason == "has completed"
    changed = here.plan(batch(2, tasks=USER))
    assert counts(changed) == {"create": 1, "replace": 1, "ignore": 1}
    assert names(changed.changes, Action.CREATE) == ["api[0]"]
    assert only(changed, Action.IGNORE).reason == "an older version has completed"
    assert counts(here.plan(replace(batch(2), stop=True))) == {"destroy": 1, "ignore": 1}


def test_a_batch_job_that_has_failed() -> None:
    here = failed(scene().applied(batch()))
    assert counts(here.plan(batch())) == {"create": 1}
    again = here.with_record("web.api[0]", reschedules=1, created=NOW)
    assert again.plan(batch()).empty
    assert counts(here.plan(batch(tasks=USER))) == {"create": 1, "ignore": 1}


def test_a_task_between_two_tries_is_pending() -> None:
    waiting = {"main": TaskState(state=TaskPhase.PENDING, restarts=1, started_at=NOW)}
    here = scene().applied(spec()).with_record("web.api[0]", client=ClientStatus.PENDING)
    assert here.with_seen("web.api[0]", tasks=waiting).plan(spec()).empty


# Deployments


def deployed(status: DeploymentStatus, *, version: int = 1, healthy: bool | None = True) -> Scene:
    """Three allocations, the first of which runs the newer version already."""
    here = scene().applied(spec(3)).applied(spec(3, tasks=USER))
    here = here.with_deployment(status=status, job_version=version)
    for old in ("web.api[1]", "web.api[2]"):
        here = here.with_record(old, deployment="")
    allocs = (replace(a, healthy=healthy) if a.job_version == 1 else a for a in here.state().allocs)
    return here.with_state(allocs=tuple(allocs))


ROLLING = DeploymentStatus.RUNNING


@pytest.mark.parametrize(
    ("here", "expected", "resumes"),
    [
        (deployed(ROLLING), {"replace": 1, "ignore": 2}, "deploy-1"),
        (deployed(ROLLING, healthy=None), {"ignore": 3}, "deploy-1"),
        (deployed(ROLLING, healthy=False), {"ignore": 3}, "deploy-1"),
        (deployed(DeploymentStatus.PAUSED), {"ignore": 3}, ""),
        (deployed(DeploymentStatus.FAILED), {"ignore": 3}, ""),
        (deployed(DeploymentStatus.SUCCESSFUL), {"replace": 1, "ignore": 2}, ""),
        (deployed(ROLLING, version=0), {"replace": 1, "ignore": 2}, ""),
    ],
)
def test_a_deployment_sets_the_pace(here: Scene, expected: dict[str, int], resumes: str) -> None:
    plan = here.plan(spec(3, tasks=USER))
    assert counts(plan) == expected
    assert plan.resumes == resumes
    assert plan.empty is (expected == {"ignore": 3} and not resumes)


def test_a_failed_deployment_is_only_tried_again_with_a_new_spec() -> None:
    here = deployed(DeploymentStatus.FAILED)
    plan = here.plan(spec(3, tasks=USER))
    assert plan.failed == "deploy-1"
    assert plan.warnings == (
        "deployment deploy-1 has failed, and is not tried again until the spec changes; "
        "or stop the job and run it again",
    )
    assert plan.changes[1].reason == "user (none) → www, but its deployment is failed"
    assert counts(here.plan(spec(3, tasks=(task(user="root"),)))) == {"replace": 1, "ignore": 2}
    assert here.plan(spec(3)).warnings == ()


def _gone(here: Scene) -> Scene:
    return here.without_seen("web.api[0]")


def _never_started(here: Scene) -> Scene:
    return _gone(here.with_record("web.api[0]", client=ClientStatus.PENDING))


def _dropped(here: Scene) -> Scene:
    allocs = tuple(a for a in here.state().allocs if a.name != "web.api[0]")
    return _gone(here.with_state(allocs=allocs))


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        (_gone, DeploymentStatus.FAILED, {"create": 1, "ignore": 2}),
        (_gone, DeploymentStatus.PAUSED, {"create": 1, "ignore": 2}),
        # It is decided already, and what it replaces may have been stopped.
        (_never_started, DeploymentStatus.FAILED, {"create": 1, "ignore": 2}),
        (_never_started, DeploymentStatus.PAUSED, {"create": 1, "ignore": 2}),
        (_never_started, ROLLING, {"create": 1, "ignore": 2}),
        (_dropped, DeploymentStatus.FAILED, {"ignore": 2}),
        (_dropped, ROLLING, {"create": 1, "ignore": 2}),
        (failed, DeploymentStatus.FAILED, {"ignore": 3}),
        (failed, ROLLING, {"create": 1, "ignore": 2}),
    ],
)
def test_what_a_deployment_still_places(
    change: Callable[[Scene], Scene], status: DeploymentStatus, expected: dict[str, int]
) -> None:
    here = scene().applied(spec(3)).with_deployment(status=status, job_version=0)
    assert counts(change(here).plan(spec(3))) == expected


def test_a_paused_deployment_says_so() -> None:
    here = deployed(DeploymentStatus.PAUSED)
    reasons = {c.reason for c in here.plan(spec(3, tasks=USER)).changes}
    assert "user (none) → www, but its deployment is paused" in reasons


def _reasons(plan: JobPlan) -> set[str]:
    return {c.reason for c in plan.changes}


def test_with_canaries_what_is_lost_is_still_replaced() -> None:
    here = scene().applied(spec(3)).without_seen("web.api[2]")
    plan = here.plan(spec(3, canary=1, tasks=USER))
    assert counts(plan) == {"create": 1, "canary": 1, "ignore": 2}
    assert "replaces web-0002: missing on a" in _reasons(plan)


def test_canaries_above_the_count_take_new_names() -> None:
    plan = scene().applied(spec(1)).plan(spec(1, canary=2, tasks=USER))
    assert names(plan.changes, Action.CANARY) == ["api[0]", "api[1]"]


def test_what_is_not_as_it_was_left_gives_its_room_and_port_to_the_next_one() -> None:
    wanted = job(group(networks=(Network(reserved_ports=(Port(label="http", value=8080),)),)))
    here = scene(node("a", resources=replace(node().resources, cpu=100))).applied(wanted)
    plan = here.with_seen("web.api[0]", missing="gone").plan(wanted)
    change = only(plan, Action.CREATE)
    assert (change.node, change.replaces) == ("a", "web-0000")
    assert [p.value for p in change.ports] == [8080]
    assert counts(plan) == {"create": 1}
