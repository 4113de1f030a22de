"""Somebody who asks something of a deployment, as `orch deployment pause` and its kind do."""

from __future__ import annotations

from dataclasses import dataclass

from executors.sim.turns import EndedError
from gitops.asking import Asked, Asking
from gitops.ledger.lease import LeaseWatch
from gitops.ledger.protocol import Ledger
from planner.errors import OrchError
from planner.request import Request, Verb
from tests.simulate.machine import Process
from tests.simulate.world import World


@dataclass(slots=True, kw_only=True)
class Person:
    """Asks at a machine, through its network and by its clock."""

    world: World
    process: Process
    ledger: Ledger

    @classmethod
    def at(cls, world: World, process: Process) -> Person:
        return cls(world=world, process=process, ledger=world.ledger(process))

    async def wish(self, verb: Verb, key: str) -> Request | None:
        """A request about the latest deployment of a job, if there is one."""
        snapshot = await self.process.blocking(self.ledger.read)
        state = snapshot.folded().job(key)
        deployment = state.deployment
        if deployment is None:
            return None
        mine = [a.id for a in state.allocs if a.deployment == deployment.id]
        said = tuple(mine[:1]) if verb is Verb.HEALTH else ()
        is_well = bool(said) and self.process.chance.happens(0.7)
        return Request(
            id=self.process.chance.id(),
            verb=verb,
            deployment=deployment.id,
            healthy=said if is_well else (),
            unhealthy=() if is_well else said,
            by=f"ops@{self.process.machine.name}",
            time=self.process.now(),
        )

    async def ask(self, request: Request, key: str, *, leaves: bool = False) -> Asked:
        """Ask, and wait for the answer unless one leaves. Raises an `OrchError` for a refusal."""
        process = self.process
        asking = Asking(
            ledger=self.ledger,
            key=key,
            request=request,
            now=process.now,
            tell=lambda run, _: self.world.tell(
                process.name, f"asks run {run.id[:8]} to {request.verb} {key}"
            ),
            watch=LeaseWatch(clock=process.monotonic, gone=process.machine.is_gone),
            sleep=process.sleep,
            blocking=process.blocking,
        )
        asked = await asking.asked(leaves=leaves)
        refusal = f": {asked.answer.refusal}" if asked.answer and asked.answer.refusal else ""
        self.world.tell(process.name, f"{request.verb} {key} is {asked.way.name}{refusal}")
        return asked


async def wish(world: World, process: Process, verb: Verb, key: str, *, leaves: bool) -> None:
    """Ask something of the latest deployment of a job; a refusal is an answer, too."""
    person = Person.at(world, process)
    try:
        request = await person.wish(verb, key)
        if request is not None:
            await person.ask(request, key, leaves=leaves)
    except OrchError as e:
        world.tell(process.name, f"{verb} {key} is refused: {e.message}")
    except EndedError:
        world.tell(process.name, "asks no more")
