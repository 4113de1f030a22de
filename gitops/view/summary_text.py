"""A plan of many jobs at a glance: one row for each that changes, one line for what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gitops.view.columns import table
from gitops.view.safe import clean
from planner.action import Action
from planner.plan import JobPlan, Plan

# Of jobs without changes so many are named.
MOST_NAMES = 20


def unchanged_lines(jobs: Sequence[JobPlan]) -> list[str]:
    """Return a line for each job without changes, or one for all where there are many."""
    if len(jobs) > MOST_NAMES:
        return [f"{len(jobs)} jobs: no changes (-verbose shows them)"]
    return [f'Job "{clean(j.key)}": no changes' for j in jobs]


def table_lines(jobs: Sequence[JobPlan]) -> list[str]:
    """Return a table with a row for each of the jobs, which change, and how."""
    counts = {j.key: _counts(j) for j in jobs}
    actions = [a for a in Action if any(c[a] for c in counts.values())]
    rows = [
        (j.key, *(counts[j.key][a] or "-" for a in actions), ", ".join(_notes(j)) or "-")
        for j in jobs
    ]
    header = ("Job", *(str(a).capitalize() for a in actions), "Note")
    if all(row[-1] == "-" for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return table(header, rows)


def _counts(job: JobPlan) -> Counter[Action]:
    return Counter(c.action for c in job.changes)


def _notes(job: JobPlan) -> Iterator[str]:
    if all(c.action is Action.IGNORE for c in job.changes) and job.registers:
        yield "spec only"
    if job.resumes:
        yield "goes on with its deployment"
    if any(g.failure for g in job.groups):
        yield "not placed in full"
    if job.held:
        yield "held by a run"
    if job.asked:
        yield "asked for something"


def summary(plan: Plan) -> str:
    """Return the one line that says how many jobs change, and how."""
    changed = [j for j in plan.jobs if not j.empty]
    if not changed:
        return no_changes(plan)
    counts = Counter(c.action for j in changed for c in j.changes)
    parts = [f"{counts[a]} {a}" for a in Action if counts[a] and a is not Action.IGNORE]
    jobs = f"{len(changed)} job{'' if len(changed) == 1 else 's'} to change"
    unplaced = sum(g.failure is not None for j in plan.jobs for g in j.groups)
    tail = f" {unplaced} group{'' if unplaced == 1 else 's'} can't be placed in full." * (
        unplaced > 0
    )
    return f"Plan: {jobs}: {', '.join(parts) or 'spec only'}.{tail}"


def no_changes(plan: Plan) -> str:
    """Return the sentence for an empty plan, honest about what has failed, rests or is unknown."""
    if failed := [j.key for j in plan.jobs if j.failed]:
        jobs = ", ".join(clean(key) for key in failed)
        return f"Nothing is left to try, but the last deployment has failed: {jobs}."
    if paused := [j.key for j in plan.jobs if j.paused]:
        jobs = ", ".join(clean(key) for key in paused)
        return f"Nothing is to be done while its deployment is paused: {jobs}."
    if plan.unknown:
        n = len(plan.unknown)
        who = "1 host is" if n == 1 else f"{n} hosts are"
        return f"No changes, as far as the hosts that answered go; {who} unknown."
    return "No changes. The hosts run what the jobs describe."
