"""Tasks to make containers from, as small as they can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from executors.containers.settings import HostLimits, Origin, TaskSpec, creation
from executors.containers.storage import Storage
from planner.job import (
    SECOND,
    Job,
    Network,
    ReschedulePolicy,
    Resources,
    RestartPolicy,
    Task,
    TaskGroup,
)
from planner.recorded import PortMapping

ALLOC = "5aebc768-db04-4a75-543f-0e1a2fea56ef"
ROOT = f"/var/lib/orch/alloc/{ALLOC}"
# Two cores of 2596 MHz.
LIMITS = HostLimits(cpu=5192, cores=2, address="10.0.0.1")


def spec(
    config: Mapping[str, object] | None = None,
    *,
    task: Task | None = None,
    ports: tuple[PortMapping, ...] = (),
    limits: HostLimits = LIMITS,
    mode: str = "",
) -> TaskSpec:
    """A task of a service; `config` goes over the image's name."""
    task = task or Task(
        name="t",
        driver="docker",
        config={"image": "busybox:1.36", **(config or {})},
        resources=Resources(cpu=50, memory_mb=64),
        kill_timeout=5 * SECOND,
    )
    group = TaskGroup(name="g", tasks=(task,), networks=(Network(mode=mode),))
    return TaskSpec(
        job=Job(id="j", task_groups=(group,)),
        group=group,
        task=task,
        origin=Origin(cluster="c", alloc_id=ALLOC, index=7, commit="abc"),
        env={"B": "2", "A": "1"},
        values={"NOMAD_ALLOC_DIR": "/alloc", "attr.kernel.name": "linux"},
        storage=Storage(alloc_root=ROOT, task_dir=f"{ROOT}/t"),
        limits=limits,
        ports=ports,
    )


def body(config: Mapping[str, object] | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """What dockerd is asked to create for such a task."""
    return cast("dict[str, Any]", creation(spec(config, **more)).body)


def host(config: Mapping[str, object] | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """The part about the host."""
    return cast("dict[str, Any]", body(config, **more)["HostConfig"])


def lives(kind: str, restart: RestartPolicy, again: ReschedulePolicy | None) -> tuple[Any, ...]:
    """Job, group and task of that type with those policies."""
    task = Task(name="t", restart_policy=restart)
    group = TaskGroup(name="g", tasks=(task,), reschedule_policy=again)
    return Job(id="j", type=kind, task_groups=(group,)), group, task
