"""Deployments as text: one, or a list of them. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gitops.view.columns import pairs, table
from gitops.view.moment import timestamp
from gitops.view.options import StatusView, joined
from planner.recorded import Deployment, DeploymentGroup
from planner.request import Request

Owned = tuple[str, Deployment]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table of groups; it is there if some group needs it."""

    title: str
    cell: Callable[[DeploymentGroup], object]
    needed: Callable[[DeploymentGroup], bool] = lambda _: True


def _has_canaries(group: DeploymentGroup) -> bool:
    return group.desired_canaries > 0


_COLUMNS = (
    _Column("Auto Revert", lambda g: str(g.auto_revert).lower(), lambda g: g.auto_revert),
    _Column("Promoted", lambda g: str(g.promoted).lower(), _has_canaries),
    _Column("Desired", lambda g: g.desired_total),
    _Column("Canaries", lambda g: g.desired_canaries, _has_canaries),
    _Column("Placed", lambda g: g.placed),
    _Column("Healthy", lambda g: g.healthy),
    _Column("Unhealthy", lambda g: g.unhealthy),
    _Column("Progress Deadline", lambda g: timestamp(g.require_progress_by)),
)


def deployment_status(
    job_id: str, deployment: Deployment, view: StatusView, requests: Sequence[Request] = ()
) -> str:
    """Return one deployment with its job, the progress of each group, and what is asked of it."""
    block = deployment_block(job_id, deployment, verbose=view.verbose)
    return joined([*block, _waiting(requests, view)])


def _waiting(requests: Sequence[Request], view: StatusView) -> list[str]:
    rows = [(r.verb, r.by, view.time(r.time)) for r in requests]
    return ["Waiting Requests", *table(("Request", "Asked By", "Asked"), rows)] if rows else []


def deployment_block(job_id: str, deployment: Deployment, *, verbose: bool) -> list[list[str]]:
    """Return the header and the table of groups, as monitors print them too."""
    header = [
        ("ID", deployment.id if verbose else deployment.id[:8]),
        ("Job ID", job_id),
        ("Job Version", deployment.job_version),
        ("Status", deployment.status),
        ("Description", deployment.description),
    ]
    return [pairs(header), deployed(deployment)]


def latest(deployment: Deployment, view: StatusView) -> list[list[str]]:
    """Return the part of a job's status that tells of its latest deployment."""
    header = [
        ("ID", view.id(deployment.id)),
        ("Status", deployment.status),
        ("Description", deployment.description),
    ]
    return [["Latest Deployment", *pairs(header)], deployed(deployment)]


def deployed(deployment: Deployment) -> list[str]:
    """Return the table of groups; columns on reverts and canaries only where a group has them."""
    if not deployment.groups:
        return []
    groups = sorted(deployment.groups.items())
    columns = [c for c in _COLUMNS if any(c.needed(g) for _, g in groups)]
    rows = [[name, *(c.cell(g) for c in columns)] for name, g in groups]
    return ["Deployed", *table(["Task Group", *(c.title for c in columns)], rows)]


def deployment_list(deployments: Iterable[Owned], view: StatusView) -> str:
    """Return all deployments (job id, deployment), newest first."""
    newest = sorted(deployments, key=lambda d: (-d[1].created, d[0]))
    if not newest:
        return "No deployments found\n"
    rows = [(view.id(d.id), job_id, d.job_version, d.status, d.description) for job_id, d in newest]
    header = ("ID", "Job ID", "Job Version", "Status", "Description")
    return joined([table(header, rows)])
