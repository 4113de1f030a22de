"""System and sysbatch jobs on the simulated fleet: one allocation on every node, rolled out."""

from __future__ import annotations

from dataclasses import replace

from executors.outcome import OutcomeKind
from planner.job import Job
from planner.observed import NodeStatus
from tests.executors.stories import allocs, deployment, job, only, progress
from tests.world import World, node


def system(command: str = "/bin/a", **changes: object) -> Job:
    return job(1, command, type="system", **changes)


def sysbatch(command: str = "/bin/a") -> Job:
    made = job(1, command, type="sysbatch")
    return replace(made, task_groups=tuple(replace(g, update=None) for g in made.task_groups))


def world(*hosts: str) -> World:
    return World([node(h) for h in hosts or ("h1", "h2", "h3")])


def spots(here: World) -> dict[str, str]:
    """The version that each node runs, with a star for canaries."""
    return {a.node: f"{a.job_version}{'*' if a.canary else ''}" for a in allocs(here)}


def test_each_node_gets_one_and_the_next_plan_is_empty() -> None:
    here = world()
    assert here.apply(system()).exit_code == 0
    assert spots(here) == {"h1": "0", "h2": "0", "h3": "0"}
    assert (progress(here).desired_total, progress(here).healthy) == (3, 3)
    assert here.plan(system()).empty


def test_an_update_goes_node_by_node() -> None:
    here = world()
    here.apply(system())
    here.fleet.steps.clear()
    assert here.apply(system("/bin/b")).exit_code == 0
    order = [(type(s).__name__, s.alloc.node) for s in here.fleet.steps]
    each = [("Stop", "Start")] * 3
    assert [(a[0], b[0]) for a, b in zip(order[::2], order[1::2], strict=True)] == each
    assert [n for _, n in order] == ["h1", "h1", "h2", "h2", "h3", "h3"]
    assert (progress(here).desired_total, progress(here).placed) == (3, 3)
    assert here.plan(system("/bin/b")).empty


def test_canaries_are_a_share_of_the_nodes_and_wait_for_promotion() -> None:
    here = world()
    here.apply(system(canary=50, max_parallel=2))
    told: list[str] = []
    here.tell = lambda e: told.append(getattr(getattr(e, "deployment", None), "description", ""))
    result = here.apply(system("/bin/b", canary=50, max_parallel=2))
    assert only(result)[0] is OutcomeKind.INCOMPLETE
    assert spots(here) == {"h1": "1*", "h2": "1*", "h3": "0"}
    group = progress(here)
    assert (group.desired_total, group.desired_canaries, group.healthy) == (3, 2, 2)
    assert deployment(here).description == "Deployment is running but requires manual promotion"
    # Until its canaries are healthy, it only runs.
    assert next(t for t in told if t) == "Deployment is running"


def test_canaries_of_a_system_job_promote_themselves() -> None:
    here = world()
    here.apply(system(canary=30, auto_promote=True))
    assert here.apply(system("/bin/b", canary=30, auto_promote=True)).exit_code == 0
    assert spots(here) == {"h1": "1", "h2": "1", "h3": "1"}
    assert here.plan(system("/bin/b", canary=30, auto_promote=True)).empty


def test_the_first_failure_fails_it_at_once_and_the_others_keep_the_old() -> None:
    here = world()
    here.apply(system())
    here.fleet.crashes = lambda _: True
    result = here.apply(system("/bin/b"))
    assert only(result) == (OutcomeKind.FAILED, "Failed due to unhealthy allocations")
    assert spots(here) == {"h2": "0", "h3": "0"}


def test_a_failure_takes_the_node_back_to_the_stable_version() -> None:
    here = world("h1", "h2")
    here.apply(system(auto_revert=True))
    left = [1]

    def crashes(_: str) -> bool:
        left[0] -= 1
        return left[0] >= 0

    here.fleet.crashes = crashes
    result = here.apply(system("/bin/b", auto_revert=True))
    assert only(result)[1] == "Failed due to unhealthy allocations - rolling back to job version 0"
    assert spots(here) == {"h1": "2", "h2": "2"}


def test_a_node_that_joins_gets_its_own_with_the_next_apply() -> None:
    here = world("h1", "h2")
    here.apply(system())
    nodes = {**here.fleet.observed.nodes, "h9": node("h9")}
    here.fleet.observed = replace(here.fleet.observed, nodes=nodes)
    assert here.apply(system()).exit_code == 0
    assert set(spots(here)) == {"h1", "h2", "h9"}
    assert here.plan(system()).empty


def test_a_node_that_is_lost_holds_nothing_up() -> None:
    here = world("h1", "h2")
    here.apply(system())
    gone = replace(here.fleet.observed.nodes["h2"], status=NodeStatus.DOWN)
    nodes = {**here.fleet.observed.nodes, "h2": gone}
    here.fleet.observed = replace(here.fleet.observed, nodes=nodes)
    assert here.apply(system("/bin/b")).exit_code == 0
    assert spots(here)["h1"] == "1"
    assert here.plan(system("/bin/b")).empty


def test_a_sysbatch_job_runs_once_a_version_on_every_node() -> None:
    here = world("h1", "h2")
    assert here.apply(sysbatch()).exit_code == 0
    assert here.look().recorded.job("web").deployments == ()
    here.end_all()
    assert here.apply(sysbatch()).exit_code == 0
    assert here.running() == {}
    assert here.plan(sysbatch()).empty
    assert here.apply(sysbatch("/bin/b")).exit_code == 0
    assert spots(here) == {"h1": "1", "h2": "1"}
    here.end_all()
    assert here.plan(sysbatch("/bin/b")).empty
