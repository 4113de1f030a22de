"""What a docker task's config becomes: one row for each key, in the words of Docker's API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from executors.containers import keys
from executors.containers.docker_driver import Docker
from executors.containers.settings import creation, network_creation, restart_policy
from executors.driver import ConfigError
from planner.job import (
    MINUTE,
    Dns,
    LogConfig,
    Network,
    ReschedulePolicy,
    Resources,
    RestartPolicy,
    Task,
    TaskGroup,
)
from planner.recorded import PortMapping
from tests.containers.specs import ALLOC, LIMITS, ROOT, body, host, lives, spec

MIB = 1024 * 1024
DB = PortMapping(label="db", value=28326, to=6379, host_ip="10.0.0.1")
WEB = PortMapping(label="web", value=20080)

# config → a key of the request, and its value
BODY: list[tuple[dict[str, object], str, object]] = [
    ({"command": "/bin/sh", "args": ["-c", "x"]}, "Cmd", ["/bin/sh", "-c", "x"]),
    ({"args": ["a", 1, True]}, "Cmd", ["a", "1", "true"]),
    ({"entrypoint": ["/e", "f"]}, "Entrypoint", ["/e", "f"]),
    ({"work_dir": "/home"}, "WorkingDir", "/home"),
    ({"hostname": "h-${attr.kernel.name}"}, "Hostname", "h-linux"),
    ({"tty": True}, "Tty", True),
    ({"interactive": True}, "OpenStdin", True),
    ({"mac_address": "02:42:ac:11:00:02"}, "MacAddress", "02:42:ac:11:00:02"),
    ({"healthchecks": [{"disable": True}]}, "Healthcheck", {"Test": ["NONE"]}),
    (
        {"network_mode": "net", "network_aliases": ["a"], "ipv4_address": "10.1.1.1"},
        "NetworkingConfig",
        {"EndpointsConfig": {"net": {"IPAMConfig": {"IPv4Address": "10.1.1.1"}, "Aliases": ["a"]}}},
    ),
]

HOST: list[tuple[dict[str, object], str, object]] = [
    ({}, "NetworkMode", "default"),
    ({"network_mode": "host"}, "NetworkMode", "host"),
    ({"cap_add": ["sys_chroot"]}, "CapAdd", ["CAP_SYS_CHROOT"]),
    ({}, "CapDrop", ["CAP_NET_RAW"]),
    ({"cap_drop": ["chown"]}, "CapDrop", ["CAP_CHOWN", "CAP_NET_RAW"]),
    ({"cpuset_cpus": "0-1"}, "CpusetCpus", "0-1"),
    ({"cgroupns": "host"}, "CgroupnsMode", "host"),
    ({"dns_servers": ["9.9.9.9"]}, "Dns", ["9.9.9.9"]),
    ({"dns_options": ["ndots:3"]}, "DnsOptions", ["ndots:3"]),
    ({"dns_search_domains": ["ex.org"]}, "DnsSearch", ["ex.org"]),
    ({"extra_hosts": ["h1:1.2.3.4"]}, "ExtraHosts", ["h1:1.2.3.4"]),
    ({"group_add": ["1001"]}, "GroupAdd", ["1001"]),
    ({"init": True}, "Init", True),
    ({"ipc_mode": "private"}, "IpcMode", "private"),
    ({"pid_mode": "host"}, "PidMode", "host"),
    ({"uts_mode": "host"}, "UTSMode", "host"),
    ({"userns_mode": "host"}, "UsernsMode", "host"),
    ({"runtime": "runc"}, "Runtime", "runc"),
    ({"oom_score_adj": 10}, "OomScoreAdj", 10),
    ({"pids_limit": 100}, "PidsLimit", 100),
    ({"readonly_rootfs": True}, "ReadonlyRootfs", True),
    ({"security_opt": ["no-new-privileges"]}, "SecurityOpt", ["no-new-privileges"]),
    ({"shm_size": 1048576}, "ShmSize", 1048576),
    ({"storage_opt": {"size": "1G"}}, "StorageOpt", {"size": "1G"}),
    ({"sysctl": [{"net.core.somaxconn": "123"}]}, "Sysctls", {"net.core.somaxconn": "123"}),
    (
        {"ulimit": [{"nofile": "10:20", "nproc": 5}]},
        "Ulimits",
        [{"Name": "nofile", "Soft": 10, "Hard": 20}, {"Name": "nproc", "Soft": 5, "Hard": 5}],
    ),
    (
        {"devices": [{"host_path": "/dev/null", "container_path": "/dev/n"}]},
        "Devices",
        [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/n", "CgroupPermissions": "rwm"}],
    ),
    (
        {"logging": [{"type": "syslog", "config": [{"tag": "x"}]}]},
        "LogConfig",
        {"Type": "syslog", "Config": {"tag": "x"}},
    ),
    ({}, "LogConfig", {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "10"}}),
    ({"volume_driver": "rex"}, "VolumeDriver", "rex"),
    (
        {"mounts": [{"type": "tmpfs", "target": "/t", "tmpfs_options": [{"size": 1000}]}]},
        "Mounts",
        [
            {
                "Type": "tmpfs",
                "Target": "/t",
                "ReadOnly": False,
                "TmpfsOptions": {"SizeBytes": 1000},
            }
        ],
    ),
    (
        {"mount": [{"target": "/v", "source": "vol", "readonly": True}]},
        "Mounts",
        [{"Type": "volume", "Target": "/v", "ReadOnly": True, "Source": "vol"}],
    ),
    (
        {"mount": [{"type": "bind", "source": "/etc", "target": "/e"}]},
        "Mounts",
        [{"Type": "bind", "Target": "/e", "ReadOnly": False, "Source": "/etc"}],
    ),
    ({"cpu_hard_limit": True}, "CpuQuota", 1926),
    ({"cpu_hard_limit": True, "cpu_cfs_period": 50000}, "CpuPeriod", 50000),
    ({"memory_hard_limit": 100}, "Memory", 100 * MIB),
    ({"memory_hard_limit": 100}, "MemoryReservation", 64 * MIB),
    ({}, "CpuShares", 50),
    ({}, "Memory", 64 * MIB),
    ({}, "MemorySwap", 64 * MIB),
]


@pytest.mark.parametrize(("config", "key", "value"), BODY, ids=lambda x: str(x)[:40])
def test_a_key_becomes_a_part_of_the_request(
    config: dict[str, object], key: str, value: object
) -> None:
    assert body(config)[key] == value


@pytest.mark.parametrize(("config", "key", "value"), HOST, ids=lambda x: str(x)[:40])
def test_a_key_becomes_a_part_of_what_the_host_gives(
    config: dict[str, object], key: str, value: object
) -> None:
    assert host(config)[key] == value


BINDS = [
    ("/srv:/d", "/srv:/d"),
    ("/srv:/d:ro", "/srv:/d:ro"),
    ("local/x:/d", f"{ROOT}/t/local/x:/d"),
    ("name:/d", f"{ROOT}/t/name:/d"),
    ("../alloc/data:/d", f"{ROOT}/alloc/data:/d"),
    ("${NOMAD_ALLOC_DIR}/data:/d", "/alloc/data:/d"),
]


@pytest.mark.parametrize(("volume", "bind"), BINDS)
def test_volumes_are_bound_beside_the_task_s_own_directories(volume: str, bind: str) -> None:
    assert host({"volumes": [volume]})["Binds"] == [
        f"{ROOT}/alloc:/alloc",
        f"{ROOT}/t/local:/local",
        f"{ROOT}/t/secrets:/secrets",
        bind,
    ]


def test_with_a_volume_driver_bare_names_are_volumes() -> None:
    config = {"volumes": ["name:/d"], "volume_driver": "local"}
    assert host(config)["Binds"][-1] == "name:/d"


def test_a_bind_mount_of_the_task_s_own_files_is_a_bind() -> None:
    mount = {"type": "bind", "source": "local/c", "target": "/c", "readonly": True}
    assert host({"mount": [mount]})["Binds"][-1] == f"{ROOT}/t/local/c:/c:ro"


def test_env_is_sorted_and_labels_say_whose_it_is() -> None:
    made = body({"labels": [{"a": "b", "orch.alloc": "forged"}]})
    assert made["Env"] == ["A=1", "B=2"]
    labels = made["Labels"]
    assert labels["a"] == "b"
    assert labels["orch.alloc"] == ALLOC
    assert (labels["orch.cluster"], labels["orch.index"]) == ("c", "7")
    assert creation(spec()).name == f"t-{ALLOC}"


def test_only_what_forces_another_container_makes_another_hash() -> None:
    one = creation(spec())
    later = creation(replace(spec(), origin=replace(spec().origin, index=8, commit="def")))
    assert one.spec == later.spec
    assert one.spec != creation(spec({"args": ["x"]})).spec


# ── ports ────────────────────────────────────────────────────────────────────────────────────────

PORTS: list[tuple[dict[str, object], dict[str, str]]] = [
    ({}, {}),
    ({"ports": ["db"]}, {"6379": "28326"}),
    ({"ports": ["web"]}, {"20080": "20080"}),
    ({"ports": ["db", "web"]}, {"6379": "28326", "20080": "20080"}),
    ({"port_map": [{"web": 80}]}, {"80": "20080", "6379": "28326"}),
    ({"ports": ["db"], "network_mode": "host"}, {}),
    ({"ports": ["db"], "network_mode": "none"}, {}),
]


@pytest.mark.parametrize(("config", "inside"), PORTS)
def test_ports_are_published_for_both_protocols(
    config: dict[str, object], inside: dict[str, str]
) -> None:
    bindings: dict[str, Any] = host(config, ports=(DB, WEB)).get("PortBindings", {})
    wanted = {
        f"{k}/{p}": [{"HostIp": "10.0.0.1", "HostPort": v}]
        for k, v in inside.items()
        for p in ("tcp", "udp")
    }
    assert bindings == wanted


@pytest.mark.parametrize("config", [{"ports": ["x"]}, {"port_map": [{"x": 80}]}])
def test_a_port_that_the_group_lacks_is_an_error(config: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match='port "x" is not in the network block'):
        body(config, ports=(DB,))


# ── limits and lives ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("most", "memory", "reservation"), [(0, 64, 0), (100, 100, 64), (-1, 0, 64)]
)
def test_memory_max_is_the_limit_and_memory_is_reserved(
    most: int, memory: int, reservation: int
) -> None:
    resources = Resources(cpu=1, memory_mb=64, memory_max_mb=most)
    task = Task(name="t", config={"image": "x"}, resources=resources)
    made = host(task=task)
    assert made.get("Memory", 0) == made.get("MemorySwap", 0) == memory * MIB
    assert made.get("MemoryReservation", 0) == reservation * MIB
    assert made["CpuShares"] == 2


def test_logs_user_signal_and_time_to_end_come_from_the_task() -> None:
    task = Task(
        name="t",
        config={"image": "x"},
        user="nobody",
        kill_signal="SIGUSR1",
        kill_timeout=1_500_000_000,
        log_config=LogConfig(max_files=3, max_file_size_mb=1),
    )
    made = body(task=task)
    assert (made["User"], made["StopSignal"], made["StopTimeout"]) == ("nobody", "SIGUSR1", 2)
    config = {"max-size": "1m", "max-file": "3"}
    assert made["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": config}
    off = replace(task, log_config=LogConfig(disabled=True))
    assert host(task=off)["LogConfig"] == {"Type": "none", "Config": {}}


NO_RESCHEDULE = ReschedulePolicy(attempts=0, unlimited=False)
FAIL = RestartPolicy(attempts=2, interval=30 * MINUTE, mode="fail")
LIVES: list[tuple[str, RestartPolicy, ReschedulePolicy | None, dict[str, object]]] = [
    ("service", FAIL, ReschedulePolicy(), {"Name": "always"}),
    ("service", FAIL, NO_RESCHEDULE, {"Name": "always"}),
    ("service", replace(FAIL, attempts=0), NO_RESCHEDULE, {"Name": "no"}),
    ("service", replace(FAIL, attempts=0), ReschedulePolicy(), {"Name": "always"}),
    ("service", replace(FAIL, mode="delay"), None, {"Name": "always"}),
    ("batch", FAIL, None, {"Name": "on-failure", "MaximumRetryCount": 2}),
    (
        "batch",
        replace(FAIL, mode="delay"),
        None,
        {"Name": "on-failure", "MaximumRetryCount": 0},
    ),
    ("batch", replace(FAIL, attempts=0), ReschedulePolicy(), {"Name": "no"}),
]


@pytest.mark.parametrize(("kind", "restart", "again", "policy"), LIVES)
def test_docker_s_policy_never_gives_up_before_nomad_s(
    kind: str, restart: RestartPolicy, again: ReschedulePolicy | None, policy: dict[str, object]
) -> None:
    assert restart_policy(*lives(kind, restart, again)) == policy


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("config", [{"privileged": True}, {"cap_add": ["NET_ADMIN"]}])
def test_privileges_are_had_only_where_the_host_allows_them(config: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="doesn't allow") as caught:
        body(config)
    assert "orch_allow_privileged" in caught.value.hint
    made = host(config, limits=replace(LIMITS, privileged=True))
    assert made.get("Privileged") or made.get("CapAdd") == ["CAP_NET_ADMIN"]


WRONG: list[tuple[dict[str, object], str]] = [
    ({}, 'the argument "image" is required'),
    ({"imag": "x"}, 'no argument is named "imag"; did you mean "image"?'),
    ({"image": "x", "load": "a.tar"}, 'the argument "load" is not honoured'),
    ({"image": "x", "isolation": "hyperv"}, 'the argument "isolation" is not honoured'),
    ({"image": "x", "args": "a"}, 'the argument "args" is a list of strings'),
    ({"image": "x", "tty": "perhaps"}, 'the argument "tty" is true or false'),
    ({"image": "x", "shm_size": "much"}, 'the argument "shm_size" is a whole number'),
    (
        {"image": "x", "auth": [{"usename": "a"}]},
        'no argument is named "usename" in "auth"; did you mean "username"?',
    ),
    (
        {"image": "x", "mount": [{"bind_options": [{"propagaton": "a"}]}]},
        'no argument is named "propagaton" in "bind_options"; did you mean "propagation"?',
    ),
]


@pytest.mark.parametrize(("config", "text"), WRONG, ids=lambda x: str(x)[:50])
def test_what_is_wrong_with_a_config_is_said_by_name(config: dict[str, object], text: str) -> None:
    assert any(text in problem for problem in Docker().validate(config))


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"args": ["${nothing}"]}, 'unknown variable "nothing"'),
        ({"volumes": ["../../x:/d"]}, "escapes the allocation's directory"),
        ({"mount": [{"type": "npipe"}]}, 'mount type "npipe"'),
        ({"ulimit": [{"nofile": "many"}]}, "is not a number"),
        ({"bogus": 1}, 'no argument is named "bogus"'),
    ],
)
def test_a_task_with_such_a_config_is_not_made(config: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        body(config)


def test_every_key_is_honoured_or_refused() -> None:
    assert not keys.HONOURED.keys() & keys.REFUSED.keys()
    assert len(keys.HONOURED) + len(keys.REFUSED) == 57


# ── networks ─────────────────────────────────────────────────────────────────────────────────────


def test_what_shares_a_network_publishes_nothing_and_has_no_name_of_its_own() -> None:
    config = {"ports": ["db"], "hostname": "h", "dns_servers": ["9.9.9.9"]}
    made = creation(replace(spec(config, ports=(DB,)), network="abc")).body
    found = cast("dict[str, Any]", made["HostConfig"])
    assert found["NetworkMode"] == "container:abc"
    assert "PortBindings" not in found
    assert "Dns" not in found
    assert "Hostname" not in made


def test_a_network_s_container_publishes_all_ports_of_its_group() -> None:
    group = TaskGroup(
        name="g", networks=(Network(mode="bridge", hostname="h", dns=Dns(servers=("9.9.9.9",))),)
    )
    made = network_creation(group, spec().origin, (DB, WEB), "10.0.0.1")
    found = cast("dict[str, Any]", made.body["HostConfig"])
    assert made.name == f"orch_network-{ALLOC}"
    assert sorted(found["PortBindings"]) == ["20080/tcp", "20080/udp", "6379/tcp", "6379/udp"]
    assert found["Dns"] == ["9.9.9.9"]
    assert made.body["Hostname"] == "h"


def test_mode_none_is_no_network() -> None:
    assert host({"ports": ["db"]}, ports=(DB,), mode="none")["NetworkMode"] == "none"
