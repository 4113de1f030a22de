"""What `orch apply -resume` does: it goes on with what was interrupted, from the ledger alone."""

from __future__ import annotations

import asyncio

from gitops.cli.driving import Manner, as_recorded, drive
from gitops.cli.look import Look, session, workspace
from gitops.cli.say import say
from planner.recorded import ClientStatus, DeploymentStatus, Desired, JobState, Recorded


async def resume(look: Look, *, ask: bool) -> int:
    """Drive on every job that a run has left unfinished, as it is recorded; return the exit code.

    It needs no job file, and no clone that has the commit: versions, allocations and their ids are
    in the ledger.
    """
    ws = workspace()
    async with session(ws) as ties:
        recorded = (await asyncio.to_thread(ties.ledger.read)).folded()
        jobs = [as_recorded(state) for state in unfinished(recorded)]
        if not jobs:
            say("Nothing was interrupted")
            return 0
        return await drive(ties, look, jobs, Manner(asks=ask, remedy="Give -auto-approve."))


def unfinished(recorded: Recorded) -> list[JobState]:
    """Return the jobs with something decided that is not carried out yet, by name."""
    return [s for _, s in sorted(recorded.jobs.items()) if s.versions and _is_unfinished(s)]


def _is_unfinished(state: JobState) -> bool:
    deployment = state.deployment
    rolls = deployment is not None and deployment.status is DeploymentStatus.RUNNING
    stops = state.current is not None and state.current.job.stop
    live = [a for a in state.allocs if not a.terminal]
    waits = any(a.client is ClientStatus.PENDING or a.migrate or stops for a in live)
    ends = any(a.desired is Desired.STOP and not a.client.terminal for a in state.allocs)
    return bool(state.run) or rolls or waits or ends
