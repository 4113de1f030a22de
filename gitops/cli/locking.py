"""What `orch lock` shows and breaks: runs that hold jobs. Hosts are not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitops.cli.answer import Answer
from gitops.cli.asking import approve
from gitops.cli.ledger_reading import life, run_data
from gitops.cli.look import workspace
from gitops.ledger.protocol import Snapshot
from gitops.ledger_home import ledger_of
from gitops.resolve import job_named
from gitops.session import fresh_id
from gitops.view import ledger_text
from planner.errors import OrchError

if TYPE_CHECKING:
    from gitops.view import fleet_shapes


def status(now: int) -> Answer:
    """Answer with the runs that hold jobs; `now` in ns."""
    snapshot = ledger_of(workspace()).read()
    runs = sorted(snapshot.runs.values(), key=lambda r: (r.info.started, r.id))
    data: list[fleet_shapes.Lock] = [
        {**run_data(r, snapshot), "Status": life(r), "TTL": r.info.ttl} for r in runs
    ]
    rows = [ledger_text.Lock(run=r, status=life(r), jobs=_held(r.id, snapshot)) for r in runs]
    orphans = _without_journal(snapshot)
    return Answer(text=ledger_text.locks(rows, orphans, now), data=data)


async def break_(name: str, *, force: bool, ask: bool) -> Answer:
    """End a run for good, and release its jobs as it has recorded them; return what to say.

    Whatever its process still wants to do is refused from then on. Raises `OrchError` where there
    is no such run, or nobody approves.
    """
    ledger = ledger_of(workspace())
    snapshot = ledger.read()
    run_id = _run_named(name, snapshot)
    run = snapshot.runs.get(run_id)
    if not force and ask:
        about = f" of {run.info.holder} ({life(run)})" if run else ""
        await approve(f"Break run {run_id[:8]}{about}?")
    elif not force:
        raise OrchError("breaking a lock needs approval; nothing was changed", "Give -force.")
    keys = _held(run_id, snapshot)
    ledger.adopt(snapshot, run_id, fresh_id(), ())
    told = ", ".join(keys) or "no job"
    data: fleet_shapes.BrokenLock = {
        "ID": run_id,
        "Holder": run.info.holder if run else "",
        "Status": life(run) if run else "",
        "Jobs": list(keys),
    }
    text = f"Run {run_id[:8]} is broken; it held {told}. Go on with: orch apply -resume"
    return Answer(text=text, data=data)


def _run_named(name: str, snapshot: Snapshot) -> str:
    """Return the run that is meant: by its id, by a job that it holds, or as the only one."""
    holding = {s.run for s in snapshot.recorded.jobs.values() if s.run}
    known = sorted(holding | set(snapshot.runs))
    if not known:
        raise OrchError("no run holds a job: there is nothing to break", "See 'orch lock status'.")
    matching = [i for i in known if i.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if not name or matching:
        raise OrchError("there are several runs", "Name one of those of 'orch lock status'.")
    key = job_named(name, snapshot.recorded)
    held = snapshot.recorded.job(key).run
    if not held:
        raise OrchError(f"no run holds job {key!r}", "See 'orch lock status'.")
    return held


def _held(run_id: str, snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(sorted(k for k, s in snapshot.recorded.jobs.items() if s.run == run_id))


def _without_journal(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the jobs that are held by runs of which no journal is left."""
    jobs = snapshot.recorded.jobs.items()
    return tuple(sorted(k for k, s in jobs if s.run and s.run not in snapshot.runs))
