"""From a job's group and a decided allocation to what a host is asked to start. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from executors.containers import pause
from executors.containers.made import Made
from executors.containers.settings import (
    Creation,
    HostLimits,
    Origin,
    TaskSpec,
    network_creation,
)
from executors.containers.storage import Storage
from executors.driver import ConfigError, TaskContext, find_command
from executors.environment import Inside, Placement, environment
from executors.fleet import JobFence
from executors.guard import ContainerStart, StartRequest, StopRequest, TaskStart, UpdateRequest
from executors.interpolation import node_values
from executors.taskfiles import Record, TaskPolicy, task_dir_name
from planner.capacity import asked
from planner.fingerprint import spec_hash
from planner.job import POSTSTOP, SECOND, Job, Task, TaskGroup
from planner.lifecycle import has_poststop, hook_of, is_sidecar, runs_once, waits
from planner.observed import Node, NodeResources
from planner.recorded import AllocRecord

_DONE_WHEN_ZERO = ("batch", "sysbatch")
# The driver whose tasks are containers, not commands.
_CONTAINED = "docker"
# How long, in ns, a stop waits for tasks that begin with it.
_POSTSTOP_TIME = 300 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An allocation of a job version at ledger position `index`, and the node it is placed on."""

    cluster: str
    fence: JobFence
    job: Job
    group: TaskGroup
    alloc: AllocRecord
    index: int
    node: Node


def start_request(decided: Decided, data_dir: str) -> StartRequest:
    """What to start; `data_dir` is the absolute one a probe told.

    Raises `ConfigError` for a task whose driver or config can't be used.
    """
    node, reserved = decided.node, decided.node.reserved
    return StartRequest(
        fence=decided.fence,
        record=record(decided),
        limits=NodeResources(
            cpu=node.resources.cpu - reserved.cpu,
            memory_mb=node.resources.memory_mb - reserved.memory_mb,
            disk_mb=node.resources.disk_mb - reserved.disk_mb,
        ),
        tasks=tuple(
            _task_start(t, decided, data_dir) for t in decided.group.tasks if t.driver != _CONTAINED
        ),
    )


def container_specs(
    decided: Decided, data_dir: str, *, privileged: bool = False
) -> tuple[TaskSpec, ...]:
    """What the containers of an allocation are made from: those of its tasks that are some."""
    tasks = [t for t in decided.group.tasks if t.driver == _CONTAINED]
    return tuple(_container_spec(t, decided, data_dir, privileged=privileged) for t in tasks)


def with_containers(request: StartRequest, decided: Decided, made: Sequence[Made]) -> StartRequest:
    """The request with what was made: its tasks' containers, and that of their network."""
    tasks = {t.name: t for t in decided.group.tasks}
    at_once = TaskPolicy(kill_timeout=0)
    networks = [ContainerStart(name="", bound=m.bound, policy=at_once) for m in made if not m.task]
    return replace(
        request,
        containers=tuple(
            ContainerStart(name=m.task, bound=m.bound, policy=policy(tasks[m.task], decided))
            for m in made
            if m.task
        ),
        network=networks[0] if networks else None,
    )


def shared_network(decided: Decided, specs: Sequence[TaskSpec]) -> Creation | None:
    """The container that holds the network of a group in bridge mode; None in other modes.

    Raises `ConfigError` where a task can't share it, or the host can't run it.
    """
    group, node = decided.group, decided.node
    if not group.networks or group.networks[0].mode != "bridge":
        return None
    if len(specs) != len(group.tasks):
        raise ConfigError(f"group {group.name!r}: only docker tasks share a network in bridge mode")
    if not pause.is_known(node.attributes.get("cpu.arch", "")):
        raise ConfigError(f"{node.name}: no bridge mode on this kind of processor")
    return network_creation(group, specs[0].origin, decided.alloc.ports, node.address)


