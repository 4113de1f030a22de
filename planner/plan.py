"""The plan: an immutable value that is printed, saved, tested and applied."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.action import Action
from planner.difference import JobDiff
from planner.failure import PlacementFailure
from planner.job import Job
from planner.node_score import NodeScore
from planner.recorded import PortMapping
from planner.request import Request
from planner.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one allocation name, on which node, and why.

    `alloc` is the id of the allocation that is kept, stopped or replaced; for a create it is
    empty, unless an interrupted run had already decided the allocation (`resumed`). Ids of new
    allocations are drawn when their intent is written, never here. `node` is where the
    allocation will run (or ran, for a destroy); empty where no node was found. `replaces` is the
    id of the ended allocation (failed, lost, missing) in whose stead a create is made.
    """

    action: Action
    name: str
    group: str
    reason: str
    alloc: str = ""
    replaces: str = ""
    node: str = ""
    previous_node: str = ""
    ports: tuple[PortMapping, ...] = ()
    scores: tuple[NodeScore, ...] = ()
    resumed: bool = False
    # The new one starts beside the old, which is stopped once the new one is healthy.
    start_first: bool = False
    # Why the replaced allocation is stopped, in Nomad's words (recorded as its description).
    stop_description: str = ""
    # What is stopped is lost: nobody can tell its host.
    lost: bool = field(default=False, metadata={"omitempty": True})
    # Id of the allocation on an unknown host that the new one stands in for; it is not stopped.
    beside: str = field(default="", metadata={"omitempty": True})
    # What is stopped has ended by its record, which stays as it is; its host does not know that.
    ended: bool = field(default=False, metadata={"omitempty": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One change of the spec that an update of a group's allocations comes from.

    `task` is empty for a field of the group or the job.
    """

    action: Action
    reason: str
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """All changes of one group, in order of action, then name index.

    `why` has every field that forces its updates, where changes have the first one only.
    """

    name: str
    changes: tuple[Change, ...] = ()
    failure: PlacementFailure | None = None
    why: tuple[Why, ...] = ()

    def count(self, action: Action) -> int:
        """How many changes of that kind there are; an ended one that is replaced is stopped too."""
        stopped = sum(bool(c.replaces) for c in self.changes) if action is Action.DESTROY else 0
        return stopped + sum(c.action is action for c in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """What one job's evaluation came to.

    `job` is the desired spec (``job.stop`` for a job that is to end). `modify_index` and
    `job_modify_index` are the guards: the job's records must still stand there at apply.
    `registers` says whether the spec differs, so that a new version is made.
    """

    key: str
    job: Job
    diff: JobDiff
    groups: tuple[GroupPlan, ...] = ()
    job_modify_index: int = 0
    modify_index: int = 0
    registers: bool = False
    warnings: tuple[str, ...] = ()
    path: str = ""
    # Id of a deployment that is not over: an apply goes on with it, even where nothing changes yet.
    resumes: str = ""
    # Id of the deployment of this very spec that has failed: nothing more is tried of it.
    failed: str = ""
    # Id of the deployment of this very spec that somebody has told to rest.
    paused: str = field(default="", metadata={"omitempty": True})
    # Id of a run that holds the job: one that goes on, or that ended before it could let go.
    held: str = ""
    # Ids of allocations that somebody told to stop, and that are replaced for it.
    migrates: tuple[str, ...] = ()
    # Ids of failed allocations that somebody told to place again, whatever their policy says.
    reschedules: tuple[str, ...] = ()
    # What causes the evaluation, where that is not for the changes to say.
    trigger: str = ""
    # The commit that the spec came from, where that is not the one of the whole plan.
    commit: str = ""
    # What somebody asks of its deployment: recorded with the begin, before anything else.
    request: Request | None = None
    # Ids of requests that wait in the ledger: whoever holds the job next takes them in.
    asked: tuple[str, ...] = field(default=(), metadata={"omitempty": True})

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of all groups."""
        return tuple(c for g in self.groups for c in g.changes)

    @property
    def touches(self) -> bool:
        """Whether any task is started or stopped."""
        return any(c.action.touches for c in self.changes)

    @property
    def empty(self) -> bool:
        """Whether applying it would change nothing at all."""
        idle = all(c.action is Action.IGNORE for c in self.changes)
        goes_on = self.resumes or self.held or self.asked
        return idle and not self.registers and not goes_on


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownHost:
    """A host that could not be observed, and why."""

    host: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A difference between what is recorded and what a host runs: missing, dead or extra."""

    kind: str
    host: str
    alloc: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `plan` prints and `apply` carries out. The same inputs give the same bytes."""

    format: int = 1
    cluster: str = ""
    index: int = 0
    source: Source = field(default_factory=Source)
    jobs: tuple[JobPlan, ...] = ()
    unknown: tuple[UnknownHost, ...] = ()
    drift: tuple[Drift, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether applying it would change nothing at all."""
        return all(j.empty for j in self.jobs)
