"""Which fields of a spec an update of a group comes from: all of them, not only the first. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from planner.action import Action
from planner.job import Job
from planner.plan import Change, GroupPlan, Why
from planner.recorded import JobState, JobVersion
from planner.update import forcing_changes, mild_changes

_CHANGES = {Action.DESTRUCTIVE: forcing_changes, Action.IN_PLACE: mild_changes}


def why(group: GroupPlan, job: Job, state: JobState) -> tuple[Why, ...]:
    """Return the reasons of the group's updates, each once: those that replace, then the others.

    Where the spec gives none (a node is full, say), the change's own reason is all there is.
    """
    changes = [c for c in group.changes if c.action in _CHANGES]
    if not changes:
        return ()
    versions = {a.id: a.job_version for a in state.allocs}
    # Allocations of one version have the same reasons.
    alike = {(c.action, versions.get(c.alloc)): c for c in changes}
    found = (w for (_, number), c in alike.items() for w in _of(c, job, state.version(number or 0)))
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda w: w.action is not Action.DESTRUCTIVE))


def _of(change: Change, job: Job, version: JobVersion | None) -> Iterator[Why]:
    reasons: list[tuple[str, str]] = []
    if version is not None:
        reasons = list(_CHANGES[change.action](version.job, job, change.group))
    for task, reason in reasons or [("", change.reason)]:
        yield Why(action=change.action, reason=reason, task=task)
