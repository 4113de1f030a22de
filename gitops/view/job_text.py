"""Jobs as text: the list, one job's status, its history. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from gitops.view.alloc_text import alloc_list
from gitops.view.columns import pairs, table
from gitops.view.deployment_text import latest
from gitops.view.diff_text import diff_lines
from gitops.view.failure_text import failure_lines
from gitops.view.moment import timestamp
from gitops.view.options import NONE, StatusView, joined
from planner.diff import job_diff
from planner.job import Job
from planner.recorded import Evaluation, JobState, JobVersion
from planner.status import Statuses, job_status, summary

_SUMMARY = ("queued", "pending", "running", "failed", "complete", "lost", "unknown")
_COLUMNS = ("Queued", "Starting", "Running", "Failed", "Complete", "Lost", "Unknown")

# Of a job whose records were rebuilt.
FOUND = "Found on its hosts; its spec comes back with the next apply of it"

JobLine = tuple[JobState, Statuses]


def job_list(jobs: Iterable[JobLine]) -> str:
    """Return the table of jobs in name order; purged ones are left out."""
    shown = [(s, f) for s, f in jobs if s.current or s.is_found]
    rows = [_line(state, found) for state, found in sorted(shown, key=lambda line: line[0].key)]
    if not rows:
        return "No running jobs\n"
    names = {row[5] for row in rows}
    header = ["ID", "Type", "Priority", "Status", "Submit Date"]
    if names <= {"default"}:
        return joined([table(header, [row[:5] for row in rows])])
    return joined([table([*header, "Namespace"], rows)])


def _line(state: JobState, found: Statuses) -> list[object]:
    status = job_status(state, found)
    if state.current is None:
        return [state.job_id, NONE, NONE, status, NONE, state.namespace]
    job, submitted = state.current.job, state.current.submit_time
    return [job.id, _kind(job), job.priority, status, timestamp(submitted), job.namespace]


def _kind(job: Job) -> str:
    parent = ("periodic", job.periodic), ("parameterized", job.parameterized_job)
    return "/".join([job.type, *(word for word, block in parent if block)])


def job_status_text(state: JobState, found: Statuses, view: StatusView) -> str:
    """Return a job's status: header, summary, latest deployment and allocations."""
    if state.current is None and not state.is_found:
        return f'No job "{state.key}" is registered\n'
    header = pairs(_header(state, state.current, found))
    if view.short:
        return joined([header])
    sections = [header, _summary(state, found)]
    if view.verbose or view.evals:
        sections.append(["Evaluations", *evaluations(state.evaluations, view)])
    sections.append(_unplaced(state))
    if state.deployment is not None:
        sections += latest(state.deployment, view)
    sections.append(["Allocations", *alloc_list(state.allocs, found, view)])
    return joined(sections)


def _header(
    state: JobState, version: JobVersion | None, found: Statuses
) -> list[tuple[str, object]]:
    if version is None:
        return [
            ("ID", state.job_id),
            ("Namespace", state.namespace),
            ("Status", job_status(state, found)),
            ("Description", FOUND),
        ]
    job = version.job
    return [
        ("ID", job.id),
        ("Name", job.name or job.id),
        ("Submit Date", timestamp(version.submit_time)),
        ("Type", job.type),
        ("Priority", job.priority),
        ("Datacenters", ",".join(job.datacenters)),
        ("Namespace", job.namespace),
        ("Node Pool", job.node_pool),
        ("Status", job_status(state, found)),
        ("Periodic", str(job.periodic is not None).lower()),
        ("Parameterized", str(job.parameterized_job is not None).lower()),
    ]


def _summary(state: JobState, found: Statuses) -> list[str]:
    rows = [(g, *(counts[s] for s in _SUMMARY)) for g, counts in summary(state, found).items()]
    return ["Summary", *table(("Task Group", *_COLUMNS), rows)]


def evaluations(evals: Iterable[Evaluation], view: StatusView) -> list[str]:
    """Return the table of a job's evaluations, newest first."""
    rows = [
        (view.id(e.id), e.priority, e.triggered_by, e.status, str(bool(e.failures)).lower())
        for e in reversed(tuple(evals))
    ]
    header = ("ID", "Priority", "Triggered By", "Status", "Placement Failures")
    return table(header, rows)


def _unplaced(state: JobState) -> list[str]:
    if not state.evaluations or not state.evaluations[-1].failures:
        return []
    last = state.evaluations[-1]
    return [
        "Placement Failure",
        *(line for g in last.failures for line in _unplaced_group(last, g)),
    ]


def _unplaced_group(evaluation: Evaluation, group: str) -> list[str]:
    """Say why; an older orch kept only how many were not placed."""
    failure = evaluation.reasons.get(group)
    if failure is None:
        return [f'Task Group "{group}": {evaluation.queued.get(group, 0)} not placed']
    return [f'Task Group "{group}":', *(f"  {line}" for line in failure_lines(failure))]


def job_history(
    state: JobState, shown: Iterable[JobVersion] | None = None, *, diffs: bool = False
) -> str:
    """Return the kept versions, newest first, or only those shown.

    With `diffs`, what each changed from the last.
    """
    older: list[JobVersion | None] = [*state.versions[1:], None]
    before = {v.version: previous for v, previous in zip(state.versions, older, strict=True)}
    sections = [
        [*_version(v), *(_change(v, before[v.version]) if diffs else [])]
        for v in (state.versions if shown is None else shown)
    ]
    return joined(sections)


def _version(version: JobVersion) -> list[str]:
    items: list[tuple[str, object]] = [
        ("Version", version.version),
        ("Stable", str(version.stable).lower()),
        ("Submit Date", timestamp(version.submit_time)),
    ]
    if version.commit:
        items.append(("Commit", version.commit))
    if version.tag is not None:
        items.append(("Tag Name", version.tag.name))
    if version.tag is not None and version.tag.description:
        items.append(("Tag Description", version.tag.description))
    return pairs(items)


def _change(version: JobVersion, previous: JobVersion | None) -> list[str]:
    if previous is None:
        return []
    return ["Diff        = ", *diff_lines(job_diff(previous.job, version.job))]
