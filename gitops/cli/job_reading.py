"""What the records say of one job over time: its versions, and changes of its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitops.cli.answer import Answer
from gitops.cli.look import workspace
from gitops.ledger_home import ledger_of
from gitops.resolve import job_named
from gitops.view.job_text import job_history
from gitops.view.scaling_text import events_table
from planner.errors import OrchError
from planner.recorded import JobState, JobVersion

if TYPE_CHECKING:
    from gitops.view import shapes


def history(name: str, *, diffs: bool, version: int | None = None) -> Answer:
    """Answer with a job's versions, or with one of them; hosts are not asked."""
    state = recorded_job(name)
    shown = state.versions if version is None else (version_of(state, version),)
    return Answer(text=job_history(state, shown, diffs=diffs), data=[_version(v) for v in shown])


def scaling_events(name: str) -> Answer:
    """Answer with the changes of a job's counts, newest first."""
    state = recorded_job(name)
    newest = tuple(reversed(state.scaled))
    data: list[shapes.ScalingEvent] = [
        {
            "TaskGroup": e.group,
            "Count": e.count,
            "PreviousCount": e.previous_count,
            "Time": e.time,
        }
        for e in newest
    ]
    return Answer(text=events_table(newest), data=data)


def recorded_job(name: str) -> JobState:
    """Return the records of the job that is meant."""
    recorded = ledger_of(workspace()).read().folded()
    return recorded.job(job_named(name, recorded))


def version_of(state: JobState, number: int) -> JobVersion:
    """Return that version of a job; `OrchError` where it is not kept."""
    found = state.version(number)
    if found is None:
        kept = ", ".join(str(v.version) for v in state.versions)
        raise OrchError(f"job {state.key!r} has no version {number}", f"It has: {kept}.")
    return found


def _version(version: JobVersion) -> shapes.Version:
    tag = version.tag
    return {
        "Version": version.version,
        "Stable": version.stable,
        "SubmitTime": version.submit_time,
        "JobModifyIndex": version.index,
        "Commit": version.commit,
        "Path": version.path,
        "Images": dict(version.images),
        "Tag": {"Name": tag.name, "Description": tag.description, "TaggedTime": tag.tagged}
        if tag
        else None,
    }
