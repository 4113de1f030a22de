"""What dockerd says of containers, as states of tasks and as differences, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.containers import normal
from executors.containers.state import Container, container, look, nanoseconds, stranger_env
from planner.observed import TaskEvent, TaskPhase, TaskState

ID = "d2b34d0053400b58f6e43aa17065ab749b0a91a7df8b78ba85aef0e0ac1e81eb"
OTHER = "16f8790297e59fbf9ef6c5f1c2541ec2a484439ecfa16fb6cf007a1554e3a255"
PORTS = '{"6379/tcp":[{"HostIp":"10.0.0.1","HostPort":"28326"}]}'
SAID = {
    "id": ID,
    "name": "/t-x",
    "image": "sha256:e00748d16e22f94b",
    "status": "running",
    "exit": "0",
    "oom": "false",
    "started": "2026-11-25T14:11:24.175412843Z",
    "finished": "0001-01-01T00:00:00Z",
    "restarts": "0",
    "policy": "always",
    "retries": "0",
    "memory": str(256 << 20),
    "shares": "500",
    "ports": PORTS,
}
BOUND = {
    "id": ID,
    "name": "t-x",
    "image": "sha256:e00748d16e22f94b",
    "policy": "always",
    "memory": str(256 << 20),
    "reservation": "0",
    "shares": "500",
    "ports": normal.ports(PORTS),
    "env": "aaaa",
    "batch": "0",
}
STARTED = 1_795_615_884_175_412_843
RUNNING = TaskState(
    state=TaskPhase.RUNNING, started_at=5, events=(TaskEvent(time=1, type="Received"),)
)


def seen(**more: str) -> Container:
    found = container({**SAID, **more})
    assert found is not None
    return found


def kinds(state: TaskState) -> list[str]:
    return [e.type for e in state.events]


def test_a_running_container_is_a_running_task() -> None:
    found = look(RUNNING, BOUND, seen(), {})
    assert (found.missing, found.changed, found.unattended) == ("", "", False)
    assert found.state.state is TaskPhase.RUNNING
    assert found.state.started_at == STARTED
    assert kinds(found.state) == ["Received"]


def test_what_dockerd_does_not_tell_of_a_running_task_is_as_recorded() -> None:
    recorded = TaskState(
        failed=True,
        restarts=1,
        started_at=2,
        finished_at=3,
        last_restart=4,
        exit_code=5,
        signal=6,
        events=(TaskEvent(time=1, type="Received"),),
    )
    assert None not in [getattr(recorded, f.name) for f in fields(recorded)]

    found = look(recorded, BOUND, seen(), {}).state

    assert found == replace(recorded, state=TaskPhase.RUNNING, started_at=STARTED)


def test_a_restart_by_dockerd_is_told_as_one() -> None:
    there = seen(restarts="2", exit="3", finished="2026-11-25T14:11:23Z")
    found = look(RUNNING, BOUND, there, {})
    assert found.state.restarts == 2
    assert kinds(found.state) == ["Received", "Terminated", "Restarting", "Started"]
    (terminated,) = (e for e in found.state.events if e.type == "Terminated")
    code = "Docker container exited with non-zero exit code: 3"
    assert terminated.message == f'Exit Code: 3, Exit Message: "{code}"'


def test_while_dockerd_waits_to_restart_it_the_task_is_pending() -> None:
    found = look(RUNNING, BOUND, seen(status="restarting", restarts="1", exit="1"), {})
    assert found.state.state is TaskPhase.PENDING
    assert not found.unattended


# policy, retries, exit code, restarts, batch → unattended, or dead and failed
ENDS = [
    ("always", 0, 137, 0, False, "unattended"),
    ("always", 0, 0, 0, False, "unattended"),
    ("no", 0, 0, 0, True, "done"),
    ("no", 0, 1, 0, True, "failed"),
    ("no", 0, 0, 0, False, "failed"),
    ("on-failure", 3, 0, 1, True, "done"),
    ("on-failure", 3, 1, 3, True, "failed"),
    ("on-failure", 3, 137, 1, True, "unattended"),
    ("on-failure", 0, 1, 9, True, "unattended"),
]


@pytest.mark.parametrize(("policy", "retries", "code", "restarts", "batch", "end"), ENDS)
def test_an_exited_container_is_over_only_if_docker_s_policy_says_so(  # noqa: PLR0913, PLR0917
    policy: str, retries: int, code: int, restarts: int, batch: bool, end: str
) -> None:
    there = seen(
        status="exited",
        policy=policy,
        retries=str(retries),
        exit=str(code),
        restarts=str(restarts),
        finished="2026-11-25T14:20:00Z",
    )
    bound = {**BOUND, "policy": policy, "retries": str(retries), "batch": str(int(batch))}
    found = look(RUNNING, bound, there, {})
    assert found.changed == ""
    assert found.unattended == (end == "unattended")
    assert found.state.exit_code == code
    if end != "unattended":
        assert found.state.state is TaskPhase.DEAD
        assert found.state.failed == (end == "failed")


def test_running_out_of_memory_is_told() -> None:
    there = seen(status="exited", policy="no", exit="137", oom="true")
    found = look(RUNNING, {**BOUND, "policy": "no"}, there, {})
    (event,) = (e for e in found.state.events if e.type == "Terminated")
    assert event.message == 'Exit Code: 137, Exit Message: "OOM Killed"'
    assert event.details["oom_killed"] == "true"


def test_a_container_that_is_gone_is_missing_unless_its_task_is_over() -> None:
    assert look(RUNNING, BOUND, None, {}).missing == "its container is gone"
    over = TaskState(state=TaskPhase.DEAD)
    assert look(over, BOUND, None, {}).missing == ""


CHANGES: list[tuple[Mapping[str, str], str]] = [
    ({"memory": str(128 << 20)}, "memory 256 MiB → 128 MiB"),
    ({"memory": "0"}, "memory 256 MiB → none"),
    ({"shares": "0"}, "cpu shares 500 → none"),
    ({"nano_cpus": "500000000"}, "cpus none → 500000000"),
    ({"policy": "no"}, "restart policy always → none"),
    ({"id": OTHER}, "another container has its name: env changed"),
    (
        {"id": OTHER, "image": "sha256:4578de056bfd3ebc"},
        "another container has its name: image e00748d16e22 → 4578de056bfd; env changed",
    ),
    (
        {"id": OTHER, "ports": "{}"},
        "another container has its name: env changed; ports 10.0.0.1:28326->6379/tcp → none",
    ),
]


@pytest.mark.parametrize(("other", "words"), CHANGES)
def test_what_differs_is_said(other: Mapping[str, str], words: str) -> None:
    assert look(RUNNING, BOUND, seen(**other), {OTHER: "bbbb"}).changed == words


def test_the_same_form_comes_from_an_inspection_and_from_a_probe() -> None:
    inspected = {
        "Id": ID,
        "Name": "/t-x",
        "Image": SAID["image"],
        "Config": {"Env": ["B=2", "A=1"]},
        "HostConfig": {
            "Memory": 256 << 20,
            "CpuShares": 500,
            "PidsLimit": None,
            "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
            "PortBindings": json.loads(PORTS),
        },
    }
    bound = normal.of_inspection(inspected)
    assert bound["env"] == stranger_env('["A=1","B=2"]')
    assert look(RUNNING, bound, seen(), {}).changed == ""


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-25T14:11:24.175412843Z", STARTED),
        ("2026-11-25T15:11:24.175412843+01:00", STARTED),
        ("2026-11-25T14:11:24Z", STARTED // 10**9 * 10**9),
        ("0001-01-01T00:00:00Z", 0),
        ("soon", 0),
    ],
)
def test_times_are_nanoseconds(text: str, time: int) -> None:
    assert nanoseconds(text) == time


@given(st.dictionaries(st.sampled_from([*SAID, "x"]) | st.text(max_size=9), st.text(max_size=40)))
def test_whatever_a_host_says_is_a_container_or_nothing(said: dict[str, str]) -> None:
    found = container({**said, "id": ID, "name": "/t-x"})
    assert found is not None
    look(RUNNING, BOUND, found, {})
    assert found.ports >= frozenset()
    assert container(said) is None or said
