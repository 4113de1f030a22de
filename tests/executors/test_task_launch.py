from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.driver import ConfigError, TaskContext, find_command
from executors.environment import Placement, environment
from executors.fleet import JobFence
from executors.interpolation import unknown_references, with_values
from executors.launch import Decided, start_request, stop_request, update_request
from executors.raw_exec import RawExec
from executors.taskfiles import TaskPolicy, bundle, policy_text
from planner.durations import duration
from planner.errors import OrchError
from planner.job import MINUTE, SECOND, Job, Resources, RestartPolicy, Task, TaskGroup
from planner.observed import Node, NodeResources
from planner.recorded import AllocRecord, PortMapping

ID = "29d53dba-5377-b86a-4299-932872266b29"
NODE = Node(
    name="n1",
    id="node-id",
    datacenter="dc1",
    address="10.0.0.7",
    attributes={"kernel.name": "linux"},
    meta={"rack": "r1"},
    resources=NodeResources(cpu=4000, memory_mb=8000, disk_mb=9000),
    reserved=NodeResources(cpu=100, memory_mb=200, disk_mb=300),
)
TASK = Task(
    name="t",
    driver="raw_exec",
    config={"command": "/bin/sh", "args": ("-c", "echo ${NOMAD_PORT_web} ${attr.kernel.name}")},
    resources=Resources(cpu=50, memory_mb=64),
    meta={"who": "task"},
    env={
        "NODE": "${node.unique.name}/${meta.rack}",
        "ODD": "${nothing} $X",
        "WHO": "${NOMAD_META_who}",
    },
)
GROUP = TaskGroup(name="g", tasks=(TASK,), meta={"who": "group", "zone-a": "z"})
JOB = Job(id="web", name="web", task_groups=(GROUP,), meta={"who": "job", "only": "job"})
PORTS = (
    PortMapping(label="web", value=23081),
    PortMapping(label="static-p", value=8080, to=5000, host_ip="::1"),
)
PLACE = Placement(
    job=JOB,
    group=GROUP,
    alloc_id=ID,
    alloc_name="web.g[3]",
    node=NODE,
    alloc_root="/data/alloc/x",
    ports=PORTS,
)
DECIDED = Decided(
    cluster="c1",
    fence=JobFence(key="web", epoch=0, index=4),
    job=JOB,
    group=GROUP,
    alloc=AllocRecord(id=ID, name="web.g[3]", group="g", node="n1", job_version=2, ports=PORTS),
    index=4,
    node=NODE,
)


def test_variables_are_those_of_the_job_language() -> None:
    assert environment(PLACE, TASK) == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "NOMAD_ALLOC_DIR": "/data/alloc/x/alloc",
        "NOMAD_TASK_DIR": "/data/alloc/x/t/local",
        "NOMAD_SECRETS_DIR": "/data/alloc/x/t/secrets",
        "NOMAD_ALLOC_ID": ID,
        "NOMAD_SHORT_ALLOC_ID": "29d53dba",
        "NOMAD_ALLOC_NAME": "web.g[3]",
        "NOMAD_ALLOC_INDEX": "3",
        "NOMAD_GROUP_NAME": "g",
        "NOMAD_TASK_NAME": "t",
        "NOMAD_JOB_ID": "web",
        "NOMAD_JOB_NAME": "web",
        "NOMAD_DC": "dc1",
        "NOMAD_NAMESPACE": "default",
        "NOMAD_REGION": "global",
        "NOMAD_CPU_LIMIT": "50",
        "NOMAD_CPU_CORES": " ",
        "NOMAD_MEMORY_LIMIT": "64",
        "NOMAD_META_who": "task",
        "NOMAD_META_WHO": "task",
        "NOMAD_META_only": "job",
        "NOMAD_META_ONLY": "job",
        "NOMAD_META_zone_a": "z",
        "NOMAD_META_ZONE_A": "z",
        "NOMAD_IP_web": "10.0.0.7",
        "NOMAD_ADDR_web": "10.0.0.7:23081",
        "NOMAD_PORT_web": "23081",
        "NOMAD_HOST_PORT_web": "23081",
        "NOMAD_HOST_IP_web": "10.0.0.7",
        "NOMAD_HOST_ADDR_web": "10.0.0.7:23081",
        "NOMAD_ALLOC_PORT_web": "23081",
        "NOMAD_IP_static_p": "::1",
        "NOMAD_ADDR_static_p": "[::1]:8080",
        "NOMAD_PORT_static_p": "5000",
        "NOMAD_HOST_PORT_static_p": "8080",
        "NOMAD_HOST_IP_static-p": "::1",
        "NOMAD_HOST_ADDR_static-p": "[::1]:8080",
        "NOMAD_ALLOC_PORT_static-p": "5000",
        "NODE": "n1/r1",
        "ODD": "${nothing} $X",
        "WHO": "task",
    }


