"""What `orch alloc restart`, `signal` and `stop` do, in order: look, check, then act guarded."""

from __future__ import annotations

from dataclasses import dataclass

from executors.fleet import JobFence
from executors.guard import Guard
from executors.handled import Handled
from executors.refusals import NotRunningError
from executors.transport import HostError, HostFault
from gitops.cli.driving import Manner, as_recorded, drive
from gitops.cli.look import Look, advise, session, workspace
from gitops.orders import Orders
from gitops.resolve import Found, alloc_named
from gitops.session import Session
from planner.errors import OrchError
from planner.job import SECOND
from planner.observed import NodeStatus, Observed, ObservedAlloc, TaskPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An allocation that runs, what its host shows of it, and the way to its host."""

    found: Found
    seen: ObservedAlloc
    guard: Guard
    fence: JobFence

    def tasks(self, wanted: str) -> tuple[str, ...]:
        """Return the task that is wanted, or all that run; `OrchError` where there is none."""
        known_task(wanted, self.seen)
        names = [n for n, t in self.seen.tasks.items() if t.state is TaskPhase.RUNNING]
        chosen = tuple(n for n in names if wanted in ("", n))
        if not chosen:
            what = f'task "{wanted}"' if wanted else "no task of it"
            negation = "is not" if wanted else "is"
            raise NotRunningError(
                f"{self.found.alloc.name} on {self.found.alloc.node}: {what} {negation} running",
                "See its events with 'orch alloc status'.",
            )
        return chosen

    @property
    def patience(self) -> int:
        """The longest time, in ns, that its tasks may take to end."""
        version = self.found.state.version(self.found.alloc.job_version)
        group = version.job.group(self.found.alloc.group) if version else None
        return max((t.kill_timeout for t in group.tasks), default=0) if group else 5 * SECOND


def known_task(name: str, seen: ObservedAlloc) -> None:
    """Raise an `OrchError` unless the name is empty or that of a task."""
    if name and name not in seen.tasks:
        listed = "\n".join(sorted(seen.tasks))
        raise OrchError(f"Could not find task named: {name}, found:\n{listed}")


async def restart(prefix: str, task: str, *, everything: bool = False) -> None:
    """Restart the running tasks of an allocation, one of them, or those too that have ended."""
    if task and everything:
        raise OrchError(
            "-all-tasks is not for one task", "Leave out either the task's name or -all-tasks."
        )
    ws = workspace()
    async with session(ws) as ties:
        running = await _running(ties, prefix)
        await restart_tasks(running, task, everything=everything)


async def restart_tasks(running: Running, task: str, *, everything: bool) -> tuple[str, ...]:
    """Restart the task of that name, or all that run, or all; return which, once they ended."""
    chosen = running.tasks(task)
    tasks = tuple(running.seen.tasks) if everything else chosen
    handled = Handled(
        alloc_id=running.found.alloc.id,
        tasks=tasks,
        patience=running.patience,
        ended=everything,
    )
    await running.guard.restart(running.fence, handled)
    return tasks


async def send(prefix: str, task: str, signal: str) -> None:
    """Send a signal to the running tasks of an allocation, or to one of them."""
    ws = workspace()
    async with session(ws) as ties:
        running = await _running(ties, prefix)
        handled = Handled(alloc_id=running.found.alloc.id, tasks=running.tasks(task))
        await running.guard.signal(running.fence, handled, signal)


async def stop(prefix: str, look: Look) -> int:
    """Stop an allocation and place another one of its name; return the exit code."""
    ws = workspace()
    async with session(ws) as ties:
        found = alloc_named(prefix, ties.ledger.read().folded())
        if found.alloc.terminal or found.state.current is None:
            raise _over(found)
        seen = (await ties.look({found.alloc.node})).observed
        advise(ties)
        reachable(found, seen)
        manner = Manner(orders=Orders(migrates=frozenset({found.alloc.id})))
        return await drive(ties, look, [as_recorded(found.state)], manner)


async def _running(ties: Session, prefix: str) -> Running:
    found = alloc_named(prefix, ties.ledger.read().folded())
    if found.alloc.terminal:
        raise _over(found)
    look = await ties.look({found.alloc.node})
    advise(ties)
    return await running_in(ties, found, look.observed)


async def running_in(ties: Session, found: Found, observed: Observed) -> Running:
    """Return the allocation as it was just seen to run; `OrchError` where it was not."""
    reachable(found, observed)
    seen = observed.allocs.get(found.alloc.id)
    if seen is None or seen.desired == "stop":
        raise _over(found)
    probe = ties.observer.probes[found.alloc.node]
    standing = probe.fences.get(found.state.key)
    if standing is None:
        raise OrchError(
            f"{found.alloc.node}: no decision about job {found.state.key!r} stands there",
            "Apply the job first.",
        )
    return Running(
        found=found,
        seen=seen,
        guard=Guard(
            transport=await ties.connector.connect(found.alloc.node),
            cluster=ties.workspace.config.cluster,
            node_id=observed.nodes[found.alloc.node].id,
            data_dir=probe.data_dir,
        ),
        # Nothing is decided here: it only holds while nobody decides anew.
        fence=JobFence(
            key=found.state.key, epoch=standing.epoch, index=standing.index, commit=standing.commit
        ),
    )


def reachable(found: Found, observed: Observed) -> None:
    """Raise a `HostError` unless the allocation's host has answered."""
    host = found.alloc.node
    node = observed.nodes.get(host)
    if node is None or node.status is not NodeStatus.READY:
        why = node.reason if node else "it is not in the inventory"
        raise HostError(host, HostFault.UNREACHABLE, why)


def _over(found: Found) -> OrchError:
    return OrchError(
        f"allocation {found.alloc.id[:8]} ({found.alloc.name}) should not run, or has ended",
        f"See 'orch status {found.state.key}' for the ones that run.",
    )
