"""Docker jobs on real hosts: the whole way from the job file to dockerd, and what may go wrong."""

from __future__ import annotations

import json
import shlex
import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest

from executors.boundary import Boundary
from tests.acceptance.docker_specs import NEVER, OLD_REDIS, PAIR, REDIS, alone, batch, redis
from tests.acceptance.harness import Shop, finished
from tests.acceptance.specs import web
from tests.lab import images
from tests.lab.host import LabHost
from tests.lab.programs import wait_for

pytestmark = pytest.mark.lab


def docker(host: LabHost, command: str) -> str:
    """What the docker CLI prints on the host itself."""
    return host.sh(f"docker {command}").strip()


def running(shop: Shop) -> list[dict[str, Any]]:
    """What dockerd says of every container that runs, on all hosts."""
    found: list[dict[str, Any]] = []
    for host in shop.hosts:
        if ids := docker(host, "ps -q").split():
            found += json.loads(docker(host, f"inspect {' '.join(ids)}"))
    return found


def the_one(shop: Shop) -> dict[str, Any]:
    (found,) = running(shop)
    return found


def where(shop: Shop, container: dict[str, Any]) -> LabHost:
    return next(h for h in shop.hosts if container["Id"] in docker(h, "ps -aq --no-trunc"))


def until_redis_answers(container: dict[str, Any]) -> None:
    """Return when redis answers on the port that is published for it; docker has that port."""
    bound = container["HostConfig"]["PortBindings"]["6379/tcp"][0]
    address = bound["HostIp"], int(bound["HostPort"])

    def answers() -> bool:
        try:
            with socket.create_connection(address, 10) as redis:
                redis.sendall(b"PING\r\n")
                return redis.recv(100) == b"+PONG\r\n"
        except OSError:
            return False

    wait_for(answers, "redis to answer")


def drift(shop: Shop) -> str:
    """The plan's text; it must have changes."""
    planned = shop.orch("plan", "-detailed-exitcode", code=2)
    return planned.out


# ── the tutorial ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("spec", [REDIS, OLD_REDIS], ids=["network", "port_map"])
def test_the_redis_job_is_created_changed_and_stopped(dock: Shop, spec: str) -> None:
    dock.job(spec)
    dock.apply()
    first = the_one(dock)
    assert first["Image"] == images.image_id("redis:3.2")
    assert first["HostConfig"]["Memory"] == first["HostConfig"]["MemorySwap"] == 256 << 20
    assert first["HostConfig"]["CpuShares"] == 500
    assert set(first["HostConfig"]["PortBindings"]) == {"6379/tcp", "6379/udp"}
    until_redis_answers(first)
    dock.assert_nothing_to_do()

    dock.job(spec.replace("redis:3.2", "redis:4.0"))
    dock.apply()
    second = the_one(dock)
    assert second["Image"] == images.image_id("redis:4.0")
    assert second["Id"] != first["Id"]
    until_redis_answers(second)
    dock.assert_nothing_to_do()

    dock.orch("stop", "-yes", "example")
    assert running(dock) == []


def test_a_container_is_named_labelled_and_told_where_it_lives(dock: Shop) -> None:
    dock.job(REDIS)
    dock.apply()
    found = the_one(dock)
    (alloc,) = (a for a in dock.decided("example").allocs if not a.terminal)
    assert found["Name"] == f"/redis-{alloc.id}"
    labels = found["Config"]["Labels"]
    assert labels["orch.cluster"] == dock.cluster
    assert labels["orch.alloc"] == alloc.id
    assert (labels["orch.job"], labels["orch.group"]) == ("example", "cache")
    env = dict(e.split("=", 1) for e in found["Config"]["Env"])
    assert env["NOMAD_ALLOC_DIR"] == "/alloc"
    assert env["NOMAD_TASK_DIR"] == "/local"
    assert env["NOMAD_PORT_db"] == "6379"
    assert env["NOMAD_HOST_PORT_db"] == str(alloc.ports[0].value)
    assert env["PATH"] == "/usr/bin:/bin"
    host = where(dock, found)
    docker(host, f"exec {found['Id']} sh -c 'echo x >/alloc/data/a; echo y >/local/b'")
    assert host.sh(f"cat /var/lib/orch/alloc/{alloc.id}/alloc/data/a") == "x\n"
    assert host.sh(f"cat /var/lib/orch/alloc/{alloc.id}/redis/local/b") == "y\n"