def stop_request(decided: Decided) -> StopRequest:
    """What to stop."""
    tasks = decided.group.tasks
    longest = max((t.kill_timeout + t.shutdown_delay for t in tasks), default=0)
    # Leaders end before the others begin to, and those before sidecars.
    patience = 3 * longest + (decided.group.shutdown_delay or 0)
    if has_poststop(decided.group):
        patience += _POSTSTOP_TIME
    return StopRequest(fence=decided.fence, record=record(decided), patience=patience)


def update_request(decided: Decided) -> UpdateRequest:
    """What to write beside an allocation that goes on running."""
    policies = {t.name: policy(t, decided) for t in decided.group.tasks}
    return UpdateRequest(fence=decided.fence, record=record(decided), policies=policies)


def record(decided: Decided) -> Record:
    """What the host keeps of it. The token is the allocation's id, which is drawn once."""
    group, alloc = decided.group, decided.alloc
    ask = asked(group)
    return Record(
        alloc_id=alloc.id,
        cluster=decided.cluster,
        token=alloc.id,
        job_id=decided.job.id,
        namespace=decided.job.namespace,
        group=group.name,
        name=alloc.name,
        version=alloc.job_version,
        index=decided.index,
        created=alloc.created,
        cpu=ask.cpu,
        memory_mb=ask.memory_mb,
        disk_mb=ask.disk_mb,
        ports={p.label: p.value for p in alloc.ports},
        spec=spec_hash(decided.job, group.name),
    )


def policy(task: Task, decided: Decided) -> TaskPolicy:
    """How the supervisor treats a task."""
    hook, sidecar = hook_of(task), is_sidecar(task)
    batch = decided.job.type in _DONE_WHEN_ZERO
    return TaskPolicy(
        restart=task.restart_policy,
        batch=runs_once(task) or hook == POSTSTOP if hook else batch,
        leader=task.leader,
        hook=hook,
        sidecar=sidecar,
        waits=waits(task, decided.group),
        kill_timeout=task.kill_timeout,
        kill_signal=task.kill_signal,
        group_delay=decided.group.shutdown_delay or 0,
        shutdown_delay=task.shutdown_delay,
        logs=task.log_config,
    )


def _task_start(task: Task, decided: Decided, data_dir: str) -> TaskStart:
    root = f"{data_dir}/alloc/{decided.alloc.id}"
    env = environment(_placement(decided, root), task)
    context = TaskContext(
        name=task.name,
        config=task.config,
        env=env,
        values={**node_values(decided.node, decided.job.region), **env},
        task_dir=f"{root}/{task_dir_name(task.name)}",
        user=task.user,
    )
    launch = find_command(task.driver).prepare(context)
    return TaskStart(name=task.name, launch=launch, policy=policy(task, decided))


def _placement(decided: Decided, root: str) -> Placement:
    return Placement(
        job=decided.job,
        group=decided.group,
        alloc_id=decided.alloc.id,
        alloc_name=decided.alloc.name,
        node=decided.node,
        alloc_root=root,
        ports=decided.alloc.ports,
    )


def _container_spec(task: Task, decided: Decided, data_dir: str, *, privileged: bool) -> TaskSpec:
    root = f"{data_dir}/alloc/{decided.alloc.id}"
    node = decided.node
    env = environment(replace(_placement(decided, root), inside=Inside()), task)
    return TaskSpec(
        job=decided.job,
        group=decided.group,
        task=task,
        origin=Origin(
            cluster=decided.cluster,
            alloc_id=decided.alloc.id,
            index=decided.index,
            commit=decided.fence.commit,
        ),
        env=env,
        values={**node_values(node, decided.job.region), **env},
        storage=Storage(alloc_root=root, task_dir=f"{root}/{task_dir_name(task.name)}"),
        limits=HostLimits(
            cpu=node.resources.cpu,
            cores=max(1, node.resources.cores),
            privileged=privileged,
            address=node.address,
        ),
        ports=decided.alloc.ports,
    )
