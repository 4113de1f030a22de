"""What orch has decided and done, as the ledger keeps it. Values and how they merge; no storage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol, TypeVar

from planner.failure import PlacementFailure
from planner.job import Job
from planner.job_key import split_key
from planner.job_notes import ScalingEvent, VersionTag, kept_events
from planner.node_record import NodeRecord
from planner.node_score import NodeScore
from planner.observed import TaskState
from planner.request import KEPT_ANSWERS, Answer, Request

# Versions kept per job; the newest stable one, and those that have a tag, are never dropped.
TRACKED_VERSIONS = 6
# Deployments, and evaluations, kept per job.
KEPT_DECISIONS = 50


class Desired(StrEnum):
    """What an allocation was decided to do."""

    RUN = "run"
    STOP = "stop"


class ClientStatus(StrEnum):
    """What became of an allocation, in Nomad's words."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    LOST = "lost"
    UNKNOWN = "unknown"

    @property
    def terminal(self) -> bool:
        """Whether the allocation can never run again."""
        return self in (ClientStatus.COMPLETE, ClientStatus.FAILED, ClientStatus.LOST)


class DeploymentStatus(StrEnum):
    """State of a deployment."""

    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    SUCCESSFUL = "successful"
    CANCELLED = "cancelled"

    @property
    def active(self) -> bool:
        """Whether it still goes on."""
        return self in (DeploymentStatus.RUNNING, DeploymentStatus.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortMapping:
    """One assigned port: `value` on the host at `host_ip`, `to` inside the task (0: the same)."""

    label: str
    value: int
    to: int = 0
    host_ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobVersion:
    """One version of a job's spec. `index` is its job modify index; times in ns.

    `images` are the digests that its containers run: references by digest, by those of the spec.
    One that is not there came from no registry, or was recorded by an older orch.
    """

    version: int
    index: int
    submit_time: int
    job: Job
    stable: bool = False
    commit: str = ""
    path: str = ""
    images: Mapping[str, str] = field(default_factory=dict[str, str], metadata={"omitempty": True})
    tag: VersionTag | None = field(default=None, metadata={"omitempty": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocRecord:
    """One allocation as decided. `healthy` is its deployment health, None while not known."""

    id: str
    name: str
    group: str
    node: str
    node_id: str = ""
    job_version: int = 0
    desired: Desired = Desired.RUN
    desired_description: str = ""
    client: ClientStatus = ClientStatus.PENDING
    client_description: str = ""
    ports: tuple[PortMapping, ...] = ()
    evaluation: str = ""
    deployment: str = ""
    healthy: bool | None = None
    healthy_at: int = 0
    previous: str = ""
    next: str = ""
    reschedules: int = 0
    created_index: int = 0
    modified_index: int = 0
    created: int = 0
    modified: int = 0
    tasks: Mapping[str, TaskState] = field(default_factory=dict[str, TaskState])
    # Why its tasks made it unhealthy, by name.
    unhealthy: Mapping[str, str] = field(
        default_factory=dict[str, str], metadata={"omitempty": True}
    )
    # The best nodes for it, when it was placed.
    scores: tuple[NodeScore, ...] = field(default=(), metadata={"omitempty": True})
    # Somebody told it to stop, and another one has to take its place.
    migrate: bool = field(default=False, metadata={"omitempty": True})
    # It has failed, and somebody told to place it again, whatever its reschedule policy says.
    force_reschedule: bool = field(default=False, metadata={"omitempty": True})
    # It was started beside the one that it replaces, and is to be healthy before that one stops.
    starts_first: bool = field(default=False, metadata={"omitempty": True})
    # It tries a new version beside the old ones, and nobody has promoted it yet.
    canary: bool = field(default=False, metadata={"omitempty": True})

    @property
    def index(self) -> int:
        """The number in brackets at the end of the name: ``web.api[2]`` → 2."""
        return int(self.name[self.name.rindex("[") + 1 : -1])

    @property
    def terminal(self) -> bool:
        """Whether it was told to stop or has ended by itself."""
        return self.desired is Desired.STOP or self.client.terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentGroup:
    """Progress of one group in a deployment; `require_progress_by` is in ns, 0 = no deadline.

    `desired_canaries` is how many try the version first; `promoted` says that they were found good.
    """

    desired_total: int = 0
    placed: int = 0
    healthy: int = 0
    unhealthy: int = 0
    auto_revert: bool = False
    progress_deadline: int = 0
    require_progress_by: int = 0
    desired_canaries: int = field(default=0, metadata={"omitempty": True})
    promoted: bool = field(default=False, metadata={"omitempty": True})
    auto_promote: bool = field(default=False, metadata={"omitempty": True})
    # ids of the allocations that were placed as canaries
    placed_canaries: tuple[str, ...] = field(default=(), metadata={"omitempty": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The rolling out of one job version."""

    id: str
    job_version: int
    status: DeploymentStatus = DeploymentStatus.RUNNING
    description: str = "Deployment is running"
    groups: Mapping[str, DeploymentGroup] = field(default_factory=dict[str, DeploymentGroup])
    created: int = 0
    modified: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One look of the planner at a job. `failures` names the groups that were not placed.

    `reasons` says why for each of them, and `updates` counts each group's changes by action;
    evaluations that were recorded by an older orch have neither.
    """

    id: str
    triggered_by: str
    priority: int = 50
    status: str = "complete"
    deployment: str = ""
    failures: tuple[str, ...] = ()
    queued: Mapping[str, int] = field(default_factory=dict[str, int])
    created: int = 0
    reasons: Mapping[str, PlacementFailure] = field(
        default_factory=dict[str, PlacementFailure], metadata={"omitempty": True}
    )
    updates: Mapping[str, Mapping[str, int]] = field(
        default_factory=dict[str, Mapping[str, int]], metadata={"omitempty": True}
    )


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_HasId)


def _upsert(old: tuple[R, ...], new: Iterable[R]) -> tuple[R, ...]:
    by_id = {r.id: r for r in old} | {r.id: r for r in new}
    return tuple(by_id.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """What one decision adds to a job's records: the unit of journals and of state commits.

    Records replace those of the same id; `forget` names allocations to drop. `register` adds a
    job version. `images` are digests that were only found when the newest version was pulled.
    `tagged` are numbers of versions that get `tag`, or lose the one they have. `scaled` are changes
    of counts to note.
    `requests` wait from now on until one of the `answers` is to them. A change that does nothing
    but ask leaves the job's index: whoever holds the job goes on.
    `run` is the id of the apply that holds the job from now on; the empty string releases it,
    None leaves it.
    """

    key: str
    register: JobVersion | None = None
    stable: int | None = None
    allocs: tuple[AllocRecord, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    forget: tuple[str, ...] = ()
    run: str | None = None
    repository: str | None = None
    purge: bool = False
    images: Mapping[str, str] = field(default_factory=dict[str, str], metadata={"omitempty": True})
    tagged: tuple[int, ...] = field(default=(), metadata={"omitempty": True})
    tag: VersionTag | None = field(default=None, metadata={"omitempty": True})
    scaled: tuple[ScalingEvent, ...] = field(default=(), metadata={"omitempty": True})
    requests: tuple[Request, ...] = field(default=(), metadata={"omitempty": True})
    answers: tuple[Answer, ...] = field(default=(), metadata={"omitempty": True})

    @property
    def asks_only(self) -> bool:
        """Whether it decides nothing yet."""
        return bool(self.requests) and self == JobChange(key=self.key, requests=self.requests)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """All records of one job. `versions` is newest first and empty after a purge."""

    key: str
    create_index: int = 0
    modify_index: int = 0
    job_modify_index: int = 0
    versions: tuple[JobVersion, ...] = ()
    allocs: tuple[AllocRecord, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    run: str = ""
    # (repository id, path) that owns the job; only a run over that repository may destroy it
    repository: str = ""
    scaled: tuple[ScalingEvent, ...] = field(default=(), metadata={"omitempty": True})
    # what people ask of its deployments, in order, and what became of the last of that
    requests: tuple[Request, ...] = field(default=(), metadata={"omitempty": True})
    answers: tuple[Answer, ...] = field(default=(), metadata={"omitempty": True})

    @property
    def current(self) -> JobVersion | None:
        """The newest version, or None where the job was purged."""
        return self.versions[0] if self.versions else None

    @property
    def job_id(self) -> str:
        """The job's id, also where no version is known."""
        return self.versions[0].job.id if self.versions else split_key(self.key)[0]

    @property
    def namespace(self) -> str:
        """The job's namespace, also where no version is known."""
        return self.versions[0].job.namespace if self.versions else split_key(self.key)[1]

    @property
    def is_found(self) -> bool:
        """Whether nothing but its allocations is known: it was rebuilt from what hosts have."""
        return not self.versions and bool(self.allocs)

    @property
    def deployment(self) -> Deployment | None:
        """The latest deployment."""
        return self.deployments[-1] if self.deployments else None

    def asked_of(self, deployment: str) -> tuple[Request, ...]:
        """Return what is asked of the deployment with this id and not answered yet, in order."""
        return tuple(r for r in self.requests if r.deployment == deployment)

    def alloc(self, alloc_id: str) -> AllocRecord | None:
        """Return the allocation with exactly this id."""
        return next((a for a in self.allocs if a.id == alloc_id), None)

    def version(self, number: int) -> JobVersion | None:
        """Return that version of the spec, if it is still kept."""
        return next((v for v in self.versions if v.version == number), None)

    def changed(self, change: JobChange, index: int) -> JobState:
        """Return the records after `change`, decided at ledger position `index`."""
        if change.purge:
            return JobState(key=self.key, modify_index=index)
        registered = change.register is not None
        versions = _kept(_tagged(_registered(self.versions, change.register, index), change))
        return replace(
            self,
            create_index=self.create_index or index,
            modify_index=self.modify_index if change.asks_only else index,
            job_modify_index=index if registered else self.job_modify_index,
            versions=_pulled(_stable(versions, change), change),
            allocs=_without(_upsert(self.allocs, change.allocs), change.forget),
            deployments=_upsert(self.deployments, change.deployments)[-KEPT_DECISIONS:],
            evaluations=_upsert(self.evaluations, change.evaluations)[-KEPT_DECISIONS:],
            run=self.run if change.run is None else change.run,
            repository=self.repository if change.repository is None else change.repository,
            scaled=kept_events((*self.scaled, *change.scaled)) if change.scaled else self.scaled,
            requests=_waiting(self, change),
            answers=_upsert(self.answers, change.answers)[-KEPT_ANSWERS:],
        )


def _waiting(state: JobState, change: JobChange) -> tuple[Request, ...]:
    answered = {a.id for a in (*state.answers, *change.answers)}
    asked = _upsert(state.requests, change.requests)
    return tuple(r for r in asked if r.id not in answered)


def _without(allocs: tuple[AllocRecord, ...], forget: tuple[str, ...]) -> tuple[AllocRecord, ...]:
    return tuple(a for a in allocs if a.id not in forget) if forget else allocs


def _registered(
    old: tuple[JobVersion, ...], new: JobVersion | None, index: int
) -> tuple[JobVersion, ...]:
    return old if new is None else (replace(new, index=index), *old)


def _kept(versions: tuple[JobVersion, ...]) -> tuple[JobVersion, ...]:
    newest_stable = next((v.version for v in versions if v.stable), None)
    return tuple(
        v
        for i, v in enumerate(versions)
        if i < TRACKED_VERSIONS or v.version == newest_stable or v.tag is not None
    )


def _tagged(versions: tuple[JobVersion, ...], change: JobChange) -> tuple[JobVersion, ...]:
    named = change.tagged
    return tuple(replace(v, tag=change.tag) if v.version in named else v for v in versions)


def _stable(versions: tuple[JobVersion, ...], change: JobChange) -> tuple[JobVersion, ...]:
    return tuple(replace(v, stable=True) if v.version == change.stable else v for v in versions)


def _pulled(versions: tuple[JobVersion, ...], change: JobChange) -> tuple[JobVersion, ...]:
    """What is recorded already stays: containers run by it."""
    if not change.images or not versions:
        return versions
    newest, *older = versions
    return (replace(newest, images={**change.images, **newest.images}), *older)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The whole state at ledger position `index`; jobs by key, nodes by host name."""

    cluster: str = ""
    epoch: int = 0
    index: int = 0
    jobs: Mapping[str, JobState] = field(default_factory=dict[str, JobState])
    nodes: Mapping[str, NodeRecord] = field(default_factory=dict[str, NodeRecord])

    def job(self, key: str) -> JobState:
        """Return the job's records; empty ones where nothing is recorded."""
        return self.jobs.get(key) or JobState(key=key)

    def changed(
        self, changes: Iterable[JobChange], index: int, nodes: Iterable[NodeRecord] = ()
    ) -> Recorded:
        """Return the state after `changes`, decided at position `index`."""
        jobs = dict(self.jobs)
        for change in changes:
            state = jobs.get(change.key) or JobState(key=change.key)
            jobs[change.key] = state.changed(change, index)
        return replace(
            self, index=index, jobs=jobs, nodes={**self.nodes, **{n.name: n for n in nodes}}
        )
