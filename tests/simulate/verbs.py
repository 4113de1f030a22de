"""What people tell jobs and deployments beside their files: stop, scale, promote, and so on.

Each is what its command comes to, with the same parts of orch.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from gitops.applying import Result
from gitops.ledger.protocol import Guard, Snapshot
from gitops.orders import Orders
from gitops.planning import Desired, stopping
from planner.errors import ConflictError
from planner.intervention import carried
from planner.job import Job
from planner.orders import JOB_SCALING, WATCHER
from planner.recorded import DeploymentStatus, JobState, JobVersion
from planner.request import Request, Verb
from planner.source import Source
from planner.way_back import way_back
from tests.simulate.chance import Chance
from tests.simulate.command import Command

_MOST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of one job: `chance` draws the rest."""

    command: Command
    chance: Chance
    snapshot: Snapshot
    state: JobState
    version: JobVersion

    async def stop(self) -> Result | None:
        return await self.command.apply(stopping((self.state.key,), self.snapshot.folded()))

    async def scale(self) -> Result | None:
        groups = list(self.version.job.task_groups)
        i = self.chance.number(0, len(groups) - 1)
        groups[i] = replace(groups[i], count=self.chance.number(0, _MOST))
        job = replace(self.version.job, task_groups=tuple(groups))
        return await self._driven(job, Orders(trigger=JOB_SCALING))

    async def revert(self) -> Result | None:
        version = self.chance.one_of(self.state.versions)
        job = replace(version.job, stop=False)
        return await self._driven(job, Orders(), version)

    async def evaluate(self) -> Result | None:
        return await self._driven(self.version.job, Orders(anyway=True))

    async def restart(self) -> Result | None:
        """With other allocations in the places of some."""
        live = [a.id for a in self.state.allocs if not a.terminal]
        chosen = frozenset(self.chance.some_of(live, 2))
        return await self._driven(self.version.job, Orders(migrates=chosen))

    async def promote(self) -> Result | None:
        return await self._asked(Verb.PROMOTE)

    async def resume(self) -> Result | None:
        return await self._asked(Verb.RESUME)

    async def fail(self) -> Result | None:
        return await self._asked(Verb.FAIL)

    async def pause(self) -> Result | None:
        """A decision of its own, where nobody is at the job."""
        if self.state.run:
            raise ConflictError(f"{self.state.key}: run {self.state.run[:8]} holds it", "")
        request = self._request(Verb.PAUSE)
        change = carried(request, self.state, request.time)
        guard = Guard(key=self.state.key, modify_index=self.state.modify_index)
        ledger = self.command.place.ledger
        await self.command.process.blocking(
            lambda: ledger.commit(self.snapshot, [change], message="Pause", guards=[guard])
        )
        self.command.tell(f"{self.state.key} is paused")
        return None

    async def _asked(self, verb: Verb) -> Result | None:
        """Ask something of the job's deployment; where that can't be, no host is asked."""
        request = self._request(verb)
        carried(request, self.state, request.time)
        back = None
        if verb is Verb.FAIL and self.state.deployment is not None:
            back = way_back(self.state, self.state.deployment).version
        orders = Orders(trigger=WATCHER, requests={self.state.key: request}, anyway=True)
        return await self._driven((back or self.version).job, orders, back)

    def _request(self, verb: Verb) -> Request:
        return Request(
            id=self.command.process.chance.id(),
            verb=verb,
            deployment=self.state.deployment.id if self.state.deployment else "",
            by="ops",
            time=self.command.process.now(),
        )

    async def _driven(
        self, job: Job, orders: Orders, version: JobVersion | None = None
    ) -> Result | None:
        version = version or self.version
        key = self.state.key
        orders = replace(
            orders, commits={key: version.commit}, expects={key: self.state.job_modify_index}
        )
        self.command.manner = replace(self.command.manner, orders=orders)
        source = Source(commit=version.commit)
        return await self.command.apply(Desired(jobs=((version.path, job),), source=source))


_Verb = Callable[[Told], Awaitable[Result | None]]
_OF_JOBS: tuple[_Verb, ...] = (Told.stop, Told.scale, Told.revert, Told.evaluate, Told.restart)
_OF_DEPLOYMENTS: tuple[_Verb, ...] = (Told.promote, Told.promote, Told.fail, Told.pause)


async def told(command: Command, chance: Chance) -> Result | None:
    """Read what is recorded, and tell some job something. Raises `OrchError`."""
    process = command.process
    snapshot = await process.blocking(command.place.ledger.read)
    recorded = snapshot.folded()
    known = [(s, s.current) for _, s in sorted(recorded.jobs.items()) if s.current is not None]
    if not known:
        return None
    resting = [(s, v) for s, v in known if _is_at_rest(s)]
    state, version = chance.one_of(resting or known)
    verb = _verb(state, chance)
    command.tell(f"{verb.__name__} {state.key}")
    return await verb(
        Told(command=command, chance=chance, snapshot=snapshot, state=state, version=version)
    )


def _is_at_rest(state: JobState) -> bool:
    """Whether a deployment goes on, and nobody is at it: it waits for somebody."""
    return state.deployment is not None and state.deployment.status.active and not state.run


def _verb(state: JobState, chance: Chance) -> _Verb:
    """Draw what is told, most often what can be."""
    deployment = state.deployment
    if deployment is None or chance.happens(0.3):
        return chance.one_of((*_OF_JOBS, *_OF_DEPLOYMENTS))
    if deployment.status is DeploymentStatus.PAUSED:
        return chance.one_of((Told.resume, Told.resume, Told.promote, Told.fail))
    return chance.one_of(_OF_DEPLOYMENTS if deployment.status.active else _OF_JOBS)
