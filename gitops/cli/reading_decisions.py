"""Answers about what was decided: deployments and evaluations. Reads the ledger, asks no host."""

from __future__ import annotations

from collections.abc import Iterable

from gitops.cli.answer import Answer
from gitops.cli.look import workspace
from gitops.ledger_home import ledger_of
from gitops.resolve import deployment_named, evaluation_named, job_named
from gitops.view import status_json
from gitops.view.deployment_text import deployment_list, deployment_status
from gitops.view.eval_text import eval_list, eval_status
from gitops.view.options import StatusView
from planner.recorded import Deployment, JobState, Recorded


def read() -> Recorded:
    """Read the records, those of unfinished runs folded in."""
    return ledger_of(workspace()).read().folded()


def deployment(prefix: str, recorded: Recorded, view: StatusView) -> Answer:
    """Answer for one deployment."""
    state, found = deployment_named(prefix, recorded)
    return _one(state, found, view)


def deployments(recorded: Recorded, view: StatusView) -> Answer:
    """Answer with all deployments, newest first."""
    return _listed(sorted(recorded.jobs.items()), view)


def deployments_of(job: str, view: StatusView, *, latest: bool) -> Answer:
    """Answer with the deployments of one job, newest first; with `latest`, with that one alone."""
    recorded = read()
    key = job_named(job, recorded)
    state = recorded.job(key)
    if not latest:
        return _listed([(key, state)], view)
    if state.deployment is None:
        return Answer(text=deployment_list([], view), data=None)
    return _one(state, state.deployment, view)


def _one(state: JobState, found: Deployment, view: StatusView) -> Answer:
    text = deployment_status(_job_id(state), found, view, state.asked_of(found.id))
    return Answer(text=text, data=status_json.deployment_data(state, found))


def _listed(jobs: Iterable[tuple[str, JobState]], view: StatusView) -> Answer:
    owned = [(s, d) for _, s in jobs for d in s.deployments]
    owned.sort(key=lambda pair: -pair[1].created)
    return Answer(
        text=deployment_list([(_job_id(s), d) for s, d in owned], view),
        data=[status_json.deployment_data(s, d) for s, d in owned],
    )


def evaluation(prefix: str, recorded: Recorded, view: StatusView) -> Answer:
    """Answer for one evaluation."""
    state, found = evaluation_named(prefix, recorded)
    text = eval_status(state, found, view)
    return Answer(text=text, data=status_json.evaluation_data(state, found))


def evaluations(job: str, recorded: Recorded, view: StatusView) -> Answer:
    """Answer with all evaluations, or those of one job, newest first."""
    only = job_named(job, recorded) if job else ""
    owned = [
        (state, e)
        for key, state in sorted(recorded.jobs.items())
        for e in reversed(state.evaluations)
        if only in ("", key)
    ]
    owned.sort(key=lambda pair: -pair[1].created)
    return Answer(
        text=eval_list(owned, view),
        data=[status_json.evaluation_data(s, e) for s, e in owned],
    )


def _job_id(state: JobState) -> str:
    return state.current.job.id if state.current else state.key
