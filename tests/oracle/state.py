"""What was registered and running before a plan: `state.json` as recorded and observed state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from gitops.jobspec.variables import Variables
from planner.capacity import Load
from planner.evaluate import Situation
from planner.job import SECOND, Job, ReschedulePolicy, TaskGroup
from planner.job_key import job_key
from planner.observed import Node, Observed, ObservedAlloc, TaskPhase, TaskState
from planner.ports import asked_ports, assigned, collision
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
    DeploymentGroup,
    DeploymentStatus,
    Desired,
    JobState,
    JobVersion,
    PortMapping,
    Recorded,
)
from tests.oracle.specs import loaded

NOW = 1_700_000_000 * SECOND
_NEVER = 365 * 24 * 3600


class AllocEntry(BaseModel):
    """One allocation, as recorded."""

    name: str
    of: str
    desired: Literal["run", "stop"]
    client: Literal["running", "complete", "failed"]
    healthy: bool | None = None
    canary: bool = False
    reschedule_in_s: float | None = None

    def group(self, job_id: str) -> str:
        """The group's name: what stands between the job's id and the index."""
        return self.name.removeprefix(f"{job_id}.")[: -len(self._index)]

    @property
    def _index(self) -> str:
        return self.name[self.name.rindex("[") :]


class DeploymentEntry(BaseModel):
    """The job's latest deployment."""

    of: str
    status: Literal["running", "successful", "failed"]
    promoted: bool | None = None


class JobEntry(BaseModel):
    """One registered job."""

    id: str
    registered: tuple[str, ...]
    stopped: bool = False
    deployment: DeploymentEntry | None = None
    allocs: tuple[AllocEntry, ...] = ()


class StateFile(BaseModel):
    """`state.json`."""

    jobs: tuple[JobEntry, ...] = ()
    ipv4_only: bool = False


def read_state(folder: Path) -> StateFile:
    """Read the state of a case; one without the file has nothing registered."""
    path = folder / "state.json"
    text = path.read_text(encoding="utf-8") if path.exists() else "{}"
    return StateFile.model_validate_json(text)


def situation(folder: Path, state: StateFile, node: Node, given: Variables) -> Situation:
    """Return what the planner sees: every job registered, every allocation on the one node."""
    builder = _Builder(folder, Load(node, node.reserved_ports), given)
    jobs = [builder.job(entry, number) for number, entry in enumerate(state.jobs)]
    recorded = Recorded(cluster="oracle", index=100, jobs={s.key: s for s in jobs})
    observed = Observed(nodes={node.name: node}, allocs=builder.seen)
    return Situation(recorded=recorded, observed=observed, now=NOW)


@dataclass(slots=True)
class _Builder:
    folder: Path
    load: Load
    given: Variables
    seen: dict[str, ObservedAlloc] = field(default_factory=dict[str, ObservedAlloc])

    def job(self, entry: JobEntry, number: int) -> JobState:
        """Return the records of one job, and note what its node shows."""
        first = 10 * number + 1
        versions = [
            JobVersion(version=i, index=first + i, submit_time=0, job=self._load(name))
            for i, name in enumerate(entry.registered)
        ]
        numbers = {name: i for i, name in enumerate(entry.registered)}
        allocs = [
            self._alloc(a, versions[numbers[a.of]], f"{number:04x}{i:04x}-0000", entry)
            for i, a in enumerate(entry.allocs)
        ]
        if entry.stopped:
            last = versions[-1]
            stop = replace(last.job, stop=True)
            versions.append(replace(last, version=last.version + 1, index=last.index + 1, job=stop))
        current = versions[-1].job
        return JobState(
            key=job_key(current.id, current.namespace),
            create_index=first,
            modify_index=versions[-1].index,
            job_modify_index=versions[-1].index,
            versions=tuple(reversed(versions)),
            allocs=tuple(_chained(allocs)),
            deployments=tuple(_deployments(entry, numbers, versions)),
        )

    def _load(self, name: str) -> Job:
        found = loaded(self.folder, name, self.given)
        # The arguments are those of the planned file: another one may declare no variables.
        return (found if found.spec else loaded(self.folder, name)).job

    def _alloc(
        self, entry: AllocEntry, version: JobVersion, alloc: str, job: JobEntry
    ) -> AllocRecord:
        name = entry.group(job.id)
        group = version.job.group(name)
        ports = self._ports(entry, group)
        deployed = job.deployment is not None and job.deployment.of == entry.of
        tasks = dict(_tasks(entry, group))
        record = AllocRecord(
            id=alloc,
            name=entry.name,
            group=name,
            node=self.load.node.name,
            node_id=self.load.node.id,
            job_version=version.version,
            desired=Desired(entry.desired),
            client=ClientStatus(entry.client),
            ports=ports,
            deployment=f"deployment-{job.id}" if deployed else "",
            healthy=entry.healthy,
            canary=entry.canary,
            created_index=version.index,
            created=NOW - 3600 * SECOND,
            modified=NOW,
            tasks=tasks,
        )
        self.seen[alloc] = _observed(record, version, tasks)
        return record

    def _ports(self, entry: AllocEntry, group: TaskGroup | None) -> tuple[PortMapping, ...]:
        if group is None:
            return ()
        ask = asked_ports(group)
        # Two allocations with one static port were recorded on a node with two addresses.
        shares = collision(ask, self.load)
        ports = assigned(ask, self.load, entry.name) if not shares else ()
        if entry.desired == "run" and entry.client == "running":
            self.load.ports.update(p.value for p in ports)
        return ports


