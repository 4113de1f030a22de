"""A plan as JSON for programs, with a `format_version`. Names inside a job are Nomad's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from gitops.view.formats import FORMATS
from planner.action import Action
from planner.codec import to_json
from planner.difference import JobDiff
from planner.failure import PlacementFailure
from planner.plan import Change, GroupPlan, JobPlan, Plan

if TYPE_CHECKING:
    from executors.outcome import Outcome
    from gitops.view import shapes
    from planner.explanation import Explanation

# Nomad's counter for each action.
COUNTERS = {
    Action.CANARY: "Canary",
    Action.DESTRUCTIVE: "DestructiveUpdate",
    Action.IGNORE: "Ignore",
    Action.IN_PLACE: "InPlaceUpdate",
    Action.MIGRATE: "Migrate",
    Action.CREATE: "Place",
    Action.DESTROY: "Stop",
}
_ALWAYS_ZERO = ("Disconnect", "Preemptions", "Reconnect", "RescheduleLater", "RescheduleNow")


# Without -verbose: so many hosts with scores, and so many names for one reason.
_MOST_HOSTS = 10


def data(
    plan: Plan, explanations: Sequence[Explanation] = (), *, verbose: bool = False
) -> shapes.Plan:
    """Return the plan as plain data; jobs are in name order.

    Keys do not depend on content, but that `explanations` are only there where they are given.
    """
    out = _data(plan)
    if explanations:
        most = None if verbose else _MOST_HOSTS
        out["explanations"] = [_explanation(e, most) for e in explanations]
    return out


def done(plan: Plan, outcomes: Sequence[Outcome]) -> shapes.Plan:
    """Return a plan that was carried out, with how each job ended."""
    ends: list[shapes.JobOutcome] = [
        {
            "Job": o.key,
            "Outcome": o.kind.value,
            "Detail": o.detail,
            "RolledBackTo": o.rolled_back_to,
        }
        for o in outcomes
    ]
    return {**_data(plan), "Outcomes": ends}


def _explanation(found: Explanation, most: int | None) -> shapes.Explanation:
    return {
        "Job": found.job,
        "Group": found.group,
        "Name": found.name,
        "Node": found.node,
        "Feasible": len(found.scores),
        "Scores": [to_json(s) for s in found.scores[:most]],
        "RuledOut": [
            {"Reason": r.reason, "Count": len(r.hosts), "Hosts": list(r.hosts[:most])}
            for r in found.ruled_out
        ],
    }


def _data(plan: Plan) -> shapes.Plan:
    return {
        "format_version": FORMATS["plan"],
        "cluster": plan.cluster,
        "index": plan.index,
        "empty": plan.empty,
        "summary": _summary(plan),
        "source": to_json(plan.source),
        "jobs": [_job(j) for j in sorted(plan.jobs, key=lambda j: j.key)],
        "unknown_hosts": [to_json(u) for u in plan.unknown],
        "drift": [to_json(d) for d in plan.drift],
    }


def _summary(plan: Plan) -> shapes.Totals:
    counts = [counters(g) for j in plan.jobs for g in j.groups]
    totals = {name: sum(c[name] for c in counts) for name in sorted(COUNTERS.values())}
    return {
        "Jobs": len(plan.jobs),
        "Changed": sum(not j.empty for j in plan.jobs),
        "NotPlaced": sum(g.failure is not None for j in plan.jobs for g in j.groups),
        "DesiredTGUpdates": totals,
    }


def _job(plan: JobPlan) -> shapes.PlannedJob:
    return {
        "ID": plan.job.id,
        "Namespace": plan.job.namespace,
        "Path": plan.path,
        "Stop": plan.job.stop,
        "Diff": diff_data(plan.diff),
        "Annotations": {"DesiredTGUpdates": {g.name: counters(g) for g in plan.groups}},
        "FailedTGAllocs": {g.name: failure_data(g.failure) for g in plan.groups if g.failure}
        or None,
        "JobModifyIndex": plan.job_modify_index,
        "Registers": plan.registers,
        "ResumesDeployment": plan.resumes,
        "RequestIDs": list(plan.asked),
        "Placements": [_placement(c) for c in plan.changes],
        "Updates": [{"Group": g.name, **to_json(w)} for g in plan.groups for w in g.why],
        "Warnings": list(plan.warnings),
    }


def counters(group: GroupPlan) -> dict[str, int]:
    """Return all of Nomad's counters of a group, zeros included."""
    counts = {name: group.count(action) for action, name in COUNTERS.items()}
    return dict(sorted({**counts, **dict.fromkeys(_ALWAYS_ZERO, 0)}.items()))


def failure_data(failure: PlacementFailure) -> dict[str, Any]:
    """Return the metrics of a placement that failed."""
    return cast("dict[str, Any]", to_json(failure))


def diff_data(diff: JobDiff) -> shapes.JobDiff:
    """Return a field diff with Nomad's names; empty lists are null."""
    out = cast("dict[str, Any]", to_json(diff))
    for group in out["TaskGroups"] or ():
        if group["Updates"] is not None:
            group["Updates"] = dict(group["Updates"])
    return cast("shapes.JobDiff", out)


def _placement(change: Change) -> dict[str, Any]:
    out = cast("dict[str, Any]", to_json(change))
    out["Scores"] = [to_json(s) for s in change.scores]
    out["Ports"] = [to_json(p) for p in change.ports]
    return out
