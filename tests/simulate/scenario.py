"""One seed from its first commit to its end: people, a loop, trouble, and then peace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from executors.boundary import Boundary
from executors.sim.loop import DeadlockError, VirtualLoop, run_on
from gitops.draining import DrainWatches
from gitops.silence import Silence
from planner.job import SECOND, Job
from planner.request import Verb
from planner.update_order import UpdateOrder
from tests.simulate.audit import BrokenPromiseError
from tests.simulate.chance import Chance
from tests.simulate.command import TTL, Manner
from tests.simulate.ending import converge
from tests.simulate.jobs import edited, random_job
from tests.simulate.machine import Machine, Process
from tests.simulate.nodes import decided, emptied, gone_on
from tests.simulate.person import wish
from tests.simulate.rewind import rewound, rewound_midway
from tests.simulate.trouble import Trouble, heal
from tests.simulate.variant import Variant
from tests.simulate.verbs import told
from tests.simulate.world import World

_PLAIN = Variant()
# Seconds of virtual time in which all of it is over.
_LONG = 2000
# Boundaries after which a process that was overtaken has most to do.
_TELLING = (
    Boundary.BEGUN,
    Boundary.FENCED,
    Boundary.INTENDED,
    Boundary.INTENDED,
    Boundary.STOPPED,
    Boundary.STARTED,
)
TYPES = ("service", "service", "service", "batch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of one seed: its story, and the promise that was broken, if one was."""

    seed: int
    broken: str
    story: tuple[str, ...]


def simulate(seed: int, variant: Variant = _PLAIN, git: Path | None = None) -> Told:
    """Play one seed; the same seed tells the same story, byte for byte.

    With a folder for it the ledger is a real Git repository there.
    """
    loop = VirtualLoop()
    chance = Chance(seed)
    world = World(chance=chance, loop=loop, variant=variant, git=git)
    loop.set_exception_handler(lambda _, context: _escaped(world, context.get("exception")))
    try:
        run_on(loop, _played(world, chance.stream("world")))
    except BrokenPromiseError as e:
        world.fail(e)
    except DeadlockError as e:
        world.fail(BrokenPromiseError(str(e)))
    finally:
        world.turns.close()
    broken = str(world.broken) if world.broken else ""
    return Told(seed=seed, broken=broken, story=tuple(world.story))


def _escaped(world: World, error: BaseException | None) -> None:
    if isinstance(error, BrokenPromiseError):
        world.fail(error)


