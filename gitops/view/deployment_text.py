"""Deployments as text: one, or a list of them. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from gitops.view.columns import pairs, table
from gitops.view.moment import timestamp
from gitops.view.options import StatusView, joined
from planner.recorded import Deployment

Owned = tuple[str, Deployment]


def deployment_status(job_id: str, deployment: Deployment, view: StatusView) -> str:
    """Return one deployment with its job and the progress of each group."""
    return joined(deployment_block(job_id, deployment, verbose=view.verbose))


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
    """Return the table of groups; the column on reverts is there only if some group reverts."""
    if not deployment.groups:
        return []
    groups = sorted(deployment.groups.items())
    reverts = any(g.auto_revert for _, g in groups)
    extra = ["Auto Revert"] if reverts else []
    counts = ["Desired", "Placed", "Healthy", "Unhealthy", "Progress Deadline"]
    rows = [
        [
            name,
            *([str(g.auto_revert).lower()] if reverts else []),
            g.desired_total,
            g.placed,
            g.healthy,
            g.unhealthy,
            timestamp(g.require_progress_by),
        ]
        for name, g in groups
    ]
    return ["Deployed", *table(["Task Group", *extra, *counts], rows)]


def deployment_list(deployments: Iterable[Owned], view: StatusView) -> str:
    """Return all deployments (job id, deployment), newest first."""
    newest = sorted(deployments, key=lambda d: (-d[1].created, d[0]))
    if not newest:
        return "No deployments found\n"
    rows = [(view.id(d.id), job_id, d.job_version, d.status, d.description) for job_id, d in newest]
    header = ("ID", "Job ID", "Job Version", "Status", "Description")
    return joined([table(header, rows)])
