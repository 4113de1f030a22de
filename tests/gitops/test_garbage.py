"""What can go, and what stays: decided without a host."""

from __future__ import annotations

from dataclasses import replace

from executors.containers.state import Container
from executors.probe import HostFence, Probe
from gitops.garbage import Item, Kind, Left, found, unrecorded_live
from gitops.ledger.journal import RunInfo
from gitops.ledger.protocol import RunHead, Snapshot
from planner.job import Job
from planner.observed import Node, NodeStatus, Observed, ObservedAlloc
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Desired,
    JobState,
    JobVersion,
    Recorded,
)
from planner.retention import garbage

STOPPED = AllocRecord(
    id="stopped",
    name="web.g[0]",
    group="g",
    node="h1",
    desired=Desired.STOP,
    client=ClientStatus.COMPLETE,
)
LIVE = AllocRecord(id="live", name="web.g[0]", group="g", node="h1", client=ClientStatus.RUNNING)


def state(*allocs: AllocRecord, job: Job | None = None, key: str = "web") -> JobState:
    version = JobVersion(version=0, index=3, submit_time=0, job=job or Job(id=key, name=key))
    return JobState(key=key, modify_index=5, versions=(version,), allocs=allocs)


def seen(alloc_id: str, *, desired: str = "stop", job: str = "web") -> ObservedAlloc:
    return ObservedAlloc(
        id=alloc_id, node="h1", name=f"{job}.g[0]", job_id=job, group="g", desired=desired
    )


def left(
    *jobs: JobState,
    allocs: tuple[ObservedAlloc, ...] = (),
    probe: Probe | None = None,
    status: NodeStatus = NodeStatus.READY,
    runs: tuple[RunHead, ...] = (),
) -> Left:
    recorded = Recorded(cluster="c", epoch=1, index=20, jobs={s.key: s for s in jobs})
    return Left(
        snapshot=Snapshot(recorded=recorded, head="h", runs={r.id: r for r in runs}),
        observed=Observed(
            nodes={"h1": Node(name="h1", id="n1", status=status)}, allocs={a.id: a for a in allocs}
        ),
        probes={"h1": probe or Probe(host="h1")},
        cluster="c",
    )


def names(items: list[Item]) -> list[tuple[Kind, str]]:
    return [(i.kind, i.id) for i in items]


def ids(job: JobState) -> list[str]:
    return [a.id for a in garbage(job)]


# -- of recorded allocations ----------------------------------------------------------------------


def test_what_was_stopped_and_has_ended_can_go() -> None:
    assert ids(state(LIVE, STOPPED)) == ["stopped"]
    assert ids(state(replace(STOPPED, client=ClientStatus.RUNNING))) == []
    assert ids(state(replace(STOPPED, client=ClientStatus.UNKNOWN))) == []
    # One that failed may be due to be placed again.
    failed = replace(LIVE, client=ClientStatus.FAILED)
    assert ids(state(failed)) == []


def test_what_one_was_rescheduled_from_stays_step_by_step() -> None:
    first = replace(STOPPED, id="a", client=ClientStatus.FAILED)
    second = replace(STOPPED, id="b", client=ClientStatus.FAILED, previous="a")
    third = replace(LIVE, id="c", previous="b", reschedules=2)
    assert ids(state(first, second, third, STOPPED)) == ["stopped"]
    updated = replace(third, reschedules=0)
    assert ids(state(first, second, updated)) == ["a", "b"]
    over = replace(third, desired=Desired.STOP, client=ClientStatus.COMPLETE)
    assert ids(state(first, second, over)) == ["a", "b", "c"]


def test_batch_jobs_know_by_their_allocations_that_they_have_run() -> None:
    batch = Job(id="web", name="web", type="batch")
    assert ids(state(STOPPED, job=batch)) == []
    assert ids(state(STOPPED, job=replace(batch, stop=True))) == ["stopped"]


