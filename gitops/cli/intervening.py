"""What `orch deployment promote`, `fail`, `pause`, `resume` and `health` do, and `job promote`.

Where a run holds the job, that run is asked. Where none does, what is decided is recorded with the
begin of a run, which drives the job on to its end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gitops.asking import Asked
from gitops.cli.driving import Driven, Manner, as_recorded, changed, drive
from gitops.cli.handing_over import Handing
from gitops.cli.look import Look, session, workspace
from gitops.cli.say import note, say, say_json
from gitops.exit_codes import FAILED
from gitops.ledger.protocol import Guard, Snapshot
from gitops.ledger.surroundings import Surroundings
from gitops.orders import Orders
from gitops.resolve import deployment_named, job_named
from gitops.session import Session, fresh_id
from gitops.specs import vault_of
from gitops.view import status_json
from planner.errors import OrchError
from planner.intervention import carried, meant
from planner.orders import WATCHER
from planner.recorded import Deployment, JobState, Recorded
from planner.request import Request, Verb
from planner.way_back import way_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """One request about a job, and how it is carried out where nobody else does."""

    ties: Session
    look: Look
    request: Request

    async def driven(self, asked: Asked) -> int:
        """Record it with the begin of a run, and drive the job on; return the exit code."""
        # Refused before hosts are asked anything.
        carried(self.request, asked.state, time.time_ns())
        if self.request.verb is Verb.RESUME:
            self._say(f'Deployment "{self.request.deployment}" resumed')
        return await self._drive(asked.state, as_recorded(asked.state))

    async def failed(self, asked: Asked) -> int:
        """End the deployment, and drive the version that its job goes back to."""
        state = asked.state
        carried(self.request, state, time.time_ns())
        version = way_back(state, meant(self.request, state)).version
        back = f" Auto-reverted to job version {version.version}." if version else ""
        driven = as_recorded(state) if version is None else changed(state, version.job, version)
        if version is not None:
            vault_of(self.ties.workspace, version).opened(version.job)
        code = await self._drive(state, driven)
        self._say(f'Deployment "{self.request.deployment}" failed.{back}')
        # A deployment that failed as it was told to has failed all the same.
        return code or FAILED

    async def paused(self, asked: Asked) -> int:
        """Record the pause: nothing more is to be begun, so that no host is asked anything."""
        ledger, key = self.ties.ledger, asked.state.key
        snapshot = await self._taken_from_the_dead(asked)
        state = snapshot.recorded.job(key)
        change = carried(self.request, state, time.time_ns())
        guard = Guard(key=key, modify_index=state.modify_index)
        await asyncio.to_thread(
            lambda: ledger.commit(snapshot, [change], message=f"Pause: {key}", guards=[guard])
        )
        if self.look.json:
            say_json(status_json.deployment_data(state, change.deployments[0]))
        else:
            say(f'Deployment "{self.request.deployment}" paused')
        return 0

    async def _taken_from_the_dead(self, asked: Asked) -> Snapshot:
        """Return the state in which a run that is no more has let the job go."""
        run, ledger = asked.state.run, self.ties.ledger
        if not run:
            return asked.snapshot
        note(f"Run {run[:8]} was interrupted; an apply goes on with its work.")
        return await asyncio.to_thread(ledger.adopt, asked.snapshot, run, fresh_id(), ())

    async def _drive(self, state: JobState, driven: Driven) -> int:
        orders = Orders(trigger=WATCHER, requests={state.key: self.request}, anyway=True)
        return await drive(self.ties, self.look, [driven], Manner(orders=orders))

    def _say(self, text: str) -> None:
        if not self.look.json:
            say(text)


async def promote(prefix: str, groups: Sequence[str], look: Look, *, detach: bool) -> int:
    """Find the canaries of a deployment good, and roll on; return the exit code."""
    async with session(workspace()) as ties:
        state, deployment = deployment_named(prefix, await _read(ties))
        request = _asked(Verb.PROMOTE, deployment, groups)
        return await _done(ties, look, state, request, detach=detach)


async def promote_job(name: str, groups: Sequence[str], look: Look, *, detach: bool) -> int:
    """Find the canaries of a job's latest deployment good, and roll on; return the exit code."""
    async with session(workspace()) as ties:
        recorded = await _read(ties)
        state = recorded.job(job_named(name, recorded))
        if state.deployment is None:
            raise OrchError(f'job "{state.key}" has no deployment to promote')
        request = _asked(Verb.PROMOTE, state.deployment, groups)
        return await _done(ties, look, state, request, detach=detach)


async def intervene(verb: Verb, prefix: str, look: Look, *, detach: bool) -> int:
    """Let a deployment rest, go on, or end as failed; return the exit code.

    One that failed goes back where `auto_revert` says so.
    """
    async with session(workspace()) as ties:
        state, deployment = deployment_named(prefix, await _read(ties))
        return await _done(ties, look, state, _asked(verb, deployment), detach=detach)


async def health(
    prefix: str, healthy: Sequence[str], unhealthy: Sequence[str], look: Look, *, detach: bool
) -> int:
    """Say of allocations whether they are healthy, and drive their deployment on."""
    async with session(workspace()) as ties:
        state, deployment = deployment_named(prefix, await _read(ties))
        request = Request(
            id=fresh_id(),
            verb=Verb.HEALTH,
            deployment=deployment.id,
            healthy=_allocs(state, deployment, healthy),
            unhealthy=_allocs(state, deployment, unhealthy),
            by=Surroundings.real().who,
            time=time.time_ns(),
        )
        return await _done(ties, look, state, request, detach=detach)


async def _done(
    ties: Session, look: Look, state: JobState, request: Request, *, detach: bool
) -> int:
    """Have the run that holds the job do it, or do it here; return the exit code."""
    mine = Intervention(ties=ties, look=look, request=request)
    ways = {Verb.PAUSE: mine.paused, Verb.FAIL: mine.failed}
    handing = Handing(ties=ties, look=look, key=state.key, request=request, detach=detach)
    return await handing.over(ways.get(request.verb, mine.driven))


def _asked(verb: Verb, deployment: Deployment, groups: Sequence[str] = ()) -> Request:
    return Request(
        id=fresh_id(),
        verb=verb,
        deployment=deployment.id,
        groups=tuple(groups),
        by=Surroundings.real().who,
        time=time.time_ns(),
    )


def _allocs(state: JobState, deployment: Deployment, prefixes: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of allocations of the deployment, by their starts."""
    mine = [a.id for a in state.allocs if a.deployment == deployment.id]
    found: list[str] = []
    for prefix in prefixes:
        matching = [i for i in mine if i.startswith(prefix)]
        if len(matching) != 1:
            what = "is none" if not matching else "is the start of several"
            raise OrchError(f"allocation {prefix!r} {what} of deployment {deployment.id[:8]}")
        found += matching
    return tuple(found)


async def _read(ties: Session) -> Recorded:
    return (await asyncio.to_thread(ties.ledger.read)).folded()
