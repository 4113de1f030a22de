"""From a job's plan to the records that are written before anything happens on a host.

Time and ids come in with the `Stamp`; nothing here is drawn or read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

from planner.action import Action
from planner.annotate import updates
from planner.client import client_description
from planner.deployment import active_deployment, begun, is_trying, tallied
from planner.images import kept_images
from planner.intervention import carried
from planner.job import Job
from planner.node_score import kept
from planner.orders import WATCHER, scaled, told, trigger
from planner.plan import Change, JobPlan
from planner.ports import led_inside
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
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

    The run takes the job; a deployment of an older version that still runs is cancelled. Raises
    an `OrchError` where what somebody asks of the deployment can't be.
    """
    asked = carried(plan.request, state, stamp.now) if plan.request else JobChange(key=plan.key)
    state = state.changed(asked, state.modify_index)
    version = _next_version(plan, state, stamp)
    deployments = (*asked.deployments, *_cancelled(plan, state, stamp))
    number = version.version if version else _current(state)
    deployment = begun(plan, state, number, ids=stamp.ids, now=stamp.now)
    evaluation = Evaluation(
        id=stamp.ids(),
        triggered_by=trigger(plan),
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
        allocs=(*asked.allocs, *told(plan, state)),
        deployments=(*deployments, *((deployment,) if deployment else ())),
        evaluations=(evaluation,),
        run=stamp.run,
        repository=stamp.repository or None,
        scaled=scaled(plan, state, stamp.now),
        answers=asked.answers,
    )


def went_back(plan: JobPlan, state: JobState, version: JobVersion, stamp: Stamp) -> JobChange:
    """Return the begin of the way back: a new version with all that the old one had.

    `plan` is that of the old version's spec, made on `state`. The new version is stable, too.
    """
    change = opened(replace(plan, trigger=WATCHER), state, stamp)
    if change.register is None:
        return change
    return replace(
        change,
        register=replace(
            change.register,
            commit=version.commit,
            path=version.path,
            images=version.images,
            submit_time=version.submit_time,
            stable=version.stable,
        ),
    )


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
    if (active := active_deployment(state)) is not None:
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
        if change.ended:
            record = self._existing(change.alloc)
            return [record], (self._stop(change, record),)
        record = self._told_to_stop(change, change.alloc)
        return [record], () if change.lost else (self._stop(change, record),)

    def _updated(self, change: Change) -> tuple[list[AllocRecord], Chain]:
        old = self._existing(change.alloc)
        deployment = active_deployment(self.state)
        record = replace(
            old,
            job_version=_current(self.state),
            ports=led_inside(old.ports, self.plan.job.group(old.group)),
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
            return self._given_up(change), ()
        record = self._placed(change, previous=change.replaces or change.beside)
        chain: Chain = (self._start(change, record),)
        if change.beside:
            return [replace(self._existing(change.beside), next=record.id), record], chain
        if not change.replaces:
            return [record], chain
        old = replace(self._told_to_stop(change, change.replaces), next=record.id)
        return [old, record], chain if change.lost else (self._stop(change, old), *chain)

    def _given_up(self, change: Change) -> list[AllocRecord]:
        """What is lost is lost, though there is no room for another: it may still come back."""
        lost = change.lost and change.replaces
        return [_lost(self._existing(change.replaces))] if lost else []

    def _replaced(self, change: Change) -> tuple[list[AllocRecord], Chain]:
        if not change.node:
            return [], ()
        record = self._placed(change, previous=change.alloc)
        if change.start_first:
            return [record], (self._start(change, record),)
        old = replace(self._told_to_stop(change, change.alloc), next=record.id)
        return [old, record], (self._stop(change, old), self._start(change, record))

    def _existing(self, alloc: str) -> AllocRecord:
        record = self.state.alloc(alloc)
        if record is None:
            raise LookupError(f"{self.plan.key}: allocation {alloc} is not recorded")
        return record

    def _told_to_stop(self, change: Change, alloc: str) -> AllocRecord:
        record = self._existing(alloc)
        if change.lost:
            record = _lost(record)
        return replace(
            record,
            desired=Desired.STOP,
            desired_description=change.stop_description,
            migrate=False,
            force_reschedule=False,
            modified=self.stamp.now,
            modified_index=self.state.modify_index,
        )

    def _placed(self, change: Change, previous: str) -> AllocRecord:
        if change.resumed:
            return self._existing(change.alloc)
        before = self.state.alloc(previous)
        failed = before is not None and (
            before.client is ClientStatus.FAILED or bool(change.beside)
        )
        is_canary = self._is_canary(change, before)
        stand_in = self._stands_in(change, before) and not is_canary
        deployment = None if stand_in else active_deployment(self.state)
        return AllocRecord(
            id=self.stamp.ids(),
            name=change.name,
            group=change.group,
            node=change.node,
            node_id=self.stamp.nodes.get(change.node, ""),
            job_version=before.job_version if before and stand_in else _current(self.state),
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
            canary=is_canary,
            starts_first=change.start_first or _was_to_start_first(before),
        )

    def _is_canary(self, change: Change, before: AllocRecord | None) -> bool:
        """Whether it tries the version: what a system job replaces does, until it is promoted."""
        if change.action is Action.CANARY:
            return True
        replaces_one = before is not None and before.canary
        return self._is_trying(change.group) and (
            change.action is Action.DESTRUCTIVE or replaces_one
        )

    def _stands_in(self, change: Change, before: AllocRecord | None) -> bool:
        """Whether it takes an old one's place while canaries try the version: as that was."""
        known = before is not None and self.state.version(before.job_version) is not None
        return known and self._is_trying(change.group)

    def _is_trying(self, group: str) -> bool:
        deployment = active_deployment(self.state)
        progress = deployment.groups.get(group) if deployment else None
        return progress is not None and is_trying(progress)

    def _start(self, change: Change, record: AllocRecord) -> Start:
        version = self.state.version(record.job_version)
        images = version.images if version else dict[str, str]()
        return Start(alloc=record, images=images, **self._common(change, record))

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


def _lost(record: AllocRecord) -> AllocRecord:
    lost = ClientStatus.LOST
    return replace(record, client=lost, client_description=client_description(lost))


def _was_to_start_first(before: AllocRecord | None) -> bool:
    """Whether one takes the place of a successor whose predecessor may still run."""
    return before is not None and before.starts_first and not before.healthy


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
        commit=plan.commit or stamp.commit,
        path=plan.path,
        images={**kept_images(plan.job, state), **stamp.images.get(plan.key, {})},
    )


def _cancelled(plan: JobPlan, state: JobState, stamp: Stamp) -> tuple[Deployment, ...]:
    active = active_deployment(state)
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
