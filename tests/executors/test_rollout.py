"""How a rollout ends: healthy, failed, incomplete; on the simulated fleet with virtual time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from executors.boundary import Boundary
from executors.outcome import OutcomeKind
from executors.sim.clock import VirtualClock
from gitops.applying import Result
from planner.events import AllocationPlaced, AllocationUnhealthy, EvaluationFinished
from planner.job import (
    MINUTE,
    SECOND,
    Check,
    Job,
    Network,
    Port,
    ReschedulePolicy,
    Resources,
    Service,
    Task,
    TaskGroup,
    Update,
)
from planner.observed import NodeStatus
from planner.recorded import ClientStatus, DeploymentStatus, Desired
from planner.retention import KEPT_PER_NAME
from tests.world import CrashError, World, node

ROLLING = Update(max_parallel=1, min_healthy_time=SECOND, healthy_deadline=MINUTE)


def job(count: int = 3, command: str = "/bin/a", update: Update = ROLLING) -> Job:
    return Job(
        id="web",
        task_groups=(
            TaskGroup(
                name="g",
                count=count,
                update=update,
                networks=(Network(dynamic_ports=(Port(label="http"),)),),
                services=(
                    Service(
                        name="web",
                        port_label="http",
                        checks=(Check(name="alive", type="tcp", interval=SECOND, timeout=SECOND),),
                    ),
                ),
                tasks=(
                    Task(
                        name="t",
                        driver="raw_exec",
                        config={"command": command},
                        resources=Resources(cpu=100, memory_mb=64),
                    ),
                ),
            ),
        ),
    )


def kinds(result: Result) -> list[OutcomeKind]:
    return [o.kind for o in result.outcomes]


def placed(world: World) -> list[str]:
    return [e.alloc.name for e in world.events if isinstance(e, AllocationPlaced)]


def test_a_roll_goes_one_by_one_in_index_order() -> None:
    world = World([node("h1"), node("h2")])
    world.apply(job())
    world.events.clear()
    assert world.apply(job(command="/bin/b")).exit_code == 0
    assert placed(world) == ["web.g[0]", "web.g[1]", "web.g[2]"]
    state = world.look().recorded.job("web")
    assert state.deployment is not None
    assert state.deployment.status is DeploymentStatus.SUCCESSFUL
    assert [v.stable for v in state.versions] == [True, True]


def test_a_task_that_ends_fails_the_rollout_and_the_rest_stays() -> None:
    world = World([node("h1"), node("h2")])
    world.apply(job())
    before = world.running()
    world.fleet.crashes = lambda name: name == "web.g[0]"
    result = world.apply(job(command="/bin/b"))
    assert result.exit_code == 5
    assert "failed with exit code 1" in result.outcomes[0].detail
    assert result.outcomes[0].log == "t of web.g[0]"
    after = world.running()
    assert after == {k: v for k, v in before.items() if k != "web.g[0]"}
    assert any(isinstance(e, AllocationUnhealthy) for e in world.events)
    (sick,) = (a for a in world.look().recorded.job("web").allocs if a.healthy is False)
    assert dict(sick.unhealthy) == {"t": "Unhealthy because of failed task"}
    assert {s.node for s in sick.scores} == {"h1", "h2"}
    assert max(sick.scores, key=lambda s: s.final).node == sick.node
    assert world.plan(job(command="/bin/b")).empty


def test_a_failing_check_fails_the_rollout_at_the_healthy_deadline() -> None:
    world = World([node("h1")])
    world.fleet.sick = lambda name: name == "alive"
    start = world.clock.monotonic()
    result = world.apply(job(count=2))
    assert result.exit_code == 5
    assert '"alive" (connection refused)' in result.outcomes[0].detail
    assert 60 <= world.clock.monotonic() - start < 120


def test_a_check_that_is_to_be_ignored_does_not_count() -> None:
    world = World([node("h1")])
    world.fleet.sick = lambda name: name == "alive"
    assert world.apply(checked(job(), on_update="ignore")).exit_code == 0
    spec = checked(job(command="/bin/b"), on_update="ignore_warnings")
    assert world.apply(spec).exit_code == 5


def checked(spec: Job, **changes: Any) -> Job:  # noqa: ANN401
    (group,) = spec.task_groups
    (service,) = group.services
    checks = tuple(replace(c, **changes) for c in service.checks)
    services = (replace(service, checks=checks),)
    return replace(spec, task_groups=(replace(group, services=services),))


def test_no_progress_in_time_fails_the_rollout() -> None:
    world = World([node("h1")])
    world.fleet.sick = lambda name: name == "alive"
    patient = replace(ROLLING, healthy_deadline=10 * MINUTE, progress_deadline=2 * MINUTE)
    result = world.apply(job(update=patient))
    assert result.exit_code == 5
    assert result.outcomes[0].detail.startswith("Failed due to progress deadline")


def test_a_mended_job_goes_on_after_a_failure() -> None:
    world = World([node("h1"), node("h2")])
    world.apply(job())
    world.fleet.crashes = lambda _: True
    assert world.apply(job(command="/bin/b")).exit_code == 5
    world.fleet.crashes = lambda _: False
    assert world.apply(job(command="/bin/c")).exit_code == 0
    assert sorted(world.running()) == ["web.g[0]", "web.g[1]", "web.g[2]"]
    assert world.plan(job(command="/bin/c")).empty


def test_a_port_taken_since_the_plan_is_planned_anew() -> None:
    world = World([node("h1")])
    plan = world.plan(job(count=1))
    port = plan.jobs[0].changes[0].ports[0].value
    world.fleet.taken.add(("h1", port))
    assert world.apply(job(count=1)).exit_code == 0
    (alloc,) = [a for a in world.look().recorded.job("web").allocs if not a.terminal]
    assert alloc.ports[0].value != port
    assert world.plan(job(count=1)).empty


def test_a_host_that_is_lost_in_mid_roll_leaves_the_job_incomplete() -> None:
    world = World([node("h1")])

    def lose(event: object) -> None:
        if isinstance(event, AllocationPlaced):
            world.fleet.down.add("h1")

    world.tell = lose
    result = world.apply(job(count=2))
    assert kinds(result) == [OutcomeKind.INCOMPLETE]
    assert result.exit_code == 4
    world.fleet.down.clear()
    world.tell = lambda _: None
    assert world.apply(job(count=2)).exit_code == 0
    assert {len(ids) for ids in world.running().values()} == {1}
    assert world.plan(job(count=2)).empty


def test_what_finds_no_node_is_told_and_incomplete() -> None:
    world = World([node("h1")])
    big = job(count=1)
    group = big.task_groups[0]
    task = replace(group.tasks[0], resources=Resources(cpu=100_000, memory_mb=64))
    big = replace(big, task_groups=(replace(group, tasks=(task,)),))
    result = world.apply(big)
    assert result.exit_code == 4
    (finished,) = [e for e in world.events if isinstance(e, EvaluationFinished)]
    assert [(g, f.coalesced_failures) for g, f in finished.unplaced] == [("g", 0)]
    assert world.running() == {}


def test_what_nobody_sees_to_is_started_again_as_it_is() -> None:
    world = World([node("h1")])
    world.apply(job(count=2))
    before = world.running()
    world.restart_host("h1")
    assert world.running() == {}
    (plan,) = world.plan(job(count=2)).jobs
    assert [(c.resumed, c.reason) for c in plan.changes] == [(True, "nobody on h1 sees to it")] * 2
    assert world.apply(job(count=2)).exit_code == 0
    assert world.running() == before
    assert world.plan(job(count=2)).empty


def test_what_nobody_sees_to_is_replaced_where_the_spec_changed() -> None:
    world = World([node("h1")])
    world.apply(job(count=2))
    world.restart_host("h1")
    changed = job(count=2, command="/bin/b")
    assert world.apply(changed).exit_code == 0
    assert sorted(world.running()) == ["web.g[0]", "web.g[1]"]
    assert world.plan(changed).empty


def test_the_past_is_kept_in_bounds_on_record_and_on_hosts() -> None:
    world = World([node("h1")])
    for n in range(9):
        world.clock.nanoseconds += MINUTE
        assert world.apply(job(count=2, command=f"/bin/{n}")).exit_code == 0
    state = world.look().recorded.job("web")
    assert len(state.allocs) == 2 + 2 * KEPT_PER_NAME
    assert {a.id for a in state.allocs} == set(world.fleet.observed.allocs)
    assert world.plan(job(count=2, command="/bin/8")).empty


def test_a_purged_job_leaves_nothing_behind() -> None:
    world = World([node("h1")])
    world.apply(job())
    stopped = replace(job(), stop=True)
    result = world.apply(stopped, purge=True)
    assert (result.exit_code, result.purged) == (0, ("web",))
    assert world.look().recorded.job("web").current is None
    assert world.fleet.observed.allocs == {}
    assert world.plan(job()).jobs[0].job_modify_index == 0


def test_a_job_that_is_not_known_to_be_stopped_is_not_purged() -> None:
    world = World([node("h1")])
    world.apply(job())
    world.fleet.down.add("h1")
    result = world.apply(replace(job(), stop=True), purge=True)
    assert (result.exit_code, result.purged) == (4, ())
    assert world.look().recorded.job("web").current is not None


def test_one_bad_host_does_not_hold_up_other_jobs() -> None:
    world = World([node("h1"), node("h2")])
    world.fleet.full.add("h2")
    other = replace(job(count=1), id="other")
    result = world.apply(job(count=1), other)
    assert result.exit_code == 0, result.outcomes
    assert sorted(world.running()) == ["other.g[0]", "web.g[0]"]


def test_a_task_that_always_ends_is_not_started_for_ever() -> None:
    world = World([node("h1")])
    world.fleet.crashes = lambda _: True
    quick = replace(ROLLING, max_parallel=0)
    spec = job(count=1, update=quick)
    group = spec.task_groups[0]
    policy = ReschedulePolicy(unlimited=True, delay=5 * SECOND, delay_function="constant")
    result = world.apply(replace(spec, task_groups=(replace(group, reschedule_policy=policy),)))
    assert result.exit_code in (0, 4, 5)
    assert len(world.fleet.observed.allocs) <= 10


def test_a_digest_that_the_first_pull_finds_is_recorded_with_the_version() -> None:
    image = Task(name="t", driver="docker", config={"image": "redis:7"})
    group = TaskGroup(name="g", count=1, update=ROLLING, tasks=(image,))
    spec = Job(id="web", task_groups=(group,))
    world = World([node("h1", drivers=frozenset({"docker"}))])
    world.fleet.digests = {"redis:7": "redis@sha256:" + "a" * 64, "other:1": "", "other:2": "x"}
    world.apply(spec)
    (version,) = world.look().recorded.job("web").versions
    assert version.images == {"redis:7": world.fleet.digests["redis:7"]}

    # What is recorded stays, whatever another run finds.
    world.fleet.digests = {"redis:7": "redis@sha256:" + "b" * 64}
    world.apply(replace(spec, task_groups=(replace(group, count=2),)))
    versions = world.look().recorded.job("web").versions
    assert [v.images for v in versions] == [version.images, version.images]


@dataclass(slots=True)
class StoppedOnce(VirtualClock):
    """The clock of a process that once stands still for an hour, while it sleeps."""

    went_on: bool = False

    async def sleep(self, seconds: float) -> None:
        await VirtualClock.sleep(self, seconds if self.went_on else 3600)
        self.went_on = True


def test_time_that_nobody_watched_does_not_count_against_a_deployment() -> None:
    hasty = replace(ROLLING, progress_deadline=2 * MINUTE)
    world = World([node("h1"), node("h2")], clock=StoppedOnce())
    assert world.apply(job(update=hasty)).exit_code == 0
    assert isinstance(world.clock, StoppedOnce)
    assert world.clock.went_on


def seen_as(world: World, host: str, status: NodeStatus) -> None:
    observed = world.fleet.observed
    nodes = {**observed.nodes, host: replace(observed.nodes[host], status=status)}
    world.fleet.observed = replace(observed, nodes=nodes)


def test_what_waits_on_an_unknown_host_is_brought_along_when_it_is_back() -> None:
    world = World([node("h1"), node("h2"), node("h3")])
    world.apply(job(3, update=ROLLING))
    alone = {a.name: a.node for a in world.look().recorded.job("web").allocs}
    seen_as(world, alone["web.g[1]"], NodeStatus.UNKNOWN)
    result = world.apply(job(2, command="/bin/b"))
    assert kinds(result) == [OutcomeKind.INCOMPLETE]
    seen_as(world, alone["web.g[1]"], NodeStatus.READY)
    assert world.apply(job(2, command="/bin/b")).exit_code == 0
    state = world.look().recorded.job("web")
    assert state.deployment is not None
    assert state.deployment.status is DeploymentStatus.SUCCESSFUL
    assert world.plan(job(2, command="/bin/b")).empty


def crash_once_decided(boundary: Boundary) -> None:
    if boundary is Boundary.INTENDED:
        raise CrashError


def test_fences_stand_where_what_is_to_stop_was_not_seen_to_have_ended() -> None:
    """Whoever had decided to stop it may be on the way there still."""
    world = World([node("h1")])
    for count in (1, 0):
        with pytest.raises(CrashError):
            world.apply(job(count), at=crash_once_decided)
    (alloc,) = world.ledger().read().folded().job("web").allocs
    assert (alloc.node, alloc.desired, alloc.client) == ("h1", Desired.STOP, ClientStatus.PENDING)
    begun: list[int] = []

    def note(boundary: Boundary) -> None:
        if boundary is Boundary.FENCED:
            begun.append(world.ledger().read().recorded.job("web").modify_index)

    world.apply(job(0), at=note)
    assert world.fleet.fences["h1", "web"] == begun[0]


def test_a_host_that_has_become_a_copy_since_the_look_is_not_enrolled() -> None:
    world = World([node("h1")])
    world.apply(job(1))
    known = world.ledger().read().recorded.nodes
    seen = world.fleet.observed
    world.fleet.observed = replace(seen, nodes={**seen.nodes, "h2": node("h2")})

    def copy(boundary: Boundary) -> None:
        if boundary is Boundary.BEGUN:
            seen = world.fleet.observed
            copied = replace(seen.nodes["h2"], id=known["h1"].id)
            world.fleet.observed = replace(seen, nodes={**seen.nodes, "h2": copied})

    world.apply(job(2), at=copy)
    assert world.ledger().read().recorded.nodes == known
