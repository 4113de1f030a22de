"""What `orch job revert`, `rollback`, `job scale` and `job eval` do: other specs than Git's, run.

Each drives what it has changed to its end, and says what Git says otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

from gitops.cli.driving import Manner, as_recorded, changed, drive, known_version
from gitops.cli.look import Look, session, workspace
from gitops.cli.say import note, say_advice
from gitops.jobspec.counting import count_change
from gitops.orders import Orders
from gitops.resolve import job_named
from gitops.session import Session
from gitops.workspace import Workspace
from planner.errors import OrchError
from planner.orders import JOB_SCALING
from planner.recorded import ClientStatus, Desired, JobState, JobVersion, Recorded
from planner.reverting import (
    has_version_of,
    last_stable,
    reverted,
    version_named,
    version_of,
)
from planner.scaling import group_named, scaled_job
from planner.status import Statuses, statuses

_SHORT = 8


async def revert(name: str, to: str, look: Look, check_index: int | None) -> int:
    """Run an older version of a job again, as a new one."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = await _read(ties)
        state = recorded.job(job_named(name, recorded))
        version = version_named(state, to)
        driven = changed(state, reverted(state, version), version)
        code = await drive(ties, look, [driven], Manner(check_index=check_index))
        say_advice(_git_says(state, version))
        return code


async def rollback(name: str, to: str, look: Look, manner: Manner) -> int:
    """Run what ran before: the last stable version, or the one that is named, as a new one."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = await _read(ties)
        if name:
            state = recorded.job(job_named(name, recorded))
            targets = [(state, _target(state, to))]
        else:
            targets = list(_all(recorded, to))
        for state, version in targets:
            note(_goes_back(state, version))
        jobs = [changed(s, reverted(s, v), v) for s, v in targets]
        code = await drive(ties, look, jobs, manner)
        for state, version in targets:
            say_advice(_git_says(state, version))
        return code


async def scale(place: Sequence[str], count: int, look: Look, check_index: int | None) -> int:
    """Run a job with another count of a group."""
    ws = workspace()
    name, group = (*place, "")[:2]
    async with session(ws) as ties:
        recorded = await _read(ties)
        state = recorded.job(job_named(name, recorded))
        job = scaled_job(state, group, count)
        driven = changed(state, job)
        manner = Manner(orders=Orders(trigger=JOB_SCALING), check_index=check_index)
        code = await drive(ties, look, [driven], manner)
        say_advice(_to_commit(ws, driven.version, group_named(job, group).name, count))
        return code


async def evaluate(name: str, look: Look, *, force: bool) -> int:
    """Look at a job anew, as it is recorded; with `force`, place what has failed again."""
    ws = workspace()
    async with session(ws) as ties:
        recorded = await _read(ties)
        state = recorded.job(job_named(name, recorded))
        failed = frozenset[str]()
        if force:
            seen = await ties.look({a.node for a in state.allocs if not a.terminal})
            state = seen.recorded.job(state.key)
            failed = _failed(state, statuses(state, seen.observed))
        manner = Manner(orders=Orders(reschedules=failed, anyway=True))
        return await drive(ties, look, [as_recorded(state)], manner)


def _failed(state: JobState, found: Statuses) -> frozenset[str]:
    """Return the failed allocations in whose place nothing has been put."""
    running = (a for a in state.allocs if a.desired is Desired.RUN)
    return frozenset(a.id for a in running if found[a.id] is ClientStatus.FAILED)


async def _read(ties: Session) -> Recorded:
    return (await asyncio.to_thread(ties.ledger.read)).folded()


def _target(state: JobState, to: str) -> JobVersion:
    if to:
        return version_of(state, to)
    stable = last_stable(state)
    if stable is None:
        raise OrchError(
            f"job {state.key!r} has no stable version that runs anything else",
            f"Name one with -to: 'orch history -p {state.key}' shows what there is.",
        )
    return stable


def _all(recorded: Recorded, to: str) -> Iterable[tuple[JobState, JobVersion]]:
    """Yield the jobs to roll back where none is named, each with its version.

    With a commit, those that have a version of it and run another; without, those whose newest
    version is not stable though an older one is.
    """
    states = [s for _, s in sorted(recorded.jobs.items()) if s.current and not s.current.job.stop]
    found = [(s, v) for s in states if (v := _version_for_all(s, to)) is not None]
    if not found:
        what = f"no job runs anything but what it ran at {to}" if to else "every job is stable"
        raise OrchError(f"there is nothing to roll back: {what}", "Name a job: 'orch status'.")
    return found


def _version_for_all(state: JobState, to: str) -> JobVersion | None:
    current = known_version(state)
    if not to:
        return None if current.stable else last_stable(state)
    version = version_of(state, to) if has_version_of(state, to) else None
    return version if version is not None and version.job != current.job else None


def _goes_back(state: JobState, version: JobVersion) -> str:
    """Say which version a job goes back to, and of which commit that is."""
    commit = f"commit {version.commit[:_SHORT]}" if version.commit else "no commit that is known"
    return f'Job "{state.key}" goes back to version {version.version}, of {commit}.'


def _git_says(state: JobState, version: JobVersion) -> str:
    """Say what to do so that Git says what runs."""
    if not version.commit or not version.path:
        return f'What version {version.version} of job "{state.key}" came from is not known.'
    return (
        f'Git says otherwise about job "{state.key}", and the next apply brings that back, until it'
        f" is reverted there. To have {version.path} as it was:\n"
        f"  git restore -s {version.commit[:_SHORT]} -SW {version.path}\n"
        f"  git commit -m 'Roll back {state.key} to version {version.version}'"
    )


def _to_commit(ws: Workspace, version: JobVersion, group: str, count: int) -> str:
    """Say that Git says otherwise, and the change to commit."""
    told = "Git says otherwise, and the next apply brings that back, until it is changed there"
    change = count_change(_text(ws, version.path), version.path, group, count)
    if not change:
        return f"{told}: the count of group {group!r} in {version.path or 'its file'}."
    indented = "\n".join(f"  {line}" for line in change.splitlines())
    return f"{told}:\n{indented}"


def _text(ws: Workspace, path: str) -> str:
    """Return the text of a job file as it is now; empty where it is not to be found."""
    for place in (ws.cwd, ws.root, *ws.root.parents):
        with suppress(OSError, UnicodeDecodeError):
            return (place / path).read_text(encoding="utf-8") if path else ""
    return ""
