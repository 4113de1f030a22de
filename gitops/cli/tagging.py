"""What `orch job tag` does: one decision about the records, by which nothing that runs is moved."""

from __future__ import annotations

from gitops.cli.answer import Answer
from gitops.cli.look import workspace
from gitops.ledger.protocol import Guard, Ledger, Snapshot
from gitops.ledger_home import ledger_of
from gitops.resolve import job_named
from gitops.view.decision_json import tagged_version
from planner.errors import ConflictError, OrchError
from planner.job_notes import VersionTag
from planner.recorded import JobChange, JobState

_LONGEST = 1000


def tag(job: str, name: str, number: int | None, about: tuple[str, int]) -> Answer:
    """Give a version (None: the newest) a name; return what to say.

    `about` is a description, and the time in ns. Raises `OrchError` where another version has the
    name, or there is no such version.
    """
    description, now = about
    if len(description) > _LONGEST:
        raise OrchError(f"the description is longer than {_LONGEST} characters")
    ledger, snapshot, state = _read(job)
    chosen = state.current if number is None else state.version(number)
    if chosen is None:
        kept = ", ".join(str(v.version) for v in state.versions)
        raise OrchError(f"job {state.key!r} has no version {number}", f"It has: {kept}.")
    holder = next((v for v in state.versions if v.tag is not None and v.tag.name == name), None)
    if holder is not None and holder.version != chosen.version:
        raise OrchError(
            f'tag "{name}" already exists on a different version of job "{state.key}":'
            f" {holder.version}",
            f"Take it away first: orch job tag unset -name {name} {state.key}",
        )
    given = VersionTag(name=name, description=description, tagged=now)
    change = JobChange(key=state.key, tagged=(chosen.version,), tag=given)
    _commit(ledger, snapshot, state, change)
    told = f'Job version {chosen.version} tagged with name "{name}"'
    return Answer(text=told, data=tagged_version(state, chosen.version, given))


def untag(job: str, name: str) -> Answer:
    """Take a name from the version that has it; return what to say."""
    ledger, snapshot, state = _read(job)
    holders = tuple(v.version for v in state.versions if v.tag is not None and v.tag.name == name)
    if not holders:
        raise OrchError(
            f'job "{state.key}" has no version with the tag "{name}"',
            f"See 'orch history {state.key}'.",
        )
    _commit(ledger, snapshot, state, JobChange(key=state.key, tagged=holders))
    told = f'Tag "{name}" removed from job version {holders[0]}'
    return Answer(text=told, data=tagged_version(state, holders[0], None))


def _read(job: str) -> tuple[Ledger, Snapshot, JobState]:
    ledger = ledger_of(workspace())
    snapshot = ledger.read()
    state = snapshot.recorded.job(job_named(job, snapshot.recorded))
    if state.run:
        raise ConflictError(
            f"job {state.key!r} is being applied by run {state.run[:8]}",
            "Wait until it is done; if it was interrupted, 'orch apply -resume' goes on with it.",
        )
    return ledger, snapshot, state


def _commit(ledger: Ledger, snapshot: Snapshot, state: JobState, change: JobChange) -> None:
    word = "Tag" if change.tag is not None else "Untag"
    guard = Guard(key=state.key, modify_index=state.modify_index)
    ledger.commit(snapshot, [change], message=f"{word}: {state.key}", guards=[guard])
