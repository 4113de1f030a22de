"""After the ledger was lost: what hosts know becomes records, and nothing is started again."""

from __future__ import annotations

from dataclasses import replace

from executors.sim.clock import EPOCH
from planner.action import Action
from planner.decide import Stamp, opened, wave
from planner.evaluate import Situation, plan_job
from planner.fingerprint import spec_hash
from planner.job import Job, Network, Port
from planner.observed import Node, NodeResources, Observed, ObservedAlloc, TaskPhase, TaskState
from planner.plan import JobPlan
from planner.rebuilt import rebuilt_jobs, rebuilt_nodes
from planner.recorded import ClientStatus, Desired, PortMapping, Recorded
from tests.planner.scenes import batch, group, job, task

RUNNING = TaskState(state=TaskPhase.RUNNING, started_at=1)
DONE = TaskState(state=TaskPhase.DEAD, started_at=1, finished_at=2, exit_code=0)
NODE = Node(
    name="h1",
    id="n1",
    drivers=frozenset({"raw_exec"}),
    resources=NodeResources(cpu=4000, memory_mb=4000, disk_mb=40000, cores=4),
    attributes={"kernel.name": "linux"},
    address="192.0.2.1",
)


def seen(
    spec: Job, index: int = 0, *, version: int = 3, state: TaskState = RUNNING
) -> ObservedAlloc:
    return ObservedAlloc(
        id=f"alloc-{index}",
        node="h1",
        name=f"web.api[{index}]",
        job_id="web",
        group="api",
        index=7,
        version=version,
        cpu=100,
        memory_mb=64,
        ports={"http": 80},
        tasks={"main": state},
        spec=spec_hash(spec, "api"),
        created=5,
    )


def fleet(*allocs: ObservedAlloc) -> Observed:
    return Observed(nodes={"h1": NODE}, allocs={a.id: a for a in allocs})


def planned(spec: Job, observed: Observed) -> JobPlan:
    recorded = Recorded(
        cluster="c", epoch=2, index=9, jobs=rebuilt_jobs(observed, 9), nodes=rebuilt_nodes(observed)
    )
    return plan_job(spec, Situation(recorded=recorded, observed=observed, now=EPOCH))


def actions(plan: JobPlan) -> list[Action]:
    return [c.action for c in plan.changes]


def test_what_hosts_have_becomes_records() -> None:
    stopped = replace(seen(job(), 1, state=DONE), desired="stop")
    state = rebuilt_jobs(fleet(seen(job()), stopped), 9)["web"]
    assert (state.modify_index, state.job_modify_index, state.current) == (9, 9, None)
    alloc, gone = state.allocs
    assert (alloc.id, alloc.node_id, alloc.job_version) == ("alloc-0", "n1", 3)
    assert (alloc.desired, alloc.client) == (Desired.RUN, ClientStatus.RUNNING)
    assert alloc.ports == (PortMapping(label="http", value=80, host_ip="192.0.2.1"),)
    assert (gone.desired, gone.client.terminal) == (Desired.STOP, True)
    assert rebuilt_nodes(fleet())["h1"].id == "n1"


def test_what_runs_the_spec_is_kept() -> None:
    spec = job(group(count=2))
    assert actions(planned(spec, fleet(seen(spec), seen(spec, 1)))) == [Action.IN_PLACE] * 2


def test_where_its_ports_lead_to_comes_back_with_the_spec() -> None:
    asked = (Port(label="http", to=8080),)
    spec = job(group(networks=(Network(mode="host", dynamic_ports=asked),)))
    observed = fleet(seen(spec))
    plan, state = planned(spec, observed), rebuilt_jobs(observed, 9)["web"]
    assert actions(plan) == [Action.IN_PLACE]
    stamp = Stamp(now=EPOCH, ids=iter("abcdef").__next__, run="r")
    state = state.changed(opened(plan, state, stamp), 10)
    (record,) = wave(plan, state, stamp).change.allocs
    assert record.ports == (PortMapping(label="http", value=80, to=8080, host_ip="192.0.2.1"),)


def test_what_changes_in_place_is_still_no_reason() -> None:
    old = job(group(tasks=(task(kill_timeout=1),)))
    assert actions(planned(job(), fleet(seen(old)))) == [Action.IN_PLACE]


def test_what_runs_another_spec_is_replaced() -> None:
    other = job(group(tasks=(task(env={"A": "1"}),)))
    (change,) = planned(job(), fleet(seen(other))).changes
    assert change.action is Action.DESTRUCTIVE
    assert change.reason == "version 3 of the job is no longer kept"


def test_a_host_that_has_no_hash_yet_is_not_believed() -> None:
    unmarked = replace(seen(job()), spec="")
    assert actions(planned(job(), fleet(unmarked))) == [Action.DESTRUCTIVE]


def test_a_batch_that_is_done_is_not_run_again() -> None:
    spec = batch()
    assert actions(planned(spec, fleet(seen(spec, state=DONE)))) == [Action.IGNORE]


def test_versions_go_on_where_they_were() -> None:
    spec = job(group(count=2))
    observed = fleet(seen(spec), seen(spec, 1, version=2))
    plan = planned(spec, observed)
    stamp = Stamp(now=EPOCH, ids=iter("abcdef").__next__, run="r")
    version = opened(plan, rebuilt_jobs(observed, 9)["web"], stamp).register
    assert version is not None
    assert version.version == 4