def test_count_is_raised_in_place_and_lowered(dock: Shop) -> None:
    dock.job(REDIS)
    dock.apply()
    first = the_one(dock)["Id"]
    dock.job(redis(("count = 1", "count = 3")))
    dock.apply()
    three = running(dock)
    assert len(three) == 3
    assert first in [c["Id"] for c in three]
    dock.job(REDIS)
    dock.apply()
    assert the_one(dock)["Id"] == first


def test_tasks_of_a_group_in_bridge_mode_share_a_network(dock: Shop) -> None:
    dock.job(PAIR, "pair")
    dock.apply()
    found = {c["Name"].split("-")[0]: c for c in running(dock)}
    assert sorted(found) == ["/beside", "/orch_network", "/redis"]
    network = found["/orch_network"]
    assert found["/redis"]["HostConfig"]["NetworkMode"] == f"container:{network['Id']}"
    until_redis_answers(network)
    host = where(dock, network)
    beside = found["/beside"]["Id"]
    wait_for(lambda: docker(host, f"logs --tail 1 {beside}") == "PONG", "an answer beside it")
    assert docker(host, f"exec {found['/redis']['Id']} hostname") == "pair"
    dock.assert_nothing_to_do()

    docker(host, f"rm -f {network['Id']}")
    assert "its network is gone" in " ".join(drift(dock).split())
    dock.apply()
    assert len(running(dock)) == 3
    dock.assert_nothing_to_do()
    dock.orch("stop", "-yes", "pair")
    assert running(dock) == []


# ── behind orch's back ───────────────────────────────────────────────────────────────────────────

Tamper = Callable[[LabHost, str], object]


def kill(host: LabHost, container: str) -> None:
    docker(host, f"kill {container}")


def stop(host: LabHost, container: str) -> None:
    docker(host, f"stop {container}")


def remove(host: LabHost, container: str) -> None:
    docker(host, f"rm -f {container}")


def edit(host: LabHost, container: str) -> None:
    docker(host, f"update --memory 128m --memory-swap 128m {container}")


def exchange(host: LabHost, container: str) -> None:
    """Put another container in its place, as somebody would who upgrades by hand."""
    name = docker(host, f"inspect --format '{{{{.Name}}}}' {container}").removeprefix("/")
    docker(host, f"rm -f {container}")
    docker(host, f"run -d --name {name} -e EXTRA=1 redis:7")


TAMPERED: list[tuple[Tamper, str, str]] = [
    (kill, "stopped", "exit code 137"),
    (stop, "stopped", "exit code 0"),
    (remove, "missing", "its container is gone"),
    (edit, "changed", "memory 256 MiB → 128 MiB"),
    (exchange, "changed", "env changed"),
]


@pytest.mark.parametrize(
    ("tamper", "kind", "reason"), TAMPERED, ids=lambda x: getattr(x, "__name__", "")
)
def test_what_is_done_behind_its_back_is_seen_and_repaired(
    dock: Shop, tamper: Tamper, kind: str, reason: str
) -> None:
    dock.job(REDIS)
    dock.apply()
    before = the_one(dock)
    tamper(where(dock, before), before["Id"])

    planned = " ".join(drift(dock).split())
    assert kind in planned
    assert reason in planned

    dock.apply()
    own = [c for c in running(dock) if "orch.alloc" in c["Config"]["Labels"]]
    assert len(own) == 1
    assert own[0]["HostConfig"]["Memory"] == 256 << 20
    until_redis_answers(own[0])
    dock.assert_nothing_to_do()


def test_a_process_that_dies_is_brought_back_by_dockerd(dock: Shop) -> None:
    dock.job(REDIS)
    dock.apply()
    before = the_one(dock)
    where(dock, before).sh(f"kill -9 {before['State']['Pid']}")
    wait_for(lambda: [c["RestartCount"] for c in running(dock)] == [1], "its restart")
    assert the_one(dock)["Id"] == before["Id"]
    dock.assert_nothing_to_do()


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────


def test_while_dockerd_is_down_its_containers_are_unknown(dock: Shop) -> None:
    dock.job(REDIS)
    dock.apply()
    before = the_one(dock)
    host = where(dock, before)
    host.sh("touch /run/dockerd.down; pkill -9 -x dockerd")
    wait_for(lambda: not host.sh("pgrep -x dockerd || :"), "the end of dockerd")
    try:
        planned = dock.orch("plan", "-detailed-exitcode", code=None)
        assert "docker does not answer" in " ".join(planned.out.split()), planned.out
        dock.apply(code=None)
    finally:
        host.sh("rm -f /run/dockerd.down")
        host.wait_ready()
    wait_for(lambda: len(running(dock)) == 1, "dockerd to bring its container back")
    dock.apply()
    assert len(running(dock)) == 1
    dock.assert_nothing_to_do()


