"""Recorded placements: the job is planned, and each allocation put where it was put then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from planner.capacity import Algorithm
from planner.evaluate import Situation, plan_job
from planner.job import Job, TaskGroup
from planner.job_key import job_key
from planner.node_score import NodeScore
from planner.observed import Observed, ObservedAlloc, TaskPhase, TaskState
from planner.plan import JobPlan
from planner.recorded import AllocRecord, ClientStatus, JobState, JobVersion, PortMapping, Recorded
from planner.schedule import Placement, Ranking, Wanted
from tests.oracle.recorded_placement import (
    ExistingEntry,
    PlacementEntry,
    PlacementFile,
    read_placement,
)
from tests.oracle.specs import loaded

NOW = 1_700_000_000_000_000_000
SPEC = "job.hcl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One recorded placement, and how orch saw the nodes at that moment."""

    entry: PlacementEntry
    scores: Mapping[str, NodeScore]
    choice: NodeScore | None


@dataclass
class PlacementCase:
    """A folder of `placement/`."""

    folder: Path
    steps: list[Step] = field(default_factory=list[Step])
    left: list[PlacementEntry] = field(default_factory=list[PlacementEntry])

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def file(self) -> PlacementFile:
        return read_placement(self.folder)

    @cached_property
    def job(self) -> Job:
        return loaded(self.folder, SPEC).job

    @property
    def preempts(self) -> bool:
        """Whether others may be put aside for the job, and some are less important enough."""
        allowed = self.file.scheduler_config.preempts(self.job.type)
        return allowed and any(e.priority <= self.job.priority - 10 for e in self.file.existing)

    @property
    def dual_stack(self) -> bool:
        """Whether a node has two addresses."""
        return any(len(n.addresses) > 1 for n in self.file.nodes)

    @cached_property
    def situation(self) -> Situation:
        """The nodes, and what ran on them."""
        jobs = _jobs(self.folder, self.file)
        nodes = {n.name: n.node() for n in self.file.nodes}
        states = [_state(job_id, versions, self.file) for job_id, versions in jobs.items()]
        groups = {job.id: job for versions in jobs.values() for job in versions}
        seen = [_seen(e, groups.get(e.job)) for e in self.file.existing]
        return Situation(
            recorded=Recorded(cluster="oracle", index=100, jobs={s.key: s for s in states}),
            observed=Observed(nodes=nodes, allocs={a.id: a for a in seen}),
            now=NOW,
            algorithm=Algorithm(self.file.scheduler_config.SchedulerAlgorithm),
        )

    @cached_property
    def plan(self) -> JobPlan:
        """The plan in which every allocation goes where the recording has it."""
        self.left = list(self.file.placements)
        return plan_job(self.job, self.situation, choose=self._choose)

    def _choose(self, ranking: Ranking, wanted: Wanted) -> Placement | None:
        entry = next((p for p in self.left if _is_that(p, ranking.group, wanted)), None)
        if entry is None:
            return ranking.place(wanted)
        self.left.remove(entry)
        scores = {s.node: ranking.score(s.node, wanted) for s in entry.scores}
        best = ranking.best(wanted)
        found = {name: score for name, score in scores.items() if score is not None}
        self.steps.append(Step(entry=entry, scores=found, choice=best[0] if best else None))
        return ranking.place_on(entry.node, wanted) or ranking.place(wanted)


def _is_that(entry: PlacementEntry, group: TaskGroup, wanted: Wanted) -> bool:
    on = wanted.only in ("", entry.node)
    return entry.group == group.name and entry.name == wanted.name and on


def _jobs(folder: Path, file: PlacementFile) -> dict[str, list[Job]]:
    """The versions of each job that was set up, by its id."""
    out: dict[str, list[Job]] = {}
    for entry in file.setup:
        job = loaded(folder, entry.file).job
        out.setdefault(job.id, []).append(job)
    return out


def _state(job_id: str, versions: list[Job], file: PlacementFile) -> JobState:
    made = [
        JobVersion(version=i, index=i + 1, submit_time=0, job=job) for i, job in enumerate(versions)
    ]
    return JobState(
        key=job_key(job_id, versions[-1].namespace),
        create_index=1,
        modify_index=made[-1].index,
        job_modify_index=made[-1].index,
        versions=tuple(reversed(made)),
        allocs=tuple(_record(e) for e in file.existing if e.job == job_id),
    )


def _record(entry: ExistingEntry) -> AllocRecord:
    return AllocRecord(
        id=entry.id,
        name=entry.name,
        group=entry.group,
        node=entry.node,
        job_version=entry.job_version,
        client=ClientStatus.RUNNING,
        healthy=True,
        ports=tuple(
            PortMapping(label=p.label, value=p.value, to=p.to, host_ip=p.host_ip)
            for p in entry.ports
        ),
        created_index=entry.create_index,
    )


def _seen(entry: ExistingEntry, job: Job | None) -> ObservedAlloc:
    """What its node shows of an allocation: that it runs, and how large it is."""
    running = TaskState(state=TaskPhase.RUNNING, started_at=NOW)
    return ObservedAlloc(
        id=entry.id,
        node=entry.node,
        name=entry.name,
        namespace=job.namespace if job else "default",
        job_id=entry.job,
        group=entry.group,
        version=entry.job_version,
        ports={p.label: p.value for p in entry.ports},
        cpu=sum(t.cpu_mhz for t in entry.tasks.values()),
        memory_mb=sum(t.memory_mb for t in entry.tasks.values()),
        disk_mb=entry.disk_mb,
        tasks=dict.fromkeys(entry.tasks, running),
    )


def placement_cases(directory: Path) -> Iterator[PlacementCase]:
    """The cases of a directory, in name order; the working directory is the case's meanwhile."""
    for folder in sorted(p for p in directory.iterdir() if (p / "case.json").is_file()):
        with contextlib.chdir(folder):
            yield PlacementCase(folder)
