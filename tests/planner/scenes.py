# ruff: noqa: ANN401 - the builders pass on any field
"""Small worlds for the planner's tests: jobs, nodes, and what stands on them after a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from planner.action import Action
from planner.evaluate import Situation, plan_job
from planner.job import Job, ReschedulePolicy, Resources, Task, TaskGroup, Update
from planner.job_key import job_key
from planner.node_record import NodeRecord
from planner.observed import Node, NodeResources, Observed, ObservedAlloc, TaskPhase, TaskState
from planner.plan import Change, GroupPlan, JobPlan
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
    Desired,
    JobState,
    JobVersion,
    Recorded,
)

NOW = 1_000_000_000_000_000
SHORT = {
    Action.CREATE: "create",
    Action.CANARY: "canary",
    Action.DESTRUCTIVE: "replace",
    Action.DESTROY: "destroy",
    Action.IN_PLACE: "update",
    Action.IGNORE: "ignore",
}


def task(**fields: Any) -> Task:
    """A small raw_exec task."""
    values: dict[str, Any] = {
        "name": "main",
        "driver": "raw_exec",
        "config": {"command": "sleep"},
        "resources": Resources(cpu=100, memory_mb=64),
    }
    return Task(**(values | fields))


def group(count: int = 1, **fields: Any) -> TaskGroup:
    """A group of one small task, rolled one by one."""
    values: dict[str, Any] = {
        "name": "api",
        "count": count,
        "update": Update(),
        "reschedule_policy": ReschedulePolicy(),
        "tasks": (task(),),
    }
    return TaskGroup(**(values | fields))


def job(*groups: TaskGroup, **fields: Any) -> Job:
    """A job called web."""
    values: dict[str, Any] = {"id": "web", "name": "web", "task_groups": groups or (group(),)}
    return Job(**(values | fields))


def batch(count: int = 1, **fields: Any) -> Job:
    """A batch job with one small group; it may be rescheduled once."""
    policy = ReschedulePolicy(
        attempts=1, interval=10**14, delay=10**9, delay_function="constant", unlimited=False
    )
    values: dict[str, Any] = {"update": None, "reschedule_policy": policy}
    return job(group(count, **(values | fields)), type="batch")


def node(name: str = "a", **fields: Any) -> Node:
    """A node with room for forty small tasks."""
    values: dict[str, Any] = {
        "id": f"id-{name}",
        "address": "10.0.0.1",
        "attributes": {"kernel.name": "linux", "cpu.frequency": "2000"},
        "drivers": frozenset({"raw_exec"}),
        "resources": NodeResources(cpu=4000, memory_mb=4096, disk_mb=100_000, cores=2),
    }
    return Node(name=name, **(values | fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is recorded and observed, and the steps by which it changes."""

    recorded: Recorded = field(default_factory=Recorded)
    observed: Observed = field(default_factory=Observed)
    now: int = NOW

    @property
    def situation(self) -> Situation:
        """The scene as the planner takes it."""
        return Situation(recorded=self.recorded, observed=self.observed, now=self.now)

    def plan(self, wanted: Job) -> JobPlan:
        """Plan one job."""
        return plan_job(wanted, self.situation)

    def applied(self, wanted: Job) -> Scene:
        """The scene after everything of one plan has been carried out and is healthy."""
        return self.after(self.plan(wanted))

    def converged(self, wanted: Job) -> Scene:
        """The scene after plans have been carried out until one is empty."""
        scene = self
        for _ in range(50):
            if scene.plan(wanted).empty:
                break
            scene = scene.applied(wanted)
        return scene

    def after(self, plan: JobPlan) -> Scene:
        """The scene after everything of `plan` has been carried out and is healthy."""
        state = self.recorded.job(plan.key)
        if plan.registers:
            state = _registered(state, plan.job, self.recorded.index + 1)
        allocs = {a.id: a for a in state.allocs}
        seen = dict(self.observed.allocs)
        for change in plan.changes:
            _carry_out(change, plan.job, state, allocs, seen)
        state = replace(state, allocs=tuple(allocs.values()))
        recorded = replace(
            self.recorded,
            jobs={**self.recorded.jobs, plan.key: state},
            index=self.recorded.index + 1,
        )
        return replace(self, recorded=recorded, observed=replace(self.observed, allocs=seen))

    def state(self, key: str = "web") -> JobState:
        """The records of one job."""
        return self.recorded.job(key)

    def with_state(self, **fields: Any) -> Scene:
        """The scene with other records of job web."""
        state = replace(self.state(), **fields)
        jobs = {**self.recorded.jobs, state.key: state}
        return replace(self, recorded=replace(self.recorded, jobs=jobs))

    def with_record(self, name: str, /, **fields: Any) -> Scene:
        """The scene with other fields in the records of job web that have this name."""
        allocs = (replace(a, **fields) if a.name == name else a for a in self.state().allocs)
        return self.with_state(allocs=tuple(allocs))

    def with_seen(self, name: str, /, **fields: Any) -> Scene:
        """The scene in which a host shows something else of the allocations of this name."""
        allocs = self.observed.allocs.items()
        seen = {i: replace(a, **fields) if a.name == name else a for i, a in allocs}
        return replace(self, observed=replace(self.observed, allocs=seen))

    def without_seen(self, name: str) -> Scene:
        """The scene in which no host shows anything of the allocations of this name."""
        seen = {i: a for i, a in self.observed.allocs.items() if a.name != name}
        return replace(self, observed=replace(self.observed, allocs=seen))

    def with_node(self, host: str, **fields: Any) -> Scene:
        """The scene with another look of one node."""
        nodes = {**self.observed.nodes, host: replace(self.observed.nodes[host], **fields)}
        return replace(self, observed=replace(self.observed, nodes=nodes))

    def joined(self, new: Node) -> Scene:
        """The scene with one node more."""
        fleet = {**self.observed.nodes, new.name: new}
        return replace(self, observed=replace(self.observed, nodes=fleet))

    def without_node(self, host: str) -> Scene:
        """The scene after a host has left the inventory."""
        nodes = {n: v for n, v in self.observed.nodes.items() if n != host}
        return replace(self, observed=replace(self.observed, nodes=nodes))

    def with_deployment(self, **fields: Any) -> Scene:
        """The scene with one deployment of job web, to which all its allocations belong."""
        deployment = Deployment(id="deploy-1", **fields)
        allocs = tuple(replace(a, deployment="deploy-1") for a in self.state().allocs)
        return self.with_state(deployments=(deployment,), allocs=allocs)

    def barred(self, host: str) -> Scene:
        """The scene in which a node is recorded as not eligible."""
        records = {host: NodeRecord(id=f"id-{host}", name=host, eligible=False)}
        return replace(self, recorded=replace(self.recorded, nodes=records))


