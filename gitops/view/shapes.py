"""What commands print with -json, as types: the source of the schemas in docs/schema.

The views return these, so type checkers hold the code to them. `Annotated[Any, X]` is what
`planner.codec.to_json` makes of an `X`. Imported for type checks and by tests only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from planner import job as jobs
from planner.difference import DiffType, FieldDiff, ObjectDiff, TaskDiff
from planner.failure import PlacementFailure
from planner.node_score import NodeScore
from planner.observed import TaskState
from planner.plan import Change, Drift, UnknownHost, Why
from planner.recorded import DeploymentGroup, DeploymentStatus, PortMapping
from planner.request import Request
from planner.source import Source


@dataclass(frozen=True, slots=True)
class Joined:
    """The keys of several shapes in one object; a later one has the say about a key of both."""

    parts: tuple[Any, ...]


class Position(TypedDict):
    """A place in a file, counted from 1; 0 is the file as a whole."""

    line: int
    column: int


class Range(TypedDict):
    """Where something is; the end lies behind the last character."""

    filename: str
    start: Position
    end: Position


class Diagnostic(TypedDict):
    """What is wrong, or doubtful, in a job file."""

    severity: Literal["error", "warning"]
    summary: str
    detail: str
    range: Range


class Unsupported(TypedDict):
    """A block that orch does not honour (`part` is empty), or what it does of it."""

    path: str
    block: str
    part: str
    range: Range


class Validation(TypedDict):
    """`validate`."""

    format_version: str
    valid: bool
    diagnostics: list[Diagnostic]
    unsupported: list[Unsupported]


class BlockUse(TypedDict):
    """How many jobs, in which files, ask for a block, and what orch does of it."""

    Block: str
    Status: Literal["honoured", "in part", "not honoured"]
    Part: str
    Jobs: int
    Files: list[str]


class SupportReport(TypedDict):
    """`validate -report`."""

    format_version: str
    Jobs: int
    Blocks: list[BlockUse]
    diagnostics: list[Diagnostic]


class TaskGroupDiff(TypedDict):
    """The difference of a group; `Updates` counts its changes by their words."""

    Type: DiffType
    Name: str
    Fields: list[Annotated[Any, FieldDiff]] | None
    Objects: list[Annotated[Any, ObjectDiff]] | None
    Tasks: list[Annotated[Any, TaskDiff]] | None
    Updates: dict[str, int] | None


class JobDiff(TypedDict):
    """The difference of a job."""

    Type: DiffType
    ID: str
    Fields: list[Annotated[Any, FieldDiff]] | None
    Objects: list[Annotated[Any, ObjectDiff]] | None
    TaskGroups: list[TaskGroupDiff] | None


class Annotations(TypedDict):
    """What a plan does to each group, as numbers."""

    DesiredTGUpdates: dict[str, dict[str, int]]


class _PlacementLists(TypedDict):
    Ports: list[Annotated[Any, PortMapping]]
    Scores: list[Annotated[Any, NodeScore]]


class _UpdateGroup(TypedDict):
    Group: str


Placement = Annotated[Any, Joined((Change, _PlacementLists))]
Update = Annotated[Any, Joined((_UpdateGroup, Why))]


class PlannedJob(TypedDict):
    """What a plan does to one job."""

    ID: str
    Namespace: str
    Path: str
    Stop: bool
    Diff: JobDiff
    Annotations: Annotations
    FailedTGAllocs: dict[str, Annotated[Any, PlacementFailure]] | None
    JobModifyIndex: int
    Registers: bool
    ResumesDeployment: str
    RequestIDs: list[str]
    Placements: list[Placement]
    Updates: list[Update]
    Warnings: list[str]


class Totals(TypedDict):
    """The plan in numbers."""

    Jobs: int
    Changed: int
    NotPlaced: int
    DesiredTGUpdates: dict[str, int]


class RuledOut(TypedDict):
    """One reason why hosts were left out, and which."""

    Reason: str
    Count: int
    Hosts: list[str]


class Explanation(TypedDict):
    """All hosts as one placement found them."""

    Job: str
    Group: str
    Name: str
    Node: str
    Feasible: int
    Scores: list[Annotated[Any, NodeScore]]
    RuledOut: list[RuledOut]


class JobOutcome(TypedDict):
    """How the work on one job ended; after a failure the version `RolledBackTo` may run again."""

    Job: str
    Outcome: str
    Detail: str
    RolledBackTo: int | None


class Plan(TypedDict):
    """`plan`, `show`; and `apply`, `run`, `stop`, which add `Outcomes` where they did something."""

    format_version: str
    cluster: str
    index: int
    empty: bool
    summary: Totals
    source: Annotated[Any, Source]
    jobs: list[PlannedJob]
    unknown_hosts: list[Annotated[Any, UnknownHost]]
    drift: list[Annotated[Any, Drift]]
    explanations: NotRequired[list[Explanation]]
    what_if: NotRequired[list[str]]
    Outcomes: NotRequired[list[JobOutcome]]


class FoundJob(TypedDict):
    """A job of which only its allocations are known: the ledger was rebuilt."""

    ID: str
    Name: str
    Namespace: str
    Status: str
    CreateIndex: int
    ModifyIndex: int
    JobModifyIndex: int


class Job(FoundJob):
    """A job as lists have it."""

    Type: str
    Priority: int
    Datacenters: list[str]
    NodePool: str
    Periodic: bool
    ParameterizedJob: bool
    Stop: bool
    Version: int
    SubmitTime: int


class Purged(TypedDict):
    """A job that was purged: nothing."""


class Deployment(TypedDict):
    """The rolling out of one version of a job."""

    ID: str
    JobID: str
    Namespace: str
    JobVersion: int
    Status: DeploymentStatus
    StatusDescription: str
    TaskGroups: dict[str, Annotated[Any, DeploymentGroup]]
    Created: int
    Modified: int
    Requests: list[Annotated[Any, Request]]


class Evaluation(TypedDict):
    """One look of the planner at a job."""

    ID: str
    JobID: str
    Namespace: str
    Priority: int
    TriggeredBy: str
    Status: str
    DeploymentID: str
    FailedTGAllocs: dict[str, Annotated[Any, PlacementFailure]] | None
    DesiredTGUpdates: dict[str, dict[str, int]]
    QueuedAllocations: dict[str, int]
    CreateTime: int


class DeploymentHealth(TypedDict):
    """Whether a deployment found an allocation healthy (null: not known yet), and when."""

    Healthy: bool | None
    Timestamp: int


class Allocation(TypedDict):
    """One allocation."""

    ID: str
    Name: str
    Namespace: str
    JobID: str
    JobVersion: int
    TaskGroup: str
    NodeID: str
    NodeName: str
    EvalID: str
    DeploymentID: str
    DesiredStatus: str
    DesiredDescription: str
    ClientStatus: str
    ClientDescription: str
    DeploymentStatus: DeploymentHealth
    PreviousAllocation: str
    NextAllocation: str
    Ports: list[Annotated[Any, PortMapping]]
    Scores: list[Annotated[Any, NodeScore]]
    TaskStates: dict[str, Annotated[Any, TaskState]]
    CreateIndex: int
    ModifyIndex: int
    CreateTime: int
    ModifyTime: int


class TaskUsage(TypedDict):
    """What a task uses: MHz, and resident bytes."""

    CPU: int
    RSS: int


class CheckResult(TypedDict):
    """A service check that was made for this answer."""

    Service: str
    Task: str
    Check: str
    Mode: str
    Status: Literal["success", "failure"]
    Output: str


class Measured(TypedDict):
    """What was seen of an allocation at the moment of asking."""

    TaskStates: dict[str, Annotated[Any, TaskState]]
    Usage: dict[str, TaskUsage]
    Checks: list[CheckResult]


class AllocationStatus(Allocation):
    """`alloc status`."""

    Usage: dict[str, TaskUsage]
    Checks: list[CheckResult]


class JobStatus(TypedDict):
    """`status JOB`."""

    Job: Job | FoundJob | Purged
    Summary: dict[str, dict[str, int]]
    LatestDeployment: Deployment | None
    Evaluations: list[Evaluation]
    Allocations: list[Allocation]


class VersionTag(TypedDict):
    """The name that somebody gave a version."""

    Name: str
    Description: str
    TaggedTime: int


class ScalingEvent(TypedDict):
    """A change of a group's count by itself."""

    TaskGroup: str
    Count: int
    PreviousCount: int
    Time: int


class Version(TypedDict):
    """One version of a job."""

    Version: int
    Stable: bool
    SubmitTime: int
    JobModifyIndex: int
    Commit: str
    Path: str
    Images: dict[str, str]
    Tag: VersionTag | None


class _Registered(TypedDict):
    Version: int
    Stable: bool
    SubmitTime: int
    CreateIndex: int
    ModifyIndex: int
    JobModifyIndex: int
    Images: dict[str, str]


Inspected = Annotated[Any, Joined((jobs.Job, _Registered))]


class ParsedJob(TypedDict):
    """`run -output`: the job as Nomad's API takes it."""

    Job: dict[str, Any]


class ProgramVersion(TypedDict):
    """`version`: of orch, and of each output."""

    Version: str
    Formats: dict[str, str]
