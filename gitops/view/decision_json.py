"""What decisions come to as JSON: on nodes, versions, allocations. See `gitops.view.shapes`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from planner.job_notes import VersionTag
from planner.node_record import NodeRecord
from planner.recorded import AllocRecord, JobState, Recorded

if TYPE_CHECKING:
    from gitops.view import fleet_shapes


def node_decision(record: NodeRecord) -> fleet_shapes.NodeDecision:
    """Return what is decided about a node."""
    drain = record.drain
    return {
        "ID": record.id,
        "Name": record.name,
        "Eligible": record.eligible,
        "Drain": {
            "Deadline": drain.deadline,
            "IgnoreSystem": drain.ignore_system,
            "Started": drain.started,
        }
        if drain
        else None,
    }


def node_drain(
    record: NodeRecord, recorded: Recorded, moved: Collection[str]
) -> fleet_shapes.NodeDrain:
    """Return what a drain has come to; `moved` are the ids of allocations that have left."""
    found = [_moved(s, a) for s in recorded.jobs.values() for a in s.allocs if a.id in moved]
    return {
        **node_decision(record),
        "Complete": record.drain is None and not record.eligible,
        "Moved": sorted(found, key=lambda a: (a["JobID"], a["Name"], a["ID"])),
    }


def _moved(state: JobState, alloc: AllocRecord) -> fleet_shapes.MovedAllocation:
    return {
        "ID": alloc.id,
        "Name": alloc.name,
        "JobID": state.job_id,
        "Namespace": state.namespace,
        "ClientStatus": alloc.client,
        "NextAllocation": alloc.next or None,
    }


def tagged_version(
    state: JobState, version: int, tag: VersionTag | None
) -> fleet_shapes.TaggedVersion:
    """Return a version with the tag that it has from now on."""
    return {
        "JobID": state.job_id,
        "Namespace": state.namespace,
        "Version": version,
        "Tag": {
            "Name": tag.name,
            "Description": tag.description,
            "TaggedTime": tag.tagged,
        }
        if tag
        else None,
    }


def job_restart(state: JobState, restarted: Iterable[AllocRecord]) -> fleet_shapes.JobRestart:
    """Return what began anew of a job, as the records have it by now."""
    places = {a.previous: a.id for a in state.allocs if a.previous}
    return {
        "JobID": state.job_id,
        "Namespace": state.namespace,
        "Restarted": [
            {
                "ID": alloc.id,
                "Name": alloc.name,
                "TaskGroup": alloc.group,
                "NodeName": alloc.node,
                "ReplacedBy": places.get(alloc.id),
            }
            for alloc in restarted
        ],
    }