def test_an_image_that_cannot_be_pulled_leaves_nothing(dock: Shop) -> None:
    dock.job(redis(("redis:3.2", "redis:nosuch")))
    failed = dock.apply(code=5)
    assert "failed to pull redis:nosuch" in " ".join((failed.out + failed.err).split())
    assert [docker(h, "ps -aq") for h in dock.hosts] == ["", ""]


def test_a_task_that_crashes_fails_its_deployment(dock: Shop) -> None:
    dock.job(alone("crash:1", deadline="15s", group=NEVER))
    failed = dock.apply(code=5)
    assert "unhealthy" in failed.out + failed.err


def test_a_batch_task_runs_once_to_its_end(dock: Shop) -> None:
    dock.job(batch("job:1"))
    dock.apply()
    wait_for(lambda: not running(dock), "the task's end")
    dock.apply()
    made = [x for h in dock.hosts for x in docker(h, "ps -aq").split()]
    assert len(made) == 1
    dock.assert_nothing_to_do()


def test_what_batch_tasks_had_is_free_when_they_have_ended(dock: Shop) -> None:
    """Each takes more than half of a host, and there are two hosts."""
    half = int(dock.hosts[0].sh("awk '/MemTotal/ { print int($2 / 1024 * 0.6) }' /proc/meminfo"))
    for number in range(3):
        text = batch("job:1", job=f"b{number}").replace("memory = 64", f"memory = {half}")
        dock.job(text, f"b{number}")
        dock.apply()
        wait_for(lambda: not running(dock), "the task's end")
    dock.apply()
    assert running(dock) == []
    dock.assert_nothing_to_do()


def test_a_container_that_a_killed_apply_had_made_is_not_made_twice(dock: Shop) -> None:
    file = dock.job(REDIS)
    killed = dock.interrupted(signal.SIGKILL, Boundary.INTENDED, file)
    finished(killed, code=-signal.SIGKILL)
    (alloc,) = dock.decided("example").allocs
    # As if it had been killed between creating a container and starting it.
    host = next(h for h in dock.hosts if h.name == alloc.node)
    labels = f"--label orch.cluster={dock.cluster} --label orch.alloc={alloc.id}"
    docker(host, f"create --name redis-{alloc.id} {labels} redis:3.2")
    dock.apply()
    assert the_one(dock)["Name"] == f"/redis-{alloc.id}"
    assert len([x for h in dock.hosts for x in docker(h, "ps -aq").split()]) == 1
    dock.assert_nothing_to_do()


def test_a_command_that_is_not_there_fails_its_deployment(dock: Shop) -> None:
    dock.job(alone("busybox:1.36", 'command = "/no/such/program"', deadline="15s", group=NEVER))
    failed = dock.apply(code=5)
    assert "unhealthy" in failed.out + failed.err
    assert running(dock) == []
    (told,) = {x for x in dock.records("records/*/tasks/main/events").splitlines() if "Driver" in x}
    assert "/no/such/program" in told


def still(shop: Shop) -> list[dict[str, Any]]:
    """What dockerd says, apart from what it puts into another order each time."""
    restless = ("Mounts", "NetworkSettings")
    return [{k: v for k, v in c.items() if k not in restless} for c in running(shop)]


def test_a_plan_does_nothing_to_dockerd(dock: Shop) -> None:
    dock.job(REDIS)
    dock.apply()
    dock.job(redis(("redis:3.2", "redis:4.0")))
    before = still(dock)
    began = dock.hosts[0].sh("date +%s.%N").strip()
    drift(dock)
    ended = dock.hosts[0].sh("date +%s.%N").strip()
    assert still(dock) == before
    for host in dock.hosts:
        assert docker(host, f"events --since {began} --until {ended}") == ""


# ── neighbours ───────────────────────────────────────────────────────────────────────────────────


def test_what_others_run_counts_and_is_left_alone(dock: Shop) -> None:
    for host in dock.hosts:
        docker(host, "run -d --name theirs -m 64m -p 20000:80 http:1")
    theirs = sorted(c["Id"] for c in running(dock))
    static = redis(("to = 6379", "static = 20000\n        to = 6379"))
    dock.job(static)
    refused = dock.apply(code=None)
    assert refused.code == 4
    assert "port" in refused.out
    dock.job(REDIS)
    dock.apply()
    dock.orch("stop", "-yes", "example")
    assert sorted(c["Id"] for c in running(dock)) == theirs


