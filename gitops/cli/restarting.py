"""What `orch job restart` does: a job's running allocations begin anew, batch after batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gitops.cli.asking import approve
from gitops.cli.driving import Manner, as_recorded, drive
from gitops.cli.handling import reachable, restart_tasks, running_in
from gitops.cli.look import Look, advise, session, workspace
from gitops.cli.proving import Restarted, all_back, all_healthy
from gitops.cli.say import note, say, say_json
from gitops.orders import Orders
from gitops.planning import Look as Read
from gitops.resolve import Found, job_named
from gitops.session import Session
from gitops.view.decision_json import job_restart
from gitops.view.moment import timestamp
from planner.errors import OrchError
from planner.recorded import ClientStatus, Desired, JobState
from planner.status import statuses

_SHORT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSize:
    """So many allocations at a time; with `percent`, so many in a hundred, rounded up."""

    number: int = 1
    percent: bool = False

    def of(self, total: int) -> int:
        """Return how many that is, of so many: at least one."""
        return max(1, -(-total * self.number // 100) if self.percent else self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which allocations of a job are to begin anew, and how; `wait` is in seconds.

    Without `groups` those of all; without `task` all tasks that run, with `everything` those too
    that have ended. With `reschedules` others take the places of the allocations.
    """

    groups: Collection[str] = ()
    task: str = ""
    everything: bool = False
    size: BatchSize = field(default_factory=BatchSize)
    wait: float = 0.0
    reschedules: bool = False

    def words(self, alloc: str, group: str) -> str:
        """Say what happens to one of them."""
        if self.reschedules:
            return f'Rescheduling allocation "{alloc}" for group "{group}"'
        tasks = "all tasks" if self.everything else "running tasks"
        what = f'task "{self.task}"' if self.task else tasks
        return f'Restarting {what} in allocation "{alloc}" for group "{group}"'


