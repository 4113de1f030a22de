"""Records and observations as JSON data for programs, with Nomad's names where it has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from gitops.view.live import CheckResult, Live, megahertz
from planner.codec import to_json
from planner.health import with_verdict
from planner.observed import Node, TaskState
from planner.recorded import AllocRecord, Deployment, Evaluation, JobState
from planner.status import Statuses, job_status, summary

if TYPE_CHECKING:
    from gitops.view import shapes

_SUMMARY = {
    "queued": "Queued",
    "pending": "Starting",
    "running": "Running",
    "failed": "Failed",
    "complete": "Complete",
    "lost": "Lost",
    "unknown": "Unknown",
}


def job_stub(state: JobState, found: Statuses) -> shapes.Job | shapes.FoundJob | shapes.Purged:
    """Return a job as it stands in a list; an empty object for one that was purged.

    Of one that was rebuilt, and not applied since, the spec is not known.
    """
    version = state.current
    if version is None:
        return _found_stub(state, found) if state.is_found else {}
    job = version.job
    return {
        "ID": job.id,
        "Name": job.name or job.id,
        "Namespace": job.namespace,
        "Type": job.type,
        "Priority": job.priority,
        "Datacenters": list(job.datacenters),
        "NodePool": job.node_pool,
        "Periodic": job.periodic is not None,
        "ParameterizedJob": job.parameterized_job is not None,
        "Stop": job.stop,
        "Status": job_status(state, found).removesuffix(" (stopped)"),
        "Version": version.version,
        "SubmitTime": version.submit_time,
        "CreateIndex": state.create_index,
        "ModifyIndex": state.modify_index,
        "JobModifyIndex": state.job_modify_index,
    }


def _found_stub(state: JobState, found: Statuses) -> shapes.FoundJob:
    return {
        "ID": state.job_id,
        "Name": state.job_id,
        "Namespace": state.namespace,
        "Status": job_status(state, found),
        "CreateIndex": state.create_index,
        "ModifyIndex": state.modify_index,
        "JobModifyIndex": state.job_modify_index,
    }


def job_status_data(state: JobState, found: Statuses) -> shapes.JobStatus:
    """Return what ``job status`` shows of one job."""
    counts = summary(state, found).items()
    latest = state.deployment
    return {
        "Job": job_stub(state, found),
        "Summary": {g: {name: c[word] for word, name in _SUMMARY.items()} for g, c in counts},
        "LatestDeployment": deployment_data(state, latest) if latest else None,
        "Evaluations": [evaluation_data(state, e) for e in reversed(state.evaluations)],
        "Allocations": [alloc_data(state, a, found) for a in state.allocs],
    }


def alloc_data(state: JobState, alloc: AllocRecord, found: Statuses) -> shapes.Allocation:
    """Return one allocation."""
    return {
        "ID": alloc.id,
        "Name": alloc.name,
        "Namespace": state.namespace,
        "JobID": state.job_id,
        "JobVersion": alloc.job_version,
        "TaskGroup": alloc.group,
        "NodeID": alloc.node_id,
        "NodeName": alloc.node,
        "EvalID": alloc.evaluation,
        "DeploymentID": alloc.deployment,
        "DesiredStatus": alloc.desired.value,
        "DesiredDescription": alloc.desired_description,
        "ClientStatus": found.get(alloc.id, alloc.client).value,
        "ClientDescription": alloc.client_description,
        "DeploymentStatus": {"Healthy": alloc.healthy, "Timestamp": alloc.healthy_at},
        "PreviousAllocation": alloc.previous,
        "NextAllocation": alloc.next,
        "Ports": [to_json(p) for p in alloc.ports],
        "Scores": [to_json(s) for s in alloc.scores],
        "TaskStates": to_json(with_verdict(alloc, alloc.tasks)),
        "CreateIndex": alloc.created_index,
        "ModifyIndex": alloc.modified_index,
        "CreateTime": alloc.created,
        "ModifyTime": alloc.modified,
    }


def live_data(tasks: Mapping[str, TaskState], live: Live) -> shapes.Measured:
    """Return what was seen of an allocation at the moment of asking."""
    return {
        "TaskStates": to_json(tasks),
        "Usage": {
            name: {"CPU": megahertz(used, live.node), "RSS": used.memory}
            for name, used in live.usage.items()
        },
        "Checks": [check_data(c) for c in live.checks],
    }


def check_data(check: CheckResult) -> shapes.CheckResult:
    """Return a check that was made just now."""
    return {
        "Service": check.service,
        "Task": check.task,
        "Check": check.name,
        "Mode": check.mode,
        "Status": "failure" if check.why else "success",
        "Output": check.why,
    }


def deployment_data(state: JobState, deployment: Deployment) -> shapes.Deployment:
    """Return one deployment, with what is asked of it and not answered yet."""
    out = cast("dict[str, Any]", to_json(deployment))
    out["TaskGroups"] = out.pop("Groups") or {}
    out["StatusDescription"] = out.pop("Description")
    ours = {"JobID": state.job_id, "Namespace": state.namespace}
    requests = [to_json(r) for r in state.asked_of(deployment.id)]
    return cast("shapes.Deployment", {**ours, **out, "Requests": requests})


def evaluation_data(state: JobState, evaluation: Evaluation) -> shapes.Evaluation:
    """Return one evaluation."""
    return {
        "ID": evaluation.id,
        "JobID": state.job_id,
        "Namespace": state.namespace,
        "Priority": evaluation.priority,
        "TriggeredBy": evaluation.triggered_by,
        "Status": evaluation.status,
        "DeploymentID": evaluation.deployment,
        "FailedTGAllocs": {g: to_json(f) for g, f in evaluation.reasons.items()} or None,
        "DesiredTGUpdates": {g: dict(counts) for g, counts in evaluation.updates.items()},
        "QueuedAllocations": dict(evaluation.queued),
        "CreateTime": evaluation.created,
    }


def node_data(nodes: Iterable[Node]) -> list[dict[str, Any]]:
    """Return nodes in name order."""
    return [cast("dict[str, Any]", to_json(n)) for n in sorted(nodes, key=lambda n: n.name)]


def job_data(state: JobState, number: int | None = None) -> dict[str, Any] | None:
    """Return the whole spec of a version (the newest without a number), as ``inspect`` does."""
    version = state.current if number is None else state.version(number)
    if version is None:
        return None
    spec = cast("dict[str, Any]", to_json(version.job))
    return {
        **spec,
        "Version": version.version,
        "Stable": version.stable,
        "SubmitTime": version.submit_time,
        "CreateIndex": state.create_index,
        "ModifyIndex": state.modify_index,
        "JobModifyIndex": version.index,
        "Images": dict(version.images),
    }