def test_own_variables_win() -> None:
    own = replace(TASK, env={"NOMAD_TASK_NAME": "mine", "PATH": "/x"})
    found = environment(PLACE, own)
    assert (found["NOMAD_TASK_NAME"], found["PATH"]) == ("mine", "/x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "1"),
        ('${ A }-${env.A}-${env["A"]}', "1-1-1"),
        ("${B}", "${B}"),
        ("$A ${A:-x} ${}", "$A ${A:-x} ${}"),
    ],
)
def test_references(text: str, expected: str) -> None:
    assert with_values(text, {"A": "1"}) == expected


def test_unknown_references_are_named() -> None:
    assert unknown_references("${A} ${B:-x} ${attr.no}", {"A": ""}) == ["B:-x", "attr.no"]


def test_request_reserves_what_the_group_asks() -> None:
    request = start_request(DECIDED, "/data")
    assert (request.record.cpu, request.record.memory_mb, request.record.disk_mb) == (50, 64, 300)
    assert request.limits == NodeResources(cpu=3900, memory_mb=7800, disk_mb=8700)
    assert request.record.ports == {"web": 23081, "static-p": 8080}
    (task,) = request.tasks
    assert task.launch.argv == ("/bin/sh", "-c", "echo 23081 linux")
    assert task.launch.cwd == f"/data/alloc/{ID}/t"
    assert not task.policy.batch
    assert update_request(DECIDED).record == request.record
    assert stop_request(DECIDED).patience >= 5 * SECOND


def test_unknown_driver_names_its_neighbour() -> None:
    job = replace(TASK, driver="raw_exce")
    with pytest.raises(ConfigError, match="raw_exce") as caught:
        start_request(replace(DECIDED, group=replace(GROUP, tasks=(job,))), "/data")
    assert 'did you mean "raw_exec"?' in caught.value.hint


BAD_CONFIGS: list[tuple[dict[str, object], str]] = [
    ({}, '"command" is required'),
    ({"command": ""}, '"command" is required'),
    ({"command": "x", "arg": []}, 'no argument is named "arg"; did you mean "args"?'),
    ({"command": "x", "args": "y"}, '"args" is a list'),
    ({"command": "x", "args": [{}]}, '"args" is a list'),
    ({"command": "x", "work_dir": "rel"}, "absolute path"),
    ({"command": "x", "args": ["${no.such}"]}, 'unknown variable "no.such"'),
]


@pytest.mark.parametrize(("config", "problem"), BAD_CONFIGS)
def test_bad_config_is_refused(config: dict[str, object], problem: str) -> None:
    context = TaskContext(name="t", config=config, env={}, values={}, task_dir="/t")
    with pytest.raises(ConfigError, match=r"failed to parse config") as caught:
        RawExec().prepare(context)
    assert problem in caught.value.message


def test_scalars_become_words() -> None:
    context = TaskContext(
        name="t", config={"command": "x", "args": [1, True, 1.5]}, env={}, values={}, task_dir="/t"
    )
    assert find_command("raw_exec").prepare(context).argv == ("x", "1", "true", "1.5")


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "0s"),
        (500_000_000, "500ms"),
        (5 * SECOND, "5s"),
        (1_012_008_284, "1.012008284s"),
        (MINUTE, "1m0s"),
        (30 * MINUTE, "30m0s"),
        (60 * MINUTE + 2_500_000_000, "1h0m2.5s"),
    ],
)
def test_durations(time: int, text: str) -> None:
    assert duration(time) == text


def test_policy_file() -> None:
    policy = TaskPolicy(
        restart=RestartPolicy(attempts=3, interval=30 * MINUTE, delay=15 * SECOND),
        kill_signal="sigterm",
        batch=True,
    )
    lines = policy_text(policy).splitlines()
    assert {"attempts=3", "interval=1800000", "interval_text=30m0s", "delay=15000"} <= set(lines)
    assert {"kill_signal=TERM", "batch=1", "kill_timeout=5000", "log_size=10485760"} <= set(lines)
    with pytest.raises(OrchError, match="no signal"):
        policy_text(replace(policy, kill_signal="NOPE; reboot"))


@given(st.dictionaries(st.from_regex(r"[a-z/ ]{1,9}", fullmatch=True), st.text(max_size=30)))
def test_bundle_can_be_taken_apart(contents: dict[str, str]) -> None:
    data = bundle(contents)
    first, _, _ = data.partition(b"\n")
    count, offset = (int(w) for w in first.split())
    header = data[len(first) + 1 : offset].splitlines()
    assert len(header) == count == len(contents)
    for line in header:
        size, path = line.split(b" ", 1)
        assert data[offset : offset + int(size)].decode() == contents[path.decode()]
        offset += int(size)
    assert offset == len(data)