def _tasks(entry: AllocEntry, group: TaskGroup | None) -> Iterator[tuple[str, TaskState]]:
    ended = entry.client != "running"
    for task in group.tasks if group else ():
        yield (
            task.name,
            TaskState(
                state=TaskPhase.DEAD if ended else TaskPhase.RUNNING,
                failed=entry.client == "failed",
                started_at=NOW - 3600 * SECOND,
                finished_at=_ended_at(entry, group) if ended else 0,
            ),
        )


def _ended_at(entry: AllocEntry, group: TaskGroup | None) -> int:
    """When it ended, so that its reschedule is due when the recording says; else far from due."""
    policy = group.reschedule_policy if group else None
    delay = (policy or ReschedulePolicy()).delay
    wait = _NEVER if entry.reschedule_in_s is None else entry.reschedule_in_s
    return NOW + int(wait * SECOND) - delay


def _observed(
    record: AllocRecord, version: JobVersion, tasks: Mapping[str, TaskState]
) -> ObservedAlloc:
    return ObservedAlloc(
        id=record.id,
        node=record.node,
        name=record.name,
        namespace=version.job.namespace,
        job_id=version.job.id,
        group=record.group,
        desired=str(record.desired),
        index=version.index,
        version=version.version,
        ports={p.label: p.value for p in record.ports},
        tasks=tasks,
    )


def _chained(allocs: list[AllocRecord]) -> Iterator[AllocRecord]:
    """Link each allocation with the failed one of its name and version that it came after."""
    last: dict[tuple[str, int], AllocRecord] = {}
    linked: dict[str, AllocRecord] = {}
    for alloc in allocs:
        key = alloc.name, alloc.job_version
        before = last.get(key)
        now = alloc
        if before is not None and before.client is ClientStatus.FAILED:
            now = replace(alloc, previous=before.id, reschedules=before.reschedules + 1)
            linked[before.id] = replace(linked[before.id], next=alloc.id)
        last[key] = now
        linked[alloc.id] = now
    yield from linked.values()


def _deployments(
    entry: JobEntry, numbers: Mapping[str, int], versions: list[JobVersion]
) -> Iterator[Deployment]:
    if entry.deployment is None:
        return
    found = entry.deployment
    version = numbers[found.of]
    groups = {
        g.name: DeploymentGroup(
            desired_total=g.count,
            desired_canaries=g.update.canary if g.update and found.promoted is not None else 0,
            promoted=bool(found.promoted),
        )
        for g in versions[version].job.task_groups
    }
    yield Deployment(
        id=f"deployment-{entry.id}",
        job_version=version,
        status=DeploymentStatus(found.status),
        groups=groups,
    )
