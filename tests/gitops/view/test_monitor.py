from __future__ import annotations

from gitops.view.monitor import Monitor
from planner.events import (
    AllocationModified,
    AllocationPlaced,
    AllocationStopped,
    AllocationUnhealthy,
    DeploymentUpdate,
    EvaluationFinished,
    EvaluationStarted,
    Event,
    Message,
)
from planner.failure import PlacementFailure
from planner.recorded import AllocRecord, Deployment, DeploymentGroup

T0 = 1_795_336_857_000_000_000
ALLOC = AllocRecord(
    id="a00fbd5e-bb72", name="shop.web[0]", group="web", node="h1", node_id="906a1a16-949f"
)
DEPLOYMENT = Deployment(
    id="b36becb6-03ce",
    job_version=0,
    groups={"web": DeploymentGroup(desired_total=1, placed=1, require_progress_by=T0)},
)
FAILURE = PlacementFailure(
    nodes_evaluated=1,
    nodes_exhausted=1,
    dimension_exhausted={"memory": 1},
    coalesced_failures=1,
)
EVENTS: tuple[Event, ...] = (
    EvaluationStarted(
        time=T0,
        evaluation="a3906941-b305",
        job_id="shop",
        triggered_by="job-register",
        deployment="b36becb6-03ce",
    ),
    AllocationPlaced(time=T0, job_id="shop", alloc=ALLOC),
    AllocationModified(time=T0, job_id="shop", alloc=ALLOC),
    AllocationStopped(time=T0, job_id="shop", alloc=ALLOC),
    AllocationUnhealthy(time=T0, job_id="shop", alloc=ALLOC, reason="a task\x1b[31m failed"),
    EvaluationFinished(
        time=T0, evaluation="a3906941-b305", job_id="shop", unplaced=(("web", FAILURE),)
    ),
    DeploymentUpdate(time=T0, job_id="shop", deployment=DEPLOYMENT),
    Message(time=T0, text="host h2 did not\nanswer"),
)
TEXT = """\
==> 2026-11-22T08:40:57Z: Monitoring evaluation "a3906941"
    2026-11-22T08:40:57Z: Evaluation triggered by job "shop"
    2026-11-22T08:40:57Z: Evaluation within deployment: "b36becb6"
    2026-11-22T08:40:57Z: Allocation "a00fbd5e" created: node "906a1a16", group "web"
    2026-11-22T08:40:57Z: Allocation "a00fbd5e" modified: node "906a1a16", group "web"
    2026-11-22T08:40:57Z: Allocation "a00fbd5e" stopped: node "906a1a16", group "web"
    2026-11-22T08:40:57Z: Allocation "a00fbd5e" unhealthy: a task failed
==> 2026-11-22T08:40:57Z: Evaluation "a3906941" finished with status "complete" but failed to \
place all allocations:
    2026-11-22T08:40:57Z: Task Group "web" (failed to place 2 allocations):
      * Resources exhausted on 1 nodes
      * Dimension "memory" exhausted on 1 nodes

2026-11-22T08:40:57Z
ID          = b36becb6
Job ID      = shop
Job Version = 0
Status      = running
Description = Deployment is running

Deployed
Task Group  Desired  Placed  Healthy  Unhealthy  Progress Deadline
web         1        1       0        0          2026-11-22T08:40:57Z
    2026-11-22T08:40:57Z: host h2 did not answer"""


def test_each_event_has_its_lines() -> None:
    monitor = Monitor()
    assert "\n".join(line for event in EVENTS for line in monitor.lines(event)) == TEXT


def test_verbose_shows_full_ids() -> None:
    assert 'node "906a1a16-949f"' in Monitor(verbose=True).lines(EVENTS[1])[0]