async def restart_job(name: str, wish: Wish, look: Look, *, ask: bool) -> int:
    """Restart a job's running allocations, and return the exit code.

    Raises `OrchError` with the first of them that does not begin anew, or does not come back; the
    rest stay as they are.
    """
    ws = workspace()
    async with session(ws) as ties:
        recorded = (await asyncio.to_thread(ties.ledger.read)).folded()
        state = recorded.job(job_named(name, recorded))
        _refuse_unknown(state, wish)
        read = await ties.look({a.node for a in state.allocs if not a.terminal})
        advise(ties)
        chosen = _chosen(state, wish, read)
        if not chosen:
            say_json(job_restart(state, ())) if look.json else say("No allocations to restart")
            return 0
        if ask:
            await approve(f'Restart {_counted(len(chosen))} of job "{state.key}"?')
        restarting = Restarting(ties=ties, look=look, wish=wish, key=state.key)
        return await restarting.run(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarting:
    """One restart of a job that is carried out."""

    ties: Session
    look: Look
    wish: Wish
    key: str

    async def run(self, allocs: Sequence[str]) -> int:
        """Go batch by batch, until one does not come back; return the exit code."""
        back: list[str] = []
        try:
            code = await self._all(allocs, back)
        except OrchError:
            # What came back is told; but why it ended is told whatever becomes of that.
            with suppress(OrchError):
                await self._tell_data(back)
            raise
        await self._tell_data(back)
        if code == 0 and not self.look.json:
            say("\nJob restarted successfully!")
        return code

    async def _all(self, allocs: Sequence[str], back: list[str]) -> int:
        """Go batch by batch, and add those that came back to `back`; return the exit code."""
        self._tell(f"Restarting {_counted(len(allocs))}", begins=True)
        size = self.wish.size.of(len(allocs))
        for at in range(0, len(allocs), size):
            if at and self.wish.wait:
                self._tell(
                    f"Waiting {self.wish.wait:g}s before restarting the next batch", begins=True
                )
                await asyncio.sleep(self.wish.wait)
            batch = allocs[at : at + size]
            code = await self._batch(batch)
            if code:
                return code
            back.extend(batch)
        self._tell("Job restart finished", begins=True)
        return 0

    async def _tell_data(self, allocs: Sequence[str]) -> None:
        """Print what began anew, where JSON is asked for."""
        if not self.look.json:
            return
        state = (await asyncio.to_thread(self.ties.ledger.read)).folded().job(self.key)
        known = (state.alloc(a) for a in allocs)
        say_json(job_restart(state, [a for a in known if a is not None]))

    async def _batch(self, allocs: Sequence[str]) -> int:
        """Let these begin anew, and wait for them; return the exit code."""
        read, found = await self._found(allocs)
        for each in found:
            reachable(each, read.observed)
        for each in found:
            self._tell(self.wish.words(self._shown(each.alloc.id), each.alloc.group))
        if self.wish.reschedules:
            return await self._reschedule(found)
        ends = await asyncio.gather(
            *(self._restart(f, read) for f in found), return_exceptions=True
        )
        # All of a batch come to their end, whatever becomes of one.
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        restarted = [end for end in ends if isinstance(end, Restarted)]
        await all_back(self.ties, restarted)
        await all_healthy(self.ties, found)
        return 0

    def _tell(self, text: str, *, begins: bool = False) -> None:
        """Say how far it is; what is asked for JSON gets it on stderr."""
        tell = note if self.look.json else say
        tell(f"{'==>' if begins else '   '} {timestamp(time.time_ns())}: {text}")

    def _shown(self, alloc: str) -> str:
        return alloc if self.look.verbose else alloc[:_SHORT]

    async def _found(self, allocs: Collection[str]) -> tuple[Read, list[Found]]:
        """Look anew at the hosts of these allocations, and return them as they are recorded."""
        state = (await asyncio.to_thread(self.ties.ledger.read)).folded().job(self.key)
        read = await self.ties.look({a.node for a in state.allocs if a.id in allocs})
        advise(self.ties)
        state = read.recorded.job(self.key)
        known = [state.alloc(a) for a in allocs]
        return read, [Found(state=state, alloc=a) for a in known if a is not None]

    async def _restart(self, found: Found, read: Read) -> Restarted:
        running = await running_in(self.ties, found, read.observed)
        tasks = await restart_tasks(running, self.wish.task, everything=self.wish.everything)
        return Restarted(found=found, before=running.seen, tasks=tasks)

    async def _reschedule(self, found: Sequence[Found]) -> int:
        """Stop these, and wait for those in their places; return the exit code."""
        moved = frozenset(f.alloc.id for f in found)
        manner = Manner(orders=Orders(migrates=moved))
        look = self.look.silent() if self.look.json else self.look
        code = await drive(self.ties, look, [as_recorded(found[0].state)], manner)
        if code:
            return code
        state = (await self.ties.look()).recorded.job(self.key)
        placed = {a.previous: a for a in state.allocs if a.previous in moved}
        for each in found:
            old, new = self._shown(each.alloc.id), placed.get(each.alloc.id)
            if new is None:
                raise OrchError(f'allocation "{old}" was stopped, and nothing took its place')
            name = self._shown(new.id)
            self._tell(
                f'Allocation "{old}" replaced by "{name}", waiting for "{name}" to start running'
            )
        others = [Found(state=state, alloc=a) for a in placed.values()]
        await all_back(self.ties, [Restarted(found=f) for f in others])
        for each in others:
            self._tell(f'Allocation "{self._shown(each.alloc.id)}" is "running"')
        await all_healthy(self.ties, others)
        return 0


def _refuse_unknown(state: JobState, wish: Wish) -> None:
    """Raise `OrchError` where the job has no such group, or no such task in them."""
    groups = state.current.job.task_groups if state.current else ()
    known = {g.name for g in groups}
    for group in wish.groups:
        if group not in known:
            listed = ", ".join(sorted(known))
            raise OrchError(f"job {state.key!r} has no group {group!r}", f"It has: {listed}.")
    tasks = {t.name for g in groups if g.name in (wish.groups or known) for t in g.tasks}
    if wish.task and wish.task not in tasks:
        listed = "\n".join(sorted(tasks))
        raise OrchError(f"Could not find task named: {wish.task}, found:\n{listed}")


def _chosen(state: JobState, wish: Wish, read: Read) -> list[str]:
    """Return the ids of those that run and are meant; `HostError` where a host is silent."""
    state = read.recorded.job(state.key)
    found = statuses(state, read.observed)
    chosen: list[str] = []
    for alloc in sorted(state.allocs, key=lambda a: (a.group, a.name)):
        if alloc.terminal or alloc.desired is not Desired.RUN:
            continue
        if wish.groups and alloc.group not in wish.groups:
            continue
        reachable(Found(state=state, alloc=alloc), read.observed)
        seen = read.observed.allocs.get(alloc.id)
        has_task = seen is not None and (not wish.task or wish.task in seen.tasks)
        if has_task and found[alloc.id] is ClientStatus.RUNNING:
            chosen.append(alloc.id)
    return chosen


def _counted(number: int) -> str:
    return f"{number} allocation{'' if number == 1 else 's'}"
