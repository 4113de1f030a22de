"""Which recorded version a job goes back to, by what a person says of it. Pure."""

from __future__ import annotations

from planner.errors import OrchError
from planner.job import Job
from planner.recorded import JobState, JobVersion

_SHORTEST_COMMIT = 4


def version_named(state: JobState, name: str) -> JobVersion:
    """Return the version that is meant by a number or a tag; `OrchError` where there is none."""
    found = _tagged(state, name) or (state.version(int(name)) if name.isdecimal() else None)
    if found is None:
        what = f"version {name}" if name.isdecimal() else f"tag {name!r}"
        raise OrchError(
            f'job "{state.job_id}" in namespace "{state.namespace}" at {what} not found',
            _kept(state),
        )
    return found


def version_of(state: JobState, name: str) -> JobVersion:
    """Return what is meant by a number, a tag, or the commit (its start) that it came from."""
    by_commit = [v for v in state.versions if _is_of(v, name)]
    if not by_commit or _tagged(state, name) or _is_number(state, name):
        return version_named(state, name)
    if len({v.commit for v in by_commit}) > 1:
        raise OrchError(f"{name!r} is the start of several commits", "Type more of it.")
    return by_commit[0]


def has_version_of(state: JobState, commit: str) -> bool:
    """Whether a version that is kept came from that commit (its start)."""
    return any(_is_of(v, commit) for v in state.versions)


def reverted(state: JobState, version: JobVersion) -> Job:
    """Return the spec to run so that the job goes back to a version.

    Raises `OrchError` where it is the current one.
    """
    if state.current is not None and state.current.version == version.version:
        raise OrchError("can't revert to current version", _kept(state))
    return version.job


def last_stable(state: JobState) -> JobVersion | None:
    """Return the newest stable version that runs something else than the current one."""
    current = state.current
    return next(
        (
            v
            for v in state.versions
            if v.stable and not v.job.stop and current is not None and v.job != current.job
        ),
        None,
    )


def _is_number(state: JobState, name: str) -> bool:
    return name.isdecimal() and state.version(int(name)) is not None


def _is_of(version: JobVersion, commit: str) -> bool:
    return len(commit) >= _SHORTEST_COMMIT and version.commit.startswith(commit)


def _tagged(state: JobState, name: str) -> JobVersion | None:
    return next((v for v in state.versions if v.tag is not None and v.tag.name == name), None)


def _kept(state: JobState) -> str:
    kept = ", ".join(str(v.version) for v in state.versions)
    return f"It has: {kept}. See 'orch history -p {state.key}'."
