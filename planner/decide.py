"""From a job's plan to the records that are written before anything happens on a host.

Time and ids come in with the `Stamp`; nothing here is drawn or read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

from planner.action import Action
from planner.annotate import updates
from planner.images import kept_images
from planner.job import Job, TaskGroup
from planner.node_score import kept
from planner.plan import Change, GroupPlan, JobPlan
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
    DeploymentGroup,
    DeploymentStatus,
    Desired,
    Evaluation,
    JobChange,
    JobState,
    JobVersion,
)
from planner.steps import Chain, Start, Stop, Update

NEWER_VERSION = "Cancelled due to newer version of job"
JOB_STOPPED = "Cancelled because job is stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a decision takes from outside: the time in ns, fresh ids, who holds the job."""

    now: int
    ids: Callable[[], str]
    run: str
    commit: str = ""
    repository: str = ""
    # node ids by host name, as recorded
    nodes: Mapping[str, str] = field(default_factory=dict[str, str])
    # by job, digests of images that its new version does not take over from an earlier one
    images: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Records to journal, and the chains of steps they announce."""

    change: JobChange
    chains: tuple[Chain, ...] = ()


def opened(plan: JobPlan, state: JobState, stamp: Stamp) -> JobChange:
    """Return the `begin` of a job's run: its new version, evaluation and deployment.

    The run takes the job; a deployment of an older version that still runs is cancelled.
    """
    version = _next_version(plan, state, stamp)
    deployments = _cancelled(plan, state, stamp)
    number = version.version if version else _current(state)
    deployment = _deployment(plan, state, number, stamp)
    evaluation = Evaluation(
        id=stamp.ids(),
        triggered_by=_trigger(plan),
        priority=plan.job.priority,
        deployment=deployment.id if deployment else plan.resumes or _within(plan, state),
        failures=tuple(g.name for g in plan.groups if g.failure),
        queued={g.name: g.failure.coalesced_failures + 1 for g in plan.groups if g.failure},
        created=stamp.now,
        reasons={g.name: g.failure for g in plan.groups if g.failure},
        updates={g.name: dict(updates(g)) for g in plan.groups},
    )
    return JobChange(
        key=plan.key,
        register=version,
        allocs=tuple(replace(a, migrate=True) for a in state.allocs if a.id in plan.migrates),
        deployments=(*deployments, *((deployment,) if deployment else ())),
        evaluations=(evaluation,),
        run=stamp.run,
        repository=stamp.repository or None,
    )


def _trigger(plan: JobPlan) -> str:
    if plan.job.stop:
        return "job-deregister"
    return "alloc-stop" if plan.migrates and not plan.registers else "job-register"


def _within(plan: JobPlan, state: JobState) -> str:
    """Return the deployment that a stopped allocation belongs to, which is over already."""
    return state.deployment.id if plan.migrates and state.deployment else ""


def wave(plan: JobPlan, state: JobState, stamp: Stamp) -> Wave:
    """Return the intents of what a plan changes now, and the steps that carry them out.

    `state` is the job as it stands in the run, begin included. New allocations get their ids
    here; one that an interrupted run had decided keeps its own.
    """
    records: list[AllocRecord] = []
    chains: list[Chain] = []
    context = _Context(plan=plan, state=state, stamp=stamp)
    for change in plan.changes:
        new, chain = context.decided(change)
        records += new
        if chain:
            chains.append(chain)
    deployments: tuple[Deployment, ...] = ()
    if (active := _active(state)) is not None:
        allocs = state.changed(JobChange(key=plan.key, allocs=tuple(records)), 0).allocs
        deployments = (tallied(active, allocs, plan.job, stamp.now),)
    return Wave(
        change=JobChange(key=plan.key, allocs=tuple(records), deployments=deployments),
        chains=tuple(chains),
    )


class _Common(TypedDict):
    key: str
    change: Change
    job: Job
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    plan: JobPlan
    state: JobState
    stamp: Stamp

    def decided(self, change: Change) -> tuple[list[AllocRecord], Chain]:
        match change.action:
            case Action.IGNORE:
                return [], ()
            case Action.DESTROY:
                return self._destroyed(change)
            case Action.MIGRATE:
                return self._replaced(change) if change.node else self._destroyed(change)
            case Action.IN_PLACE:
                return self._updated(change)
            case Action.CREATE | Action.CANARY:
                return self._created(change)
            case Action.DESTRUCTIVE:
                return self._replaced(change)

    def _destroyed(self, change: Change) -> tuple[list[AllocRecord], Chain]:
        record = self._told_to_stop(change, change.alloc)
        return [record], (self._stop(change, record),)

    def _updated(self, change: Change) -> tuple[list[AllocRecord], Chain]:
        old = self._existing(change.alloc)
        deployment = _active(self.state)
        record = replace(
            old,
            job_version=_current(self.state),
            deployment=deployment.id if deployment else "",
            healthy=None,
            healthy_at=0,
            evaluation=self._evaluation,
            modified=self.stamp.now,
            modified_index=self.state.modify_index,
        )
        return [record], (Update(alloc=record, **self._common(change)),)

    def _created(self, change: Change) -> tuple[list[AllocRecord], Chain]:
        if not change.node:
            return [], ()
        record = self._placed(change, previous=change.replaces)
        chain: Chain = (self._start(change, record),)
        if not change.replaces:
            return [record], chain
        old = replace(self._told_to_stop(change, change.replaces), next=record.id)
        return [old, record], (self._stop(change, old), *chain)

    def _replaced(self, change: Change) -> tuple[list[AllocRecord], Chain]:
        if not change.node:
            return [], ()
        record = self._placed(change, previous=change.alloc)
        old = replace(self._told_to_stop(change, change.alloc), next=record.id)
        return [old, record], (self._stop(change, old), self._start(change, record))

    def _existing(self, alloc: str) -> AllocRecord:
        record = self.state.alloc(alloc)
        if record is None:
            raise LookupError(f"{self.plan.key}: allocation {alloc} is not recorded")
        return record

    def _told_to_stop(self, change: Change, alloc: str) -> AllocRecord:
        return replace(
            self._existing(alloc),
            desired=Desired.STOP,
            desired_description=change.stop_description,
            migrate=False,
            modified=self.stamp.now,
            modified_index=self.state.modify_index,
        )

    def _placed(self, change: Change, previous: str) -> AllocRecord:
        if change.resumed:
            return self._existing(change.alloc)
        deployment = _active(self.state)
        before = self.state.alloc(previous)
        failed = before is not None and before.client is ClientStatus.FAILED
        return AllocRecord(
            id=self.stamp.ids(),
            name=change.name,
            group=change.group,
            node=change.node,
            node_id=self.stamp.nodes.get(change.node, ""),
            job_version=_current(self.state),
            ports=change.ports,
            scores=kept(change.scores),
            evaluation=self._evaluation,
            deployment=deployment.id if deployment else "",
            previous=previous,
            reschedules=before.reschedules + 1 if before and failed else 0,
            created=self.stamp.now,
            modified=self.stamp.now,
            created_index=self.state.modify_index,
            modified_index=self.state.modify_index,
        )

    def _start(self, change: Change, record: AllocRecord) -> Start:
        version = self.state.version(record.job_version)
        images = version.images if version else dict[str, str]()
        return Start(alloc=record, images=images, **self._common(change))

    def _stop(self, change: Change, record: AllocRecord) -> Stop:
        return Stop(alloc=record, **self._common(change, record))

    def _common(self, change: Change, record: AllocRecord | None = None) -> _Common:
        job = self.plan.job
        if record is not None and (old := self.state.version(record.job_version)) is not None:
            job = old.job
        return {
            "key": self.plan.key,
            "change": change,
            "job": job,
            "index": self.state.modify_index,
        }

    @property
    def _evaluation(self) -> str:
        return self.state.evaluations[-1].id if self.state.evaluations else ""


def tallied(
    deployment: Deployment, allocs: tuple[AllocRecord, ...], job: Job, now: int
) -> Deployment:
    """Return the deployment with its groups' counts as the allocations have them.

    The deadline for progress is the first placement (or the last allocation that became healthy)
    plus `progress_deadline`, as Nomad counts it.
    """
    groups = {
        name: _tallied_group(
            group,
            [a for a in allocs if a.deployment == deployment.id and a.group == name],
            job.group(name),
        )
        for name, group in deployment.groups.items()
    }
    return replace(deployment, groups=groups, modified=now)


def _tallied_group(
    group: DeploymentGroup, allocs: list[AllocRecord], spec: TaskGroup | None
) -> DeploymentGroup:
    healthy = [a for a in allocs if a.healthy]
    deadline = spec.update.progress_deadline if spec and spec.update else 0
    first = min((a.created if a.previous == "" else a.modified for a in allocs), default=0)
    since = max([first, *(a.healthy_at for a in healthy)])
    return replace(
        group,
        placed=len(allocs),
        healthy=len(healthy),
        unhealthy=sum(a.healthy is False for a in allocs),
        require_progress_by=since + deadline if allocs and deadline else 0,
    )


def _current(state: JobState) -> int:
    return state.versions[0].version if state.versions else 0


def _next_version(plan: JobPlan, state: JobState, stamp: Stamp) -> JobVersion | None:
    if not plan.registers:
        return None
    old = state.current
    # Where versions were lost, the allocations still say which numbers were used.
    used = [v.version for v in state.versions] + [a.job_version for a in state.allocs]
    return JobVersion(
        version=max(used, default=-1) + 1,
        index=0,
        submit_time=stamp.now,
        job=plan.job,
        # Stopping copies the flag of the version it stops, as Nomad does.
        stable=bool(old and plan.job.stop and old.stable),
        commit=stamp.commit,
        path=plan.path,
        images={**kept_images(plan.job, state), **stamp.images.get(plan.key, {})},
    )


def _active(state: JobState) -> Deployment | None:
    deployment = state.deployment
    return deployment if deployment is not None and deployment.status.active else None


def _cancelled(plan: JobPlan, state: JobState, stamp: Stamp) -> tuple[Deployment, ...]:
    active = _active(state)
    if active is None or not plan.registers:
        return ()
    return (
        replace(
            active,
            status=DeploymentStatus.CANCELLED,
            description=JOB_STOPPED if plan.job.stop else NEWER_VERSION,
            modified=stamp.now,
        ),
    )


def _deployment(plan: JobPlan, state: JobState, version: int, stamp: Stamp) -> Deployment | None:
    groups = {
        g.name: _planned_group(spec)
        for g in plan.groups
        if (spec := plan.job.group(g.name)) is not None and _deploys(plan, state, g, version)
    }
    if not groups or plan.job.stop or plan.resumes:
        return None
    return Deployment(
        id=stamp.ids(),
        job_version=version,
        groups=groups,
        created=stamp.now,
        modified=stamp.now,
    )


def _planned_group(spec: TaskGroup) -> DeploymentGroup:
    update = spec.update
    return DeploymentGroup(
        desired_total=spec.count,
        auto_revert=update.auto_revert if update else False,
        progress_deadline=update.progress_deadline if update else 0,
    )


def _deploys(plan: JobPlan, state: JobState, group: GroupPlan, version: int) -> bool:
    """Whether the group's changes make a deployment: not for reschedules and replacements."""
    spec = plan.job.group(group.name)
    if spec is None or spec.update is None or not spec.update.max_parallel or not spec.count:
        return False
    if group.count(Action.DESTRUCTIVE) or group.count(Action.IN_PLACE):
        return True
    known = any(a.job_version == version for a in state.allocs) and not plan.registers
    return not known and group.count(Action.CREATE) > 0
