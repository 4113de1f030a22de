"""What a plan warns of, and which jobs it still has to do with after they left the repository."""

from __future__ import annotations

from dataclasses import replace

import pytest

from executors.boundary import Boundary
from gitops.planning import plan_of
from planner.job import Job, Task, TaskGroup
from tests.world import CrashError, World, node


def web(command: str) -> Job:
    task = Task(name="main", driver="raw_exec", config={"command": command})
    return Job(id="web", name="web", task_groups=(TaskGroup(name="g", tasks=(task,)),))


def warnings(world: World, job: Job, repository: str) -> tuple[str, ...]:
    desired = world.desired(job)
    desired = replace(desired, source=replace(desired.source, repository=repository))
    (planned,) = plan_of(desired, world.look(), "sim").jobs
    return planned.warnings


def test_a_job_of_another_repository_is_not_taken_over_unsaid() -> None:
    world = World([node("a")])
    world.apply(web("/bin/a"))
    assert warnings(world, web("/bin/b"), "r") == ()
    (told,) = warnings(world, web("/bin/b"), "git.example.org/shop")
    assert "registered from the repository r, and this one is git.example.org/shop" in told
    assert 'set repository = "r" in orch.toml' in told
    # nothing is registered, nothing taken over
    assert warnings(world, web("/bin/a"), "git.example.org/shop") == ()


def test_a_job_that_left_is_stopped_until_all_of_it_is_known_to_be_over() -> None:
    world = World([node("a"), node("b")])
    world.apply(web("/bin/a"))
    (host,) = {a.node for a in world.fleet.observed.allocs.values()}
    # The tombstone is not written, or nobody says that it was.
    world.fleet.lost = {world.fleet.count}
    assert world.apply().exit_code == 4
    assert len(world.running()) == 1
    world.fleet.down.discard(host)
    (planned,) = world.plan().jobs
    assert planned.touches
    assert world.apply().exit_code == 0
    assert not world.running()
    assert world.plan().empty


def test_a_job_that_left_is_let_go_by_whoever_comes_after_an_interrupted_run() -> None:
    world = World([node("a")])
    world.apply(web("/bin/a"))

    def dies(boundary: Boundary) -> None:
        if boundary is Boundary.RECORDED:
            raise CrashError

    with pytest.raises(CrashError):
        world.apply(at=dies)
    # What ran is stopped, and known to be; the run that did it holds the job.
    assert not world.running()
    assert world.look().recorded.job("web").run
    world.apply()
    assert not world.look().recorded.job("web").run
    assert world.plan().empty


def test_what_runs_again_of_a_job_that_left_is_stopped() -> None:
    world = World([node("a")])
    world.apply(web("/bin/a"))
    before = world.fleet.observed
    world.apply()
    assert not world.plan().jobs
    # The host goes back to a snapshot.
    world.fleet.observed = before
    world.apply()
    assert not world.running()
    assert world.plan().empty
