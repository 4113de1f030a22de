from __future__ import annotations

import pytest

from planner.client import client_description, client_status, task_status
from planner.observed import NodeStatus, ObservedAlloc, TaskPhase, TaskState
from planner.recorded import AllocRecord, ClientStatus, Desired

RUNNING = TaskState(state=TaskPhase.RUNNING)
PENDING = TaskState()
DONE = TaskState(state=TaskPhase.DEAD, exit_code=0)
FAILED = TaskState(state=TaskPhase.DEAD, failed=True, exit_code=1)


def record(
    client: ClientStatus = ClientStatus.RUNNING, desired: Desired = Desired.RUN
) -> AllocRecord:
    return AllocRecord(
        id="a1", name="web.api[0]", group="api", node="h1", client=client, desired=desired
    )


def seen(*tasks: TaskState) -> ObservedAlloc:
    named = {f"t{i}": t for i, t in enumerate(tasks)}
    return ObservedAlloc(
        id="a1", node="h1", name="web.api[0]", job_id="web", group="api", tasks=named
    )


@pytest.mark.parametrize(
    ("tasks", "status"),
    [
        ((), ClientStatus.PENDING),
        ((PENDING,), ClientStatus.PENDING),
        ((PENDING, RUNNING), ClientStatus.RUNNING),
        ((RUNNING, DONE), ClientStatus.RUNNING),
        ((RUNNING, FAILED), ClientStatus.FAILED),
        ((DONE, PENDING), ClientStatus.PENDING),
        ((DONE, DONE), ClientStatus.COMPLETE),
    ],
)
def test_tasks_make_the_status(tasks: tuple[TaskState, ...], status: ClientStatus) -> None:
    assert task_status(tasks) is status
    assert client_status(record(), seen(*tasks), NodeStatus.READY) is status


@pytest.mark.parametrize("node", list(NodeStatus))
@pytest.mark.parametrize("end", [ClientStatus.COMPLETE, ClientStatus.FAILED])
def test_a_recorded_end_is_final(end: ClientStatus, node: NodeStatus) -> None:
    assert client_status(record(end), seen(RUNNING), node) is end


@pytest.mark.parametrize("desired", list(Desired))
def test_what_is_lost_is_found_where_its_host_is_back(desired: Desired) -> None:
    lost = record(ClientStatus.LOST, desired)
    assert client_status(lost, seen(RUNNING), NodeStatus.READY) is ClientStatus.RUNNING
    assert client_status(lost, seen(RUNNING), NodeStatus.DOWN) is ClientStatus.LOST


def test_what_was_given_up_ends_as_its_host_says_once_that_is_back() -> None:
    lost = record(ClientStatus.LOST, Desired.STOP)
    assert client_status(lost, seen(RUNNING), NodeStatus.READY) is ClientStatus.RUNNING
    assert client_status(lost, seen(DONE), NodeStatus.READY) is ClientStatus.COMPLETE
    assert client_status(lost, None, NodeStatus.READY) is ClientStatus.LOST
    assert client_status(lost, None, NodeStatus.UNKNOWN) is ClientStatus.LOST


@pytest.mark.parametrize(
    ("client", "desired", "status"),
    [
        (ClientStatus.PENDING, Desired.RUN, ClientStatus.PENDING),
        (ClientStatus.RUNNING, Desired.RUN, ClientStatus.LOST),
        (ClientStatus.RUNNING, Desired.STOP, ClientStatus.COMPLETE),
    ],
)
def test_not_seen_on_a_node_that_answers(
    client: ClientStatus, desired: Desired, status: ClientStatus
) -> None:
    assert client_status(record(client, desired), None, NodeStatus.READY) is status


def test_a_silent_node_makes_it_unknown_and_a_lost_one_lost() -> None:
    assert client_status(record(), None, NodeStatus.UNKNOWN) is ClientStatus.UNKNOWN
    assert client_status(record(), None, NodeStatus.DOWN) is ClientStatus.LOST


def test_each_status_is_described() -> None:
    assert all(client_description(s) for s in ClientStatus)
