"""What a plan warns of: a job that another repository has registered."""

from __future__ import annotations

from dataclasses import replace

from gitops.planning import plan_of
from planner.job import Job, Task, TaskGroup
from tests.world import World, node


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
