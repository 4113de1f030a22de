"""People ask a run that lives, in virtual time: it hears of that at its beats, and answers once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from executors.boundary import Boundary
from executors.sim.loop import VirtualLoop, run_on
from gitops.asking import Way
from planner.errors import OrchError
from planner.job import SECOND, Job
from planner.recorded import DeploymentStatus, JobState
from planner.request import Verb
from tests.executors.stories import job
from tests.simulate.chance import Chance
from tests.simulate.command import TTL
from tests.simulate.machine import Process
from tests.simulate.person import Person
from tests.simulate.world import World

SLOW = 8 * SECOND
# What runs for ever, in two versions.
OLD, NEW = "steady", "stubborn"


def slow(command: str, count: int = 4, **changes: object) -> Job:
    """A job that takes its time: each of its allocations eight seconds."""
    long = {"min_healthy_time": SLOW, "healthy_deadline": 60 * SECOND, "progress_deadline": 0}
    made = job(count, command, **(long | changes))
    (group,) = made.task_groups
    (task,) = group.tasks
    task = replace(task, env={"PASSWORD": "x"}, kill_timeout=SECOND)
    return replace(made, task_groups=(replace(group, tasks=(task,)),))


def played(story: Callable[[World], Awaitable[None]], seed: int = 1) -> World:
    """Play a story to its end, on two hosts and two machines."""
    loop = VirtualLoop()
    world = World(chance=Chance(seed), loop=loop)

    async def main() -> None:
        await story(world)

    for name in ("h1", "h2"):
        world.add_host(name, 2000, 2048)
    for name in ("ci", "desk"):
        world.add_machine(name)
    try:
        run_on(loop, main())
    finally:
        world.turns.close()
    assert world.broken is None, "\n".join(world.story)
    return world


def begun(world: World, spec: Job, process: Process) -> asyncio.Future[int | None]:
    """An apply of that spec, which goes on by itself."""
    world.repository = {spec.id: spec}
    world.revision += 1
    return asyncio.ensure_future(world.apply(process, world.desired()))


async def applied(world: World, spec: Job) -> int | None:
    return await begun(world, spec, Process(machine=world.machines[0]))


class DiesAnswering(Process):
    """A process that dies as soon as it has answered."""

    def at(self, boundary: Boundary) -> None:
        if boundary is Boundary.ANSWERED:
            self.dies_at = self.passed + 1
        Process.at(self, boundary)


async def asked(world: World, verb: Verb, *, leaves: bool = False) -> Way:
    person = Person.at(world, Process(machine=world.machines[1]))
    request = await person.wish(verb, "web")
    assert request is not None
    return (await person.ask(request, "web", leaves=leaves)).way


def state(world: World) -> JobState:
    return world.audit.job("web")


def versions(world: World) -> list[int]:
    return sorted(a.job_version for a in state(world).allocs if not a.terminal)


def status(world: World) -> DeploymentStatus:
    found = state(world).deployment
    assert found is not None
    return found.status


def test_a_pause_is_taken_in_at_the_next_beat_and_nothing_more_is_begun() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD)) == 0
        rolling = begun(world, slow(NEW), Process(machine=world.machines[0]))
        await asyncio.sleep(4)
        began = world.loop.time()
        assert await asked(world, Verb.PAUSE) is Way.ANSWERED
        # A beat is a third of the lease, and a look at the ledger a tenth.
        assert world.loop.time() - began < TTL / 3 + TTL / 10 + 2
        assert versions(world).count(1) == 1
        assert await rolling == 4

    world = played(story)
    # What had begun came to its end.
    assert versions(world) == [0, 0, 0, 1]
    assert status(world) is DeploymentStatus.PAUSED
    assert state(world).run == ""


def test_what_is_paused_and_resumed_while_one_is_watched_goes_on_in_the_same_run() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD, min_healthy_time=SLOW)) == 0
        rolling = asyncio.ensure_future(applied(world, slow(NEW, min_healthy_time=40 * SECOND)))
        await asyncio.sleep(4)
        assert await asked(world, Verb.PAUSE) is Way.ANSWERED
        assert status(world) is DeploymentStatus.PAUSED
        assert await asked(world, Verb.RESUME) is Way.ANSWERED
        assert await rolling == 0

    world = played(story)
    assert versions(world) == [1, 1, 1, 1]
    assert status(world) is DeploymentStatus.SUCCESSFUL


def test_a_failure_by_hand_brings_back_what_ran() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD, auto_revert=True)) == 0
        rolling = asyncio.ensure_future(applied(world, slow(NEW, auto_revert=True)))
        await asyncio.sleep(12)
        assert await asked(world, Verb.FAIL) is Way.ANSWERED
        assert await rolling == 5

    world = played(story)
    assert [v.version for v in state(world).versions] == [2, 1, 0]
    newest, _, oldest = state(world).versions
    assert newest.job == oldest.job


def test_two_people_fail_it_at_once_and_one_of_them_is_refused() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD)) == 0
        rolling = begun(world, slow(NEW), Process(machine=world.machines[0]))
        await asyncio.sleep(4)
        await asyncio.gather(asked(world, Verb.FAIL), asked(world, Verb.FAIL))
        assert await rolling == 5

    world = played(story)
    refusals = sorted(a.refusal for a in state(world).answers)
    assert refusals == ["", "can't fail terminal deployment"]


def test_what_makes_no_sense_is_refused_before_it_is_recorded() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD)) == 0
        rolling = begun(world, slow(NEW), Process(machine=world.machines[0]))
        await asyncio.sleep(4)
        with pytest.raises(OrchError, match="no canaries to promote"):
            await asked(world, Verb.PROMOTE)
        assert state(world).requests == ()
        assert await rolling == 0

    assert state(played(story)).answers == ()


def test_nobody_is_asked_who_does_not_hold_the_job() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD)) == 0
        assert await asked(world, Verb.PAUSE) is Way.FREE

    assert state(played(story)).requests == ()


def test_who_leaves_is_answered_all_the_same() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD)) == 0
        rolling = begun(world, slow(NEW), Process(machine=world.machines[0]))
        await asyncio.sleep(4)
        began = world.loop.time()
        assert await asked(world, Verb.PAUSE, leaves=True) is Way.LEFT
        assert world.loop.time() - began < 2
        assert await rolling == 4

    world = played(story)
    assert [a.refusal for a in state(world).answers] == [""]
    assert status(world) is DeploymentStatus.PAUSED


def test_where_the_run_dies_first_who_asks_may_act_when_its_lease_is_over() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD)) == 0
        process = Process(machine=world.machines[0])
        rolling = begun(world, slow(NEW), process)
        await asyncio.sleep(4)
        began = world.loop.time()
        asking = asyncio.ensure_future(asked(world, Verb.PAUSE))
        await asyncio.sleep(0.5)
        process.kill()
        assert await asking is Way.FREE
        assert TTL <= world.loop.time() - began < TTL + TTL / 10 + 2
        await asyncio.wait((rolling,))
        # The request waits; whoever takes the job next takes it in first.
        assert [r.verb for r in state(world).requests] == [Verb.PAUSE]
        assert versions(world).count(1) == 1
        assert await applied(world, slow(NEW)) == 4

    world = played(story)
    assert versions(world) == [0, 0, 0, 1]
    assert status(world) is DeploymentStatus.PAUSED
    assert [a.refusal for a in state(world).answers] == [""]
    assert state(world).requests == ()


def test_where_the_run_dies_after_it_the_answer_stands_and_it_is_done_once() -> None:
    async def story(world: World) -> None:
        assert await applied(world, slow(OLD, auto_revert=True)) == 0
        process = DiesAnswering(machine=world.machines[0])
        rolling = begun(world, slow(NEW, auto_revert=True), process)
        await asyncio.sleep(4)
        assert await asked(world, Verb.FAIL) is Way.ANSWERED
        await asyncio.wait((rolling,))
        assert process.dead
        assert await applied(world, slow(OLD, auto_revert=True)) == 0

    world = played(story)
    assert [a.refusal for a in state(world).answers] == [""]
    assert [v.version for v in state(world).versions] == [2, 1, 0]
    assert versions(world) == [2, 2, 2, 2]