async def _played(world: World, chance: Chance) -> None:
    playing = asyncio.ensure_future(_acts(world, chance))
    over = asyncio.ensure_future(world.over.wait())
    await asyncio.wait((playing, over), timeout=_LONG, return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    if world.broken is None and not playing.done():
        world.fail(BrokenPromiseError(f"after {_LONG} s it is not over yet"))
    elif world.broken is None:
        playing.result()
    playing.cancel()


async def _acts(world: World, chance: Chance) -> None:
    horizon = chance.between(60, 200)
    rush, duel = chance.happens(0.15), chance.happens(0.1)
    _set_up(world, chance)
    if duel:
        actors = [_duel(world, chance.stream("duel"))]
    elif rush:
        _hurry(world)
        actors = [_rush(world, m, chance.stream(m.name)) for m in world.machines]
    else:
        actors = _everybody(world, chance, horizon)
    wishes = chance.stream("wishes")
    if wishes.happens(0.4) and not duel:
        actors.append(_wishes(world, wishes, horizon))
    trouble = Trouble(world=world, chance=chance.stream("trouble"))
    actors.append(trouble.happen(horizon, chance.number(0, 9)))
    playing = asyncio.gather(*actors)
    await asyncio.wait((playing,), timeout=horizon + 20)
    heal(world)
    await playing
    await converge(world)
    midway = world.chance.stream("rewound midway")
    if midway.happens(0.2):
        await rewound_midway(world, midway)
    rewinding = world.chance.stream("rewound")
    if rewinding.happens(0.2):
        await rewound(world, rewinding)


def _everybody(world: World, chance: Chance, horizon: float) -> list[Coroutine[Any, Any, None]]:
    """People with jobs, and those beside them who tell of jobs and nodes, or reconcile."""
    *people, looping = world.machines
    actors: list[Coroutine[Any, Any, None]] = []
    actors += [_people(world, m, chance.stream(m.name), horizon) for m in people]
    telling = world.chance.stream("operator")
    if telling.happens(0.4):
        actors.append(_operator(world, world.add_machine("ops"), telling, horizon))
    emptying = world.chance.stream("keeper")
    if emptying.happens(0.25):
        actors.append(_maintenance(world, world.add_machine("keeper"), emptying, horizon))
    if chance.happens(0.4):
        actors.append(_loop(world, looping, chance.stream("loop"), horizon))
    return actors


def _set_up(world: World, chance: Chance) -> None:
    for n in range(chance.number(2, 4)):
        host = world.add_host(f"h{n + 1}", chance.number(6, 16) * 100, chance.number(4, 12) * 128)
        host.resumes = chance.happens(0.5)
    for n in range(chance.number(1, 2)):
        machine = world.add_machine(f"m{n + 1}")
        machine.skew = int(chance.one_of((0, 0, 1, -1)) * chance.between(0, 3600e9))
    world.add_machine("loop")
    weather = world.weather
    weather.ledger_delay = chance.one_of((0.0, 0.1, 0.6))
    weather.ledger_faults = chance.one_of((0.0, 0.0, 0.03, 0.1))
    weather.host_faults = chance.one_of((0.0, 0.0, 0.01, 0.05))
    if chance.happens(0.2):
        weather.slow.add(chance.one_of(sorted(world.hosts)))
    if chance.stream("order").happens(0.3):
        world.manner = Manner(order=UpdateOrder.STOP_FIRST)
    world.loses = chance.stream("lost").happens(0.35)
    names = ("web", "api", "job")[: chance.number(1, 3)]
    jobs = {name: random_job(chance, name, TYPES) for name in names}
    world.commit(jobs, ", ".join(_words(j) for j in jobs.values()))


def _hurry(world: World) -> None:
    """Everything is near, and every clock right."""
    world.weather.ledger_delay = 0.0
    for machine in world.machines:
        machine.skew = 0


async def _rush(world: World, machine: Machine, chance: Chance) -> None:
    """Everybody applies a job of their own at the same time, to hosts that nobody knows yet."""
    names = sorted(world.repository)
    mine = names[world.machines.index(machine) % len(names)]
    await _applied(world, machine, chance, (mine,))
    await _applied(world, machine, chance, ())


async def _people(world: World, machine: Machine, chance: Chance, horizon: float) -> None:
    """Somebody who edits, and applies, a few times."""
    for n in range(chance.number(1, 3)):
        wait = chance.between(0, horizon / 2) if n or chance.happens(0.4) else 0.0
        await asyncio.sleep(wait)
        if n or chance.happens(0.3):
            _edit(world, chance)
        targets = (chance.one_of(sorted(world.repository)),) if chance.happens(0.3) else ()
        await _applied(world, machine, chance, targets)


async def _loop(world: World, machine: Machine, chance: Chance, horizon: float) -> None:
    """`orch reconcile -interval`, which remembers who does not answer as long as it lives."""
    watching = chance.stream("silence")
    grace = watching.one_of((0, 40)) * SECOND if watching.happens(0.6) else None
    silence: Silence | None = None
    watches = DrainWatches()
    while world.loop.time() < horizon:
        await asyncio.sleep(chance.between(10, 40))
        if silence is None and grace is not None:
            silence = Silence(grace=grace, monotonic=lambda: int(world.loop.time() * SECOND))
        process = _process(machine, chance)
        manner = replace(world.manner, silence=silence)
        then = partial(gone_on, watches=watches)
        act = world.apply(process, world.desired(), manner, then)
        await asyncio.wait((asyncio.ensure_future(act),))
        if process.dead:
            silence, watches = None, DrainWatches()


async def _operator(world: World, machine: Machine, chance: Chance, horizon: float) -> None:
    """Somebody who tells jobs, deployments and nodes things beside the files."""
    drains = chance.happens(0.5)
    for _ in range(chance.number(2, 7)):
        await asyncio.sleep(chance.between(0, horizon / 4))
        process = _process(machine, chance)
        if drains and chance.happens(0.5):
            act = world.run(process, "orch node", lambda command: decided(command, chance))
        else:
            act = world.run(process, "orch job", lambda command: told(command, chance))
        await _within(act, process, chance.stream("patience").between(20, 120))


async def _maintenance(world: World, machine: Machine, chance: Chance, horizon: float) -> None:
    """Somebody who empties the node that runs the most, and then the next one."""
    await asyncio.sleep(chance.between(20, horizon / 2))
    for _ in range(chance.number(1, 3)):
        name = max(sorted(world.hosts), key=lambda n: len(world.hosts[n].running()))
        process = _process(machine, chance)
        act = world.run(process, f"orch node drain {name}", partial(emptied, name=name))
        await _within(act, process, chance.between(30, 120))


async def _within(act: Awaitable[object], process: Process, seconds: float) -> None:
    """Wait for a command; who has no more patience than that ends it."""
    doing = asyncio.ensure_future(act)
    await asyncio.wait((doing,), timeout=seconds)
    if not doing.done():
        process.kill()
        await asyncio.wait((doing,))


async def _wishes(world: World, chance: Chance, horizon: float) -> None:
    """Somebody who wants this and that of deployments, whoever drives them."""
    while world.loop.time() < horizon:
        await asyncio.sleep(chance.between(2, 30))
        process = Process(machine=chance.one_of(world.machines))
        key, verb = chance.one_of(sorted(world.repository)), chance.one_of(list(Verb))
        asking = asyncio.ensure_future(wish(world, process, verb, key, leaves=chance.happens(0.5)))
        await asyncio.wait((asking,), timeout=chance.between(5, 60))
        process.kill()
        asking.cancel()
        await asyncio.wait((asking,))


async def _duel(world: World, chance: Chance) -> None:
    """One freezes with its steps before it, is taken over after its lease, and wakes amid that."""
    world.weather.host_delay = 0.6
    world.weather.ledger_faults = world.weather.host_faults = 0.0
    first = Process(machine=world.machines[0], freezes_at=Boundary.INTENDED)
    first.freezes_for = TTL + chance.between(1, 9)
    second = Process(machine=world.machines[-1], parallelism=1)
    one = asyncio.ensure_future(world.apply(first, world.desired()))
    await asyncio.sleep(chance.between(2, 5))
    await asyncio.wait((one, asyncio.ensure_future(world.apply(second, world.desired()))))


async def _applied(
    world: World, machine: Machine, chance: Chance, targets: tuple[str, ...]
) -> None:
    process = _process(machine, chance)
    manner = replace(world.manner, lost=_given_up(world, process))
    # A process of its own: it may be killed, and others go on.
    act = world.apply(process, world.desired(targets), manner)
    await asyncio.wait((asyncio.ensure_future(act),))


def _given_up(world: World, process: Process) -> tuple[str, ...]:
    """A host that somebody takes for lost, because it does not answer; it may come back."""
    machine, chance = process.machine, process.chance.stream("lost")
    away = [n for n, h in world.hosts.items() if not h.up or (machine.name, n) in world.weather.cut]
    return (chance.one_of(away),) if world.loses and away and chance.happens(0.8) else ()


def _process(machine: Machine, chance: Chance) -> Process:
    """A process of a machine, which may die or freeze on its way."""
    process = Process(machine=machine)
    if chance.happens(0.25):
        process.dies_at = chance.number(1, 14)
    elif chance.happens(0.25):
        process.freezes_at = chance.one_of(_TELLING)
    process.parallelism = chance.one_of((0, 0, 1))
    return process


def _edit(world: World, chance: Chance) -> None:
    jobs = dict(world.repository)
    name = chance.one_of(sorted(jobs))
    if len(jobs) > 1 and chance.happens(0.1):
        del jobs[name]
        world.commit(jobs, f"{name} is deleted")
        return
    jobs[name] = edited(chance, jobs[name])
    world.commit(jobs, _words(jobs[name]))


def _words(job: Job) -> str:
    groups = ", ".join(
        f"{g.name} {g.count}x {g.tasks[0].config['command']} {g.tasks[0].resources.memory_mb}MB"
        + (f" max_parallel {g.update.max_parallel}" if g.update else "")
        for g in job.task_groups
    )
    return f"{job.type} {job.id}: {groups}"
