"""Random jobs and random edits of them; what a task does stands in its config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from executors.sim.behaviour import Behaviour, Behaviours, Exit, Reaction, ended_by
from executors.sim.disk import Kept
from planner.job import (
    SECOND,
    Check,
    Disconnect,
    Job,
    Migrate,
    Network,
    Port,
    ReschedulePolicy,
    Resources,
    RestartPolicy,
    Service,
    Task,
    TaskGroup,
    Update,
)
from tests.simulate.chance import Chance

# What the environment of every task holds, and nothing else ever may.
SECRET = "correct-horse-battery"

_FOR_EVER = Behaviour(reactions={"SIGINT": Reaction(exit=ended_by(2), after=SECOND // 5)})
_BEHAVIOURS: Mapping[str, Behaviour] = {
    "steady": _FOR_EVER,
    "stubborn": Behaviour(reactions={"SIGINT": None}),
    "crashes": Behaviour(lasts=SECOND, exit=Exit(code=1)),
    "sick": replace(_FOR_EVER, passes=False),
    "completes": Behaviour(lasts=8 * SECOND),
    "fails": Behaviour(lasts=5 * SECOND, exit=Exit(code=3)),
}
_SERVICES = ("steady", "steady", "steady", "steady", "stubborn", "crashes", "sick")
_BATCHES = ("completes", "completes", "fails", "steady")


def nature(_: Kept) -> Behaviours:
    """What a task does is what its config says."""
    return lambda task, _: _BEHAVIOURS[str(task.config["command"])]


def random_job(chance: Chance, job_id: str, types: tuple[str, ...]) -> Job:
    kind = chance.one_of(types)
    if chance.stream(f"system {job_id}").happens(0.2):
        kind = "sysbatch" if kind == "batch" else "system"
    groups = ("web",) if chance.happens(0.75) else ("web", "side")
    return Job(
        id=job_id,
        name=job_id,
        type=kind,
        priority=chance.one_of((40, 50, 60)),
        task_groups=tuple(
            replace(
                _group(chance, name, kind),
                disconnect=_disconnect(chance.stream(f"{job_id} {name} is cut off"), kind),
                migrate=_migrate(chance.stream(f"{job_id} {name} migrates"), kind),
            )
            for name in groups
        ),
    )


def edited(chance: Chance, job: Job) -> Job:
    """Change something of the job, as somebody would."""
    groups = list(job.task_groups)
    i = chance.number(0, len(groups) - 1)
    groups[i] = _edited_group(chance, groups[i], job.type)
    return replace(job, task_groups=tuple(groups))


def _edited_group(chance: Chance, group: TaskGroup, kind: str) -> TaskGroup:
    what = chance.number(0, 5)
    if what == 0 and not kind.startswith("sys"):
        return replace(group, count=chance.number(0, 4))
    if what == 1 and group.update is not None:
        return replace(group, update=_update(chance))
    (task,) = group.tasks
    if what == 2:
        resources = replace(task.resources, memory_mb=chance.one_of((64, 128, 256)))
        return replace(group, tasks=(replace(task, resources=resources),))
    if what == 3:
        # in place
        return replace(group, tasks=(replace(task, kill_timeout=chance.number(2, 6) * SECOND),))
    config = {**task.config, "command": _command(chance, kind), "args": [str(chance.number(0, 9))]}
    return replace(group, tasks=(replace(task, config=config),))


def _command(chance: Chance, kind: str) -> str:
    return chance.one_of(_BATCHES if "batch" in kind else _SERVICES)


def _group(chance: Chance, name: str, kind: str) -> TaskGroup:
    networks: tuple[Network, ...] = ()
    services: tuple[Service, ...] = ()
    if chance.happens(0.5):
        static = chance.happens(0.2)
        port = Port(label="http", value=8080) if static else Port(label="http")
        ports = (port,)
        networks = (Network(reserved_ports=ports) if static else Network(dynamic_ports=ports),)
        check = Check(name="alive", type="tcp", interval=2 * SECOND, timeout=SECOND)
        services = (Service(name=name, port_label="http", checks=(check,)),)
    return TaskGroup(
        name=name,
        count=1 if kind.startswith("sys") else chance.number(1, 4),
        update=_update(chance) if kind in ("service", "system") else None,
        reschedule_policy=_reschedule(chance) if kind in ("service", "batch") else None,
        networks=networks,
        services=services,
        tasks=(_task(chance, kind),),
    )


def _disconnect(chance: Chance, kind: str) -> Disconnect | None:
    if kind.startswith("sys") or chance.happens(0.75):
        return None
    return Disconnect(
        lost_after=chance.number(15, 60) * SECOND,
        replace=chance.happens(0.7),
        reconcile=chance.one_of(
            ("best_score", "longest_running", "keep_original", "keep_replacement")
        ),
    )


def _migrate(chance: Chance, kind: str) -> Migrate | None:
    if kind != "service" or chance.happens(0.3):
        return None
    return Migrate(
        max_parallel=chance.number(1, 2),
        min_healthy_time=chance.number(1, 8) * SECOND,
        healthy_deadline=chance.number(15, 30) * SECOND,
    )


def _task(chance: Chance, kind: str) -> Task:
    return Task(
        name="main",
        driver="raw_exec",
        config={"command": _command(chance, kind)},
        env={"PASSWORD": SECRET},
        resources=Resources(cpu=100, memory_mb=chance.one_of((64, 128, 256))),
        restart_policy=RestartPolicy(
            attempts=chance.number(0, 2), interval=60 * SECOND, delay=chance.number(1, 3) * SECOND
        ),
        kill_timeout=chance.number(2, 5) * SECOND,
    )


def _update(chance: Chance) -> Update:
    canary = chance.one_of((0, 0, 0, 1, 2))
    return Update(
        max_parallel=chance.one_of((0, 1, 1, 2, 3)),
        min_healthy_time=chance.number(1, 4) * SECOND,
        healthy_deadline=chance.number(15, 30) * SECOND,
        progress_deadline=chance.number(40, 60) * SECOND,
        auto_revert=chance.happens(0.4),
        canary=canary,
        auto_promote=canary > 0 and chance.happens(0.7),
    )


def _reschedule(chance: Chance) -> ReschedulePolicy:
    unlimited = chance.happens(0.5)
    return ReschedulePolicy(
        attempts=0 if unlimited else chance.number(0, 2),
        interval=0 if unlimited else 300 * SECOND,
        delay=chance.number(5, 10) * SECOND,
        delay_function=chance.one_of(("constant", "exponential", "fibonacci")),
        max_delay=40 * SECOND,
        unlimited=unlimited,
    )


def steady(job: Job) -> Job:
    """The job, with tasks that do what they should."""
    command = "completes" if "batch" in job.type else "steady"
    groups = tuple(
        replace(g, tasks=tuple(replace(t, config={"command": command}) for t in g.tasks))
        for g in job.task_groups
    )
    return replace(job, task_groups=groups)


def touched(job: Job) -> Job:
    """The job, with all tasks to be replaced."""
    groups = tuple(
        replace(g, tasks=tuple(replace(t, env={**t.env, "TOUCHED": "1"}) for t in g.tasks))
        for g in job.task_groups
    )
    return replace(job, task_groups=groups)


def fitting(job: Job) -> Job:
    """The job, so small that there is room for it, and so that nobody has to promote it."""
    groups = tuple(
        replace(
            g,
            count=min(g.count, 2),
            networks=(Network(dynamic_ports=(Port(label="http"),)),) if g.networks else (),
            update=replace(g.update, auto_promote=g.update.canary > 0) if g.update else None,
            tasks=tuple(replace(t, resources=Resources(cpu=50, memory_mb=64)) for t in g.tasks),
        )
        for g in job.task_groups
    )
    return replace(job, task_groups=groups)
