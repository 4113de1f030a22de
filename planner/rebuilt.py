"""A job's records from what hosts know of its allocations, when the ledger was lost. Pure.

Allocations come back with their ids; the specs of versions, deployments and evaluations do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.client import client_status
from planner.job_key import job_key
from planner.node_record import NodeRecord
from planner.observed import Node, NodeStatus, Observed, ObservedAlloc
from planner.recorded import AllocRecord, Desired, JobState, PortMapping

REBUILT = "found on its host"


def rebuilt_jobs(observed: Observed, index: int) -> dict[str, JobState]:
    """Return the records of all jobs that hosts have allocations of, as decided at `index`."""
    jobs: dict[str, JobState] = {}
    for seen in sorted(observed.allocs.values(), key=lambda a: (a.index, a.name, a.id)):
        key = job_key(seen.job_id, seen.namespace)
        state = jobs.get(key) or JobState(
            key=key, create_index=index, modify_index=index, job_modify_index=index
        )
        record = _record(seen, observed.nodes.get(seen.node))
        jobs[key] = replace(state, allocs=(*state.allocs, record))
    return jobs


def completed_jobs(
    jobs: Mapping[str, JobState], observed: Observed, index: int
) -> dict[str, JobState]:
    """Return the jobs of which hosts have allocations that the records lack, with these added."""
    known = {alloc.id for state in jobs.values() for alloc in state.allocs}
    completed: dict[str, JobState] = {}
    for key, found in rebuilt_jobs(observed, index).items():
        missing = tuple(a for a in found.allocs if a.id not in known)
        if missing:
            state = jobs.get(key) or replace(found, allocs=())
            completed[key] = replace(state, allocs=(*state.allocs, *missing), modify_index=index)
    return completed


def rebuilt_nodes(observed: Observed) -> Mapping[str, NodeRecord]:
    """Return the records of the hosts that have an id already."""
    return {
        name: NodeRecord(
            id=node.id, name=name, machine_id=node.attributes.get("unique.host_id", "")
        )
        for name, node in observed.nodes.items()
        if node.status is NodeStatus.READY and node.id
    }


def _record(seen: ObservedAlloc, node: Node | None) -> AllocRecord:
    record = AllocRecord(
        id=seen.id,
        name=seen.name,
        group=seen.group,
        node=seen.node,
        node_id=node.id if node else "",
        job_version=seen.version,
        desired=Desired.STOP if seen.desired == "stop" else Desired.RUN,
        desired_description=REBUILT,
        ports=tuple(
            PortMapping(label=k, value=v, host_ip=node.address if node else "")
            for k, v in sorted(seen.ports.items())
        ),
        created_index=seen.index,
        modified_index=seen.index,
        created=seen.created,
        modified=seen.created,
        tasks=seen.tasks,
    )
    return replace(record, client=client_status(record, seen, NodeStatus.READY))
