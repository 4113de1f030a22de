from __future__ import annotations

from dataclasses import replace

import pytest

from planner.job import (
    SECOND,
    Affinity,
    Artifact,
    Constraint,
    Dns,
    EphemeralDisk,
    Identity,
    Job,
    Lifecycle,
    LogConfig,
    Network,
    Port,
    Resources,
    RestartPolicy,
    Service,
    Spread,
    Task,
    TaskGroup,
    Template,
    Update,
    VolumeMount,
    VolumeRequest,
)
from planner.update import VERSION_CHANGED, forcing_change, mild_change
from tests.planner.scenes import group, job, task

WEB = Port(label="web")
NET = Network(dynamic_ports=(WEB,))
CONNECT = Service(name="a", connect={"native": True})


def with_task(**fields: object) -> Job:
    return job(group(tasks=(task(**fields),)))


def with_resources(**fields: object) -> Job:
    resources = replace(Resources(cpu=100, memory_mb=64), **fields)  # type: ignore[arg-type]
    return with_task(resources=resources)


def with_group(**fields: object) -> Job:
    return job(group(**fields))  # type: ignore[arg-type]


FORCING: list[tuple[Job, str]] = [
    (with_task(driver="exec"), "driver raw_exec → exec"),
    (with_task(user="www"), "user (none) → www"),
    (with_task(config={"command": "top"}), "config.command changed"),
    (with_task(config={"command": "sleep", "args": ["1"]}), "config.args changed"),
    (with_task(config={"command": "sleep", "tty": None}), "config.tty changed"),
    (with_task(env={"A": "1"}), "env.A changed"),
    (with_task(artifacts=(Artifact(getter_source="x"),)), "artifact changed"),
    (with_task(templates=(Template(dest_path="x"),)), "template changed"),
    (with_task(vault={"Role": "x"}), "vault.Role changed"),
    (with_task(consul={"Cluster": "x"}), "consul.Cluster changed"),
    (with_task(secrets=({"Name": "x"},)), "secret changed"),
    (with_task(csi_plugin_config={"ID": "x"}), "csi_plugin.ID changed"),
    (with_task(volume_mounts=(VolumeMount(volume="x"),)), "volume_mount changed"),
    (with_task(identity=Identity(env=True)), "identity changed"),
    (with_task(log_config=LogConfig(disabled=True)), "logs.disabled false → true"),
    (
        with_task(restart_policy=RestartPolicy(render_templates=True)),
        "restart.render_templates false → true",
    ),
    (with_task(meta={"a": "1"}), "meta.a changed"),
    (with_group(meta={"a": "1"}), "meta.a changed"),
    (job(meta={"a": "1"}), "meta.a changed"),
    (with_resources(cpu=200), "cpu 100 → 200"),
    (with_resources(memory_mb=32), "memory 64 → 32"),
    (with_resources(memory_max_mb=128), "memory_max 0 → 128"),
    (with_resources(cores=1), "cores 0 → 1"),
    (with_resources(secrets_mb=1), "secrets 0 → 1"),
    (with_resources(devices=({"Name": "gpu"},)), "device changed"),
    (with_resources(numa={"Affinity": "require"}), "numa.Affinity changed"),
    (with_resources(networks=(NET,)), "resources.network changed"),
    (with_group(tasks=(task(), task(name="more"))), "tasks changed"),
    (with_group(tasks=(task(name="other"),)), "tasks changed"),
    (with_group(ephemeral_disk=EphemeralDisk(sticky=True)), "ephemeral_disk changed"),
    (with_group(networks=(NET,)), "network changed"),
    (with_group(consul={"Namespace": "x"}), "consul.Namespace changed"),
    (with_group(services=(CONNECT,)), "connect changed"),
    (with_group(volumes={"d": VolumeRequest(name="d")}), "volume.d changed"),
    (
        with_group(restart_policy=RestartPolicy(render_templates=True)),
        "restart.render_templates false → true",
    ),
    (job(group(name="other")), "group was added"),
]


@pytest.mark.parametrize(("new", "reason"), FORCING, ids=[r for _, r in FORCING])
def test_what_forces_a_new_allocation(new: Job, reason: str) -> None:
    found = forcing_change(job(), new, new.task_groups[0].name)
    assert found == reason


MILD: list[tuple[Job, str]] = [
    (with_group(count=3), "count 1 → 3"),
    (with_group(update=Update(max_parallel=2)), "update changed"),
    (with_group(restart_policy=RestartPolicy(attempts=5)), "restart_policy changed"),
    (with_group(constraints=(Constraint(l_target="a", r_target="a"),)), "constraints changed"),
    (with_group(affinities=(Affinity(),)), "affinities changed"),
    (with_group(spreads=(Spread(attribute="${meta.rack}"),)), "spreads changed"),
    (with_group(services=(Service(name="web"),)), "services changed"),
    (with_group(shutdown_delay=5), "shutdown_delay changed"),
    (with_group(scaling={"Max": 5}), "scaling.Max changed"),
    (with_task(kill_timeout=90 * SECOND), "kill_timeout 5s → 90s"),
    (with_task(kill_signal="SIGHUP"), "kill_signal (none) → SIGHUP"),
    (with_task(leader=True), "leader false → true"),
    (with_task(lifecycle=Lifecycle(hook="poststart")), "lifecycle changed"),
    (with_task(log_config=LogConfig(max_files=2)), "log_config changed"),
    (job(priority=80), "priority 50 → 80"),
    (job(datacenters=("dc1",)), "datacenters changed"),
    (job(name="site"), "name web → site"),
    (job(group(), group(name="more")), VERSION_CHANGED),
    (job(group(name="other")), VERSION_CHANGED),
]


@pytest.mark.parametrize(("new", "reason"), MILD, ids=[r for _, r in MILD])
def test_what_is_updated_in_place(new: Job, reason: str) -> None:
    assert new.group("api") is None or forcing_change(job(), new, "api") == ""
    assert mild_change(job(), new, "api") == reason


def networks(*found: Network) -> TaskGroup:
    return group(networks=found)


@pytest.mark.parametrize(
    ("old", "new", "forces"),
    [
        (NET, replace(NET, dynamic_ports=(replace(WEB, value=20_001),)), False),
        (NET, replace(NET, dynamic_ports=(replace(WEB, to=80),)), True),
        (NET, replace(NET, dynamic_ports=(), reserved_ports=(replace(WEB, value=80),)), True),
        (NET, replace(NET, dns=Dns(servers=("1.1.1.1",))), True),
        (NET, replace(NET, mode="bridge"), True),
        (NET, replace(NET, device="eth0"), False),
        (
            replace(NET, dynamic_ports=(WEB, Port(label="b"))),
            replace(NET, dynamic_ports=(Port(label="b"), WEB)),
            False,
        ),
    ],
)
def test_what_a_network_forces(old: Network, new: Network, forces: bool) -> None:
    assert bool(forcing_change(job(networks(old)), job(networks(new)), "api")) is forces


def test_the_order_of_tasks_is_nothing() -> None:
    one, two = task(name="one"), task(name="two")
    tasks: tuple[tuple[Task, ...], ...] = ((one, two), (two, one))
    old, new = (job(group(tasks=t)) for t in tasks)
    assert forcing_change(old, new, "api") == ""