def scene(*nodes: Node) -> Scene:
    """A fleet on which nothing runs; one node where none is given."""
    fleet = {n.name: n for n in nodes or (node(),)}
    return Scene(observed=Observed(nodes=fleet))


def nodes(*names: str) -> list[Node]:
    """Several equal nodes."""
    return [node(name) for name in names]


RUNNING: Mapping[str, TaskState] = {"main": TaskState(state=TaskPhase.RUNNING, started_at=NOW)}


def ended(*, failed: bool, at: int = NOW) -> Mapping[str, TaskState]:
    """The tasks of an allocation that has ended."""
    return {"main": TaskState(state=TaskPhase.DEAD, failed=failed, started_at=1, finished_at=at)}


def _registered(state: JobState, wanted: Job, index: int) -> JobState:
    number = state.versions[0].version + 1 if state.versions else 0
    version = JobVersion(version=number, index=index, submit_time=0, job=wanted)
    return replace(
        state, versions=(version, *state.versions), job_modify_index=index, modify_index=index
    )


def _carry_out(
    change: Change,
    wanted: Job,
    state: JobState,
    allocs: dict[str, AllocRecord],
    seen: dict[str, ObservedAlloc],
) -> None:
    version = state.versions[0].version if state.versions else 0
    takes_over = change.node and (change.action is Action.DESTRUCTIVE or change.replaces)
    if change.action is Action.DESTROY or takes_over:
        _stop(change.replaces or change.alloc, allocs, seen)
    if change.action is Action.IN_PLACE:
        allocs[change.alloc] = replace(allocs[change.alloc], job_version=version)
        seen[change.alloc] = replace(seen[change.alloc], version=version)
    if change.action in (Action.CREATE, Action.DESTRUCTIVE, Action.CANARY) and change.node:
        _start(change, wanted, version, allocs, seen)


def _stop(alloc: str, allocs: dict[str, AllocRecord], seen: dict[str, ObservedAlloc]) -> None:
    allocs[alloc] = replace(allocs[alloc], desired=Desired.STOP)
    seen.pop(alloc, None)


def _start(
    change: Change,
    wanted: Job,
    version: int,
    allocs: dict[str, AllocRecord],
    seen: dict[str, ObservedAlloc],
) -> None:
    alloc = change.alloc if change.resumed else f"{wanted.id}-{len(allocs):04}"
    allocs[alloc] = AllocRecord(
        id=alloc,
        name=change.name,
        group=change.group,
        node=change.node,
        job_version=version,
        ports=change.ports,
        client=ClientStatus.RUNNING,
        healthy=True,
        previous=change.replaces,
        created=NOW,
        created_index=len(allocs),
    )
    seen[alloc] = ObservedAlloc(
        id=alloc,
        node=change.node,
        name=change.name,
        namespace=wanted.namespace,
        job_id=wanted.id,
        group=change.group,
        version=version,
        ports={p.label: p.value for p in change.ports},
        tasks=RUNNING,
    )


def counts(plan: JobPlan | GroupPlan) -> dict[str, int]:
    """How many changes of each kind a plan has."""
    found = [SHORT[c.action] for c in plan.changes]
    return {word: found.count(word) for word in dict.fromkeys(found)}


def names(changes: Iterable[Change], action: Action) -> list[str]:
    """The names that have this action, without what all of them begin with."""
    return [c.name.partition(".")[2] for c in changes if c.action is action]


def only(plan: JobPlan, action: Action) -> Change:
    """The one change of that kind."""
    (found,) = (c for c in plan.changes if c.action is action)
    return found


def key(wanted: Job) -> str:
    """The key under which a job is recorded."""
    return job_key(wanted.id, wanted.namespace)
