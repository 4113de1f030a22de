"""The end of a seed: nothing is wrong any more, and all comes to what the repository says."""

from __future__ import annotations

import asyncio

from planner.job import Job
from planner.job_key import job_key
from tests.simulate.audit import BrokenPromiseError
from tests.simulate.jobs import fitting, steady
from tests.simulate.machine import Process
from tests.simulate.nodes import opened
from tests.simulate.world import World

# Applies that it may take.
_ROUNDS = 12


async def converge(world: World) -> None:
    """Apply until nothing is left to do; raises where that does not end, or ends elsewhere."""
    opening = Process(machine=world.machines[-1])
    await world.run(opening, "orch node eligibility", opened)
    await _settle(world)
    world.commit({i: fitting(steady(j)) for i, j in world.repository.items()}, "all are steady")
    machine = world.machines[-1]
    for _ in range(_ROUNDS):
        process = Process(machine=machine)
        code = await world.apply(process, world.desired())
        if world.story[-1].endswith("nothing to do"):
            break
        await asyncio.sleep(0 if code == 0 else 30)
    else:
        raise BrokenPromiseError(f"it does not converge: {_ROUNDS} applies, and a plan is left")
    # What was just started gets there.
    await asyncio.sleep(60)
    check_runs(world)
    check_leftovers(world)
    world.check_secrets()


async def _settle(world: World) -> None:
    """Apply what the repository has, some of which may never be well."""
    for _ in range(3):
        await asyncio.sleep(15)
        await world.apply(Process(machine=world.machines[-1]), world.desired())
        if world.story[-1].endswith("nothing to do"):
            _check_bindings(world)
            return


def _check_bindings(world: World) -> None:
    """Nothing is taken to run whose container is gone."""
    for name, host in world.hosts.items():
        for alloc, kept in host.disk.records.items():
            record = world.audit.job(kept.record.job_id).alloc(alloc)
            wanted = record is not None and not record.terminal and not kept.stop
            if kept.missing and wanted and kept.job_type in ("service", "system"):
                raise BrokenPromiseError(
                    f"nothing is left to do, but {kept.record.name} on {name} has no container"
                )


def check_runs(world: World) -> None:
    """What runs is what the repository says, each name once; names may have gaps."""
    running = [k.record for host in world.hosts.values() for k in host.running().values()]
    for job in world.repository.values():
        mine = [r.name for r in running if r.job_id == job.id]
        if job.type == "service":
            _check_job(world, job, mine)
        if job.type == "system":
            _check_system(world, job, mine)
    foreign = [r.name for r in running if r.job_id not in world.repository]
    if foreign:
        raise BrokenPromiseError(f"nothing is left to do, but too many are {foreign}")


def _check_job(world: World, job: Job, names: list[str]) -> None:
    state = world.audit.job(job_key(job.id, job.namespace))
    unplaced = state.evaluations[-1].failures if state.evaluations else ()
    for group in job.task_groups:
        prefix = f"{job.id}.{group.name}["
        found = sorted(n for n in names if n.startswith(prefix))
        enough = len(found) == group.count or (group.name in unplaced and len(found) < group.count)
        if len(set(found)) < len(found) or not enough:
            raise BrokenPromiseError(
                f"nothing is left to do, but of {job.id}.{group.name} run {found}, "
                f"and the count is {group.count}"
            )


def _check_system(world: World, job: Job, names: list[str]) -> None:
    """One of each group on each node, but where there is no room for it."""
    state = world.audit.job(job_key(job.id, job.namespace))
    unplaced = state.evaluations[-1].failures if state.evaluations else ()
    for group in job.task_groups:
        found = [n for n in names if n.startswith(f"{job.id}.{group.name}[")]
        wanted = len(world.hosts)
        if len(found) > wanted or (len(found) < wanted and group.name not in unplaced):
            raise BrokenPromiseError(
                f"nothing is left to do, but of {job.id}.{group.name} run {len(found)}, "
                f"on {wanted} nodes"
            )


def check_leftovers(world: World) -> None:
    """No job is held or asked for anything, nothing is reserved for what does not run."""
    held = [key for key, state in world.audit.recorded.jobs.items() if state.run]
    if held:
        raise BrokenPromiseError(f"nothing is left to do, but runs hold {held}")
    asked = [key for key, state in world.audit.recorded.jobs.items() if state.requests]
    if asked:
        raise BrokenPromiseError(f"nothing is left to do, but something is asked of {asked}")
    for name, host in world.hosts.items():
        for alloc, kept in host.disk.records.items():
            recorded = world.audit.job(kept.record.job_id).alloc(alloc) is not None
            if host.restores and not recorded:
                # A host that went back may have what was forgotten long before. It is left alone.
                continue
            if not kept.freed(host.now()) and not kept.runs(host.now()):
                raise BrokenPromiseError(f"{name}: {alloc[:8]} does not run, and holds its room")
