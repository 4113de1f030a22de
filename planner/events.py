"""What an apply tells while it goes on: small values, put into words elsewhere. `time` is in ns."""

from __future__ import annotations

from dataclasses import dataclass

from planner.failure import PlacementFailure
from planner.recorded import AllocRecord, Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationStarted:
    """An evaluation of a job began; `deployment` is empty where it has none."""

    time: int
    evaluation: str
    job_id: str
    triggered_by: str
    deployment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationPlaced:
    """An allocation was started."""

    time: int
    job_id: str
    alloc: AllocRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationModified:
    """An allocation was updated in place."""

    time: int
    job_id: str
    alloc: AllocRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationStopped:
    """An allocation's tasks were ended."""

    time: int
    job_id: str
    alloc: AllocRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationUnhealthy:
    """An allocation failed its deployment, for this reason."""

    time: int
    job_id: str
    alloc: AllocRecord
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFinished:
    """An evaluation is done; `unplaced` says why allocations found no node, by group."""

    time: int
    evaluation: str
    job_id: str
    status: str = "complete"
    unplaced: tuple[tuple[str, PlacementFailure], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentUpdate:
    """A deployment moved: its counts or its status changed."""

    time: int
    job_id: str
    deployment: Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A plain line about the run itself: a host that did not answer, a run taken over."""

    time: int
    text: str


Event = (
    EvaluationStarted
    | AllocationPlaced
    | AllocationModified
    | AllocationStopped
    | AllocationUnhealthy
    | EvaluationFinished
    | DeploymentUpdate
    | Message
)