def test_nothing_goes_of_a_job_that_a_run_holds() -> None:
    held = replace(state(STOPPED), run="r1")
    assert names(found(left(state(LIVE, STOPPED)), (), 0)) == [(Kind.ALLOCATION, "stopped")]
    assert found(left(held, allocs=(seen("other"),)), (), 0) == []


def test_nothing_goes_where_the_host_is_not_seen() -> None:
    assert found(left(state(LIVE, STOPPED), status=NodeStatus.UNKNOWN), (), 0) == []


# -- of what hosts show ---------------------------------------------------------------------------


def test_what_nobody_has_recorded_goes_only_if_it_was_stopped() -> None:
    both = left(
        state(LIVE), allocs=(seen("live", desired="run"), seen("x"), seen("y", desired="run"))
    )
    (item,) = found(both, (), 0)
    assert (item.id, item.recorded) == ("x", False)
    assert unrecorded_live(both) == ["web.g[0]"]


def test_the_fence_that_stands_is_the_one_that_is_shown() -> None:
    probe = Probe(host="h1", fences={"web": HostFence(epoch=1, index=4, commit="c4")})
    (item,) = found(left(state(STOPPED), probe=probe), (), 0)
    assert item.fence is not None
    assert (item.fence.epoch, item.fence.index, item.fence.commit) == (1, 4, "c4")
    floor = Probe(host="h1", floor=HostFence(epoch=1, index=9))
    (item,) = found(left(state(STOPPED), probe=floor), (), 0)
    assert item.fence is not None
    assert item.fence.index == 9


def container(status: str, cluster: str = "c", alloc: str = "x") -> Container:
    said = {"status": status, "cluster": cluster, "alloc": alloc}
    return Container(id="0123456789ab", name="t-x", said=said)


def test_containers_go_that_no_allocation_is_waiting_for() -> None:
    def of(each: Container, *jobs: JobState) -> list[tuple[Kind, str]]:
        return names(found(left(*jobs, probe=Probe(host="h1", idle=(each,))), (), 0))

    gone = [(Kind.CONTAINER, "0123456789ab")]
    assert of(container("created"), state(LIVE)) == gone
    assert of(container("created", alloc="stopped"), state(STOPPED))[1:] == gone
    assert of(container("created", alloc="live"), state(LIVE)) == []
    assert of(container("exited", cluster="other")) == []
    assert of(container("exited", cluster="")) == []


def test_fences_go_of_jobs_of_which_nothing_is_left() -> None:
    fences = {
        "web": HostFence(epoch=1, index=4),
        "gone": HostFence(epoch=1, index=6),
        "there": HostFence(epoch=1, index=7),
        "late": HostFence(epoch=1, index=12),
    }
    probe = Probe(host="h1", fences=fences)
    purged = JobState(key="gone", modify_index=9)
    running = (seen("y", desired="run", job="there"),)
    items = found(left(state(LIVE), purged, allocs=running, probe=probe), (), 0)
    assert names(items) == [(Kind.FENCE, "gone"), (Kind.FENCE, "late")]
    # A run that began at 10 may still have to raise its fence here, above the floor.
    held = replace(state(key="api"), run="r1", modify_index=10)
    items = found(left(state(LIVE), purged, held, allocs=running, probe=probe), (), 0)
    assert names(items) == [(Kind.FENCE, "gone")]


def test_a_fence_goes_with_the_last_allocation_of_its_job() -> None:
    probe = Probe(host="h1", fences={"old": HostFence(epoch=1, index=6)})
    items = found(left(allocs=(seen("x", job="old"),), probe=probe), (), 0)
    assert names(items) == [(Kind.ALLOCATION, "x"), (Kind.FENCE, "old")]


def test_runs_go_that_are_over_and_hold_nothing() -> None:
    run = RunHead(info=RunInfo(id="r1", holder="ann@box", started=0), head="h")
    assert found(left(runs=(run,)), (), 0) == []
    assert names(found(left(runs=(run,)), ("r1",), 0)) == [(Kind.RUN, "r1")]
    held = replace(state(LIVE), run="r1")
    assert found(left(held, runs=(run,)), ("r1",), 0) == []