def test_two_clusters_share_hosts(dock: Shop) -> None:
    dock.job(REDIS)
    dock.apply()
    mine = the_one(dock)["Id"]
    root = dock.root / "other"
    root.mkdir()
    other = Shop(root=root, lab=dock.lab, hosts=dock.hosts).set_up()
    other.job(REDIS)
    other.apply()
    assert len(running(dock)) == 2
    other.orch("stop", "-yes", "example")
    assert the_one(dock)["Id"] == mine
    dock.assert_nothing_to_do()


# ── ways in ──────────────────────────────────────────────────────────────────────────────────────


def use_user(shop: Shop, user: str, extra: str = "") -> None:
    path = shop.repo / "inventory.yml"
    text = path.read_text().replace("ansible_user: root", f"ansible_user: {user}{extra}")
    path.write_text(text)
    shop.commit()


def add_user(host: LabHost, name: str, group: str) -> None:
    host.sh(
        f"id -u {name} >/dev/null 2>&1 || useradd -m -s /bin/sh -G {group} -p '*' {name}; "
        f"mkdir -p /home/{name}/.ssh; cp /root/.ssh/authorized_keys /home/{name}/.ssh/; "
        f"chown -R {name} /home/{name}; chmod 700 /home/{name}/.ssh"
    )


def test_an_unprivileged_user_of_the_docker_group_is_enough(dock: Shop) -> None:
    for host in dock.hosts:
        add_user(host, "deploy", "docker")
    use_user(dock, "deploy")
    dock.job(REDIS)
    dock.apply()
    until_redis_answers(the_one(dock))
    dock.assert_nothing_to_do()
    dock.orch("stop", "-yes", "example")
    assert running(dock) == []


def test_what_a_container_wrote_as_root_is_removed_by_an_unprivileged_user_too(dock: Shop) -> None:
    for host in dock.hosts:
        add_user(host, "deploy", "docker")
    use_user(dock, "deploy")
    dock.job(REDIS)
    dock.apply()
    redis = the_one(dock)
    (there,) = (h for h in dock.hosts if h.sh(f"docker ps -q -f id={redis['Id']}"))
    wrote = "mkdir -p /alloc/data/d/e && touch /alloc/data/d/e/f && chmod 700 /alloc/data/d"
    there.sh(f"docker exec -u 0 {redis['Id']} sh -c {shlex.quote(wrote)}")
    dock.orch("stop", "-yes", "-purge", "example")
    left = there.sh(
        "ls -A /home/deploy/.local/share/orch/alloc /var/lib/orch/alloc 2>/dev/null || :"
    )
    assert redis["Config"]["Labels"]["orch.alloc"] not in left
    assert there.sh("docker ps -aq") == ""


def test_files_that_can_not_be_removed_are_told(dock: Shop) -> None:
    for host in dock.hosts:
        add_user(host, "nobodys", "nogroup")
    use_user(dock, "nobodys")
    dock.job(web(1))
    dock.apply()
    (task,) = dock.live()
    there = dock.lab.host(task.host)
    folder = f"/home/nobodys/.local/share/orch/alloc/{task.alloc}/alloc/data/theirs"
    there.sh(f"mkdir {folder} && touch {folder}/f")
    told = dock.orch("stop", "-yes", "-purge", "web").err
    assert f"web.g[0] is over, but its files stay on {there.name}: " in told
    there.sh(f"rm -r {folder}")
    dock.orch("system", "gc", "-yes")
    assert task.alloc not in there.sh("find /home/nobodys/.local/share/orch")


def test_a_user_who_may_become_root_is_enough(dock: Shop) -> None:
    for host in dock.hosts:
        add_user(host, "admin", "nogroup")
        host.sh("echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin")
    use_user(dock, "admin", "\n      ansible_become: true")
    dock.job(REDIS)
    dock.apply()
    until_redis_answers(the_one(dock))
    dock.assert_nothing_to_do()


def test_a_user_without_rights_to_docker_gets_no_docker_jobs(dock: Shop) -> None:
    for host in dock.hosts:
        add_user(host, "nobodys", "nogroup")
    use_user(dock, "nobodys")
    dock.job(REDIS)
    refused = dock.apply(code=4)
    assert "missing drivers" in refused.out, shlex.quote(refused.out)


def test_an_sshd_that_forwards_nothing_is_enough(dock: Shop) -> None:
    for host in dock.hosts:
        host.configure_sshd("DisableForwarding yes")
    dock.job(REDIS)
    dock.apply()
    until_redis_answers(the_one(dock))
    dock.assert_nothing_to_do()
