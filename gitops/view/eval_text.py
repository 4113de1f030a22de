"""Evaluations as text: the list, and one with what it decided. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from gitops.view.columns import pairs, table
from gitops.view.failure_text import failure_lines, failure_title
from gitops.view.options import NONE, StatusView, joined
from planner.action import Action
from planner.recorded import Evaluation, JobState

_COUNTS = {
    "Ignore": Action.IGNORE,
    "Place": Action.CREATE,
    "Stop": Action.DESTROY,
    "InPlace": Action.IN_PLACE,
    "Destructive": Action.DESTRUCTIVE,
}
_MORE = {"Migrate": Action.MIGRATE, "Canary": Action.CANARY}

Owned = tuple[JobState, Evaluation]


def eval_list(evaluations: Iterable[Owned], view: StatusView) -> str:
    """Return the table of evaluations with their jobs, newest first; equally old ones as given."""
    newest = sorted(evaluations, key=lambda pair: -pair[1].created)
    if not newest:
        return "No evaluations found\n"
    header = ("ID", "Priority", "Triggered By", "Job ID", "Namespace", "Node ID", "Status")
    rows = [
        (view.id(e.id), e.priority, e.triggered_by, *_job(s), NONE, e.status, _failures(e))
        for s, e in newest
    ]
    return joined([table((*header, "Placement Failures"), rows)])


def eval_status(state: JobState, evaluation: Evaluation, view: StatusView) -> str:
    """Return one evaluation: its header, what it counted, and why groups were not placed."""
    return joined(
        [
            pairs(_header(state, evaluation, view)),
            _annotations(evaluation, view),
            _failed(evaluation),
        ]
    )


def _job(state: JobState) -> tuple[str, str]:
    job = state.current.job if state.current else None
    return (job.id, job.namespace) if job else (state.key, "default")


def _failures(evaluation: Evaluation) -> str:
    return str(bool(evaluation.failures)).lower()


def _header(state: JobState, e: Evaluation, view: StatusView) -> list[tuple[str, object]]:
    job_id, namespace = _job(state)
    return [
        ("ID", view.id(e.id)),
        ("Create Time", view.time(e.created)),
        ("Modify Time", view.time(e.created)),
        ("Status", e.status),
        ("Status Description", e.status),
        ("Type", state.current.job.type if state.current else NONE),
        ("TriggeredBy", e.triggered_by),
        ("Job ID", job_id),
        ("Namespace", namespace),
        ("Priority", e.priority),
        ("Placement Failures", _failures(e)),
        # One evaluation leads to no other here: what could not be placed waits for an apply.
        ("Previous Eval", NONE),
        ("Next Eval", NONE),
        ("Blocked Eval", NONE),
    ]


def _annotations(evaluation: Evaluation, view: StatusView) -> list[str]:
    columns = _COUNTS | (_MORE if view.verbose else {})
    rows = [
        (group, *(counts.get(action.value, 0) for action in columns.values()))
        for group, counts in sorted(evaluation.updates.items())
    ]
    return ["Plan Annotations", *table(("Task Group", *columns), rows)] if rows else []


def _failed(evaluation: Evaluation) -> list[str]:
    lines: list[str] = []
    for group, failure in sorted(evaluation.reasons.items()):
        lines.append(failure_title(group, failure))
        lines += [f"  {line}" for line in failure_lines(failure)]
    return ["Failed Placements", *lines] if lines else []
