"""What stories of rollouts share: a small job, short times, and what is there to be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from executors.outcome import OutcomeKind
from gitops.applying import Result
from gitops.orders import Orders
from planner.job import (
    SECOND,
    Job,
    ReschedulePolicy,
    Resources,
    Task,
    TaskGroup,
    Update,
)
from planner.recorded import AllocRecord, Deployment, DeploymentGroup
from planner.request import Request, Verb
from tests.world import World

QUICK = Update(
    max_parallel=1,
    health_check="task_states",
    min_healthy_time=SECOND,
    healthy_deadline=8 * SECOND,
    progress_deadline=15 * SECOND,
)
PATIENT = ReschedulePolicy()
NEVER = ReschedulePolicy(unlimited=False)


def job(count: int = 3, command: str = "/bin/a", **changes: Any) -> Job:  # noqa: ANN401
    """A job of one group ``g``; `changes` are of its update block, but ``policy`` and ``type``."""
    policy = changes.pop("policy", NEVER)
    kind = changes.pop("type", "service")
    group = TaskGroup(
        name="g",
        count=count,
        update=replace(QUICK, **changes),
        reschedule_policy=policy if kind == "service" else None,
        tasks=(
            Task(
                name="t",
                driver="raw_exec",
                config={"command": command},
                resources=Resources(cpu=100, memory_mb=64),
            ),
        ),
    )
    return Job(id="web", type=kind, task_groups=(group,))


def deployment(world: World) -> Deployment:
    """The latest deployment of the job."""
    found = world.look().recorded.job("web").deployment
    assert found is not None
    return found


def progress(world: World) -> DeploymentGroup:
    """The progress of its group."""
    return deployment(world).groups["g"]


def allocs(world: World, version: int | None = None) -> list[AllocRecord]:
    """What runs, of that version or of any."""
    state = world.look().recorded.job("web")
    found = (a for a in state.allocs if not a.terminal and version in (None, a.job_version))
    return sorted(found, key=lambda a: (a.name, a.job_version))


def shape(world: World) -> list[str]:
    """What runs, as ``index@version``, with a star for canaries."""
    return [f"{a.index}@{a.job_version}{'*' if a.canary else ''}" for a in allocs(world)]


def only(result: Result) -> tuple[OutcomeKind, str]:
    """The end of the only job, in its first line."""
    (outcome,) = result.outcomes
    return outcome.kind, outcome.detail.partition("\n")[0]


def asked(world: World, verb: Verb, spec: Job, **more: Any) -> Result:  # noqa: ANN401
    """Ask something of the latest deployment, and drive `spec` on."""
    request = Request(id=world.fresh_id(), verb=verb, deployment=deployment(world).id, **more)
    return world.apply(spec, orders=Orders(requests={"web": request}, anyway=True))
