"""A ledger that goes back to what it was: whoever finds that out writes nothing any more."""

from __future__ import annotations

import asyncio

from gitops.ledger import layout
from tests.simulate.audit import BrokenPromiseError
from tests.simulate.chance import Chance
from tests.simulate.command import TTL
from tests.simulate.ending import converge
from tests.simulate.jobs import touched
from tests.simulate.machine import Process
from tests.simulate.world import World

# Seconds until a run hears of it at a beat, and has done the steps in hand; and so many more for
# each second that messages to the ledger take, because its jobs write there in turns.
_UNAWARE = TTL / 3 + 8
_IN_TURNS = 20


async def rewound(world: World, chance: Chance) -> None:
    """Put an old state in the ledger's place, and let all machines apply, and one that is new."""
    seen = max((f.index for h in world.hosts.values() for f in h.decisions("sim")), default=0)
    line = world.audit.line
    if not seen or world.git is not None:
        return
    kept = chance.number(0, min(seen, len(line)) - 1)
    world.remote.shelf.refs[layout.STATE] = line[kept - 1] if kept else ""
    if not kept:
        del world.remote.shelf.refs[layout.STATE]
    world.tell("!", f"the ledger goes back to index {kept}, and hosts have seen {seen}")
    world.is_rewound = True
    newest = world.add_machine("new")
    for machine in (*world.machines[:-1], newest):
        process = Process(machine=machine)
        await world.apply(process, world.desired())
        if "RewoundError" not in world.story[-1]:
            raise BrokenPromiseError(f"{process.name} does not see that the ledger went back")


async def rewound_midway(world: World, chance: Chance) -> None:
    """Put an old state in the ledger's place while a run goes on, and put that right again."""
    if world.git is not None:
        return
    world.commit({i: touched(j) for i, j in world.repository.items()}, "all are touched")
    process = Process(machine=world.machines[0])
    applying = asyncio.ensure_future(world.apply(process, world.desired()))
    before = len(world.audit.line)
    await asyncio.wait((applying,), timeout=chance.between(2, 15))
    if not any(state.run for state in world.audit.recorded.jobs.values()):
        await applying  # it is not there yet, or is over
        return
    kept = chance.number(1, before)
    world.remote.shelf.refs[layout.STATE] = world.audit.line[kept - 1]
    world.tell("!", f"the ledger goes back to index {kept} under {process.name}")
    world.unaware_until = world.loop.time() + _UNAWARE
    world.unaware_until += _IN_TURNS * world.weather.ledger_delay
    world.is_rewound = True
    if await applying == 0:
        raise BrokenPromiseError(f"{process.name} does not see that the ledger went back")
    world.is_rewound, world.unaware_until = False, 0.0
    world.remote.shelf.refs[layout.STATE] = world.audit.line[-1]
    world.tell("!", "the ledger is put right")
    await converge(world)
