"""Docker hosts at their limits: the last port, the last memory, a full disk, none in reach."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator

import pytest

from executors.boundary import Boundary
from tests.acceptance.docker_specs import alone, redis
from tests.acceptance.harness import Done, Shop, finished
from tests.acceptance.specs import ONE_PER_HOST
from tests.acceptance.test_docker import docker, running
from tests.acceptance.test_races import wait_until_stopped
from tests.lab import images
from tests.lab.host import LabHost
from tests.lab.programs import wait_for

pytestmark = pytest.mark.lab

QUICK = "[ssh]\nconnect_timeout = 6\n"
INCOMPLETE = 4
CONFLICT = 3
FAILED = 5


def last_port(shop: Shop, job: str) -> str:
    """A job that wants a port by its number."""
    del shop
    static = redis(("to = 6379", "static = 21000\n        to = 6379"))
    return static.replace('job "example"', f'job "{job}"')


def last_memory(shop: Shop, job: str) -> str:
    """A job that wants more than half of a host."""
    megabytes = int(shop.hosts[0].sh("awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo"))
    return alone("http:1", job=job).replace("memory = 64", f"memory = {megabytes * 6 // 10}")


def owners(shop: Shop) -> list[str]:
    """Whose containers run, sorted; those of nobody are errors."""
    return sorted(c["Config"]["Labels"]["orch.job"] for c in running(shop))


def crossed(shop: Shop, boundary: Boundary, wants: Callable[[Shop, str], str]) -> tuple[Done, Done]:
    """Apply job a, which stops at a boundary until an apply of job b has ended."""
    a = shop.job(wants(shop, "a"), "a")
    b = shop.job(wants(shop, "b"), "b")
    late = shop.interrupted(signal.SIGSTOP, boundary, a)
    try:
        wait_until_stopped(late.pid)
        early = shop.orch("apply", "-auto-approve", str(b), code=None)
    finally:
        os.kill(late.pid, signal.SIGCONT)
    return finished(late, None), early


WANTS = pytest.mark.parametrize("wants", [last_port, last_memory], ids=["port", "memory"])
CROSSED = [Boundary.PLANNED, Boundary.BEGUN, Boundary.INTENDED]


@WANTS
@pytest.mark.parametrize("boundary", CROSSED, ids=lambda x: x.name)
def test_of_two_jobs_that_want_the_last_one_gets_it(
    dock: Shop, boundary: Boundary, wants: Callable[[Shop, str], str]
) -> None:
    alone = Shop(root=dock.root, lab=dock.lab, hosts=dock.hosts[:1], cluster=dock.cluster)
    (alone.repo / "inventory.yml").write_text(alone.lab.inventory_text(["k1"]))
    ends = dict(zip("ab", crossed(alone, boundary, wants), strict=True))

    said = "\n".join(f"{job}: {e.code}\n{e.out}\n{e.err}" for job, e in ends.items())
    assert sorted(e.code == 0 for e in ends.values()) == [False, True], said
    (winner,) = (job for job, end in ends.items() if end.code == 0)
    (loser,) = set(ends) - {winner}
    assert ends[loser].code in {CONFLICT, INCOMPLETE}, ends[loser]
    assert owners(alone) == [winner]

    def exhausted() -> bool:
        again = alone.orch("apply", "-auto-approve", f"jobs/{loser}.nomad.hcl", code=INCOMPLETE)
        return "exhausted" in again.out

    # What the loser had begun, and did not see the end of, is tried once more before.
    assert exhausted() or exhausted()
    assert owners(alone) == [winner]
    assert len(docker(alone.hosts[0], "ps -aq").split()) == 1
    alone.orch("plan", "-detailed-exitcode", f"jobs/{winner}.nomad.hcl")

    alone.orch("stop", "-yes", winner)
    alone.orch("apply", "-auto-approve", f"jobs/{loser}.nomad.hcl")
    assert owners(alone) == [loser]
    alone.started = []


@WANTS
def test_where_another_host_has_it_too_both_get_it(
    dock: Shop, wants: Callable[[Shop, str], str]
) -> None:
    late, early = crossed(dock, Boundary.PLANNED, wants)
    assert early.code == 0, early
    if late.code != 0:
        dock.apply()
    assert owners(dock) == ["a", "b"]
    assert len({docker(h, "ps -q") for h in dock.hosts}) == len(dock.hosts)
    dock.assert_nothing_to_do()


FILL = "dd if=/dev/zero of=/var/lib/orch/filler bs=64k 2>/dev/null || :"


@pytest.fixture
def small(dock: Shop) -> Generator[Shop]:
    """One host, with room for one allocation and little more."""
    host = dock.hosts[0]
    (dock.repo / "inventory.yml").write_text(dock.lab.inventory_text([host.name]))
    host.sh("mkdir -p /var/lib/orch; mount -t tmpfs -o size=320m tmpfs /var/lib/orch")
    yield dock
    host.sh("docker ps -aq | xargs -r docker rm -f >/dev/null; umount -l /var/lib/orch")


def test_a_disk_that_is_full_gets_nothing(small: Shop) -> None:
    small.hosts[0].sh(FILL)
    small.job(alone("http:1"))
    small.apply(code=INCOMPLETE)
    assert running(small) == []


def test_a_disk_that_is_full_while_applying_fails_cleanly(small: Shop) -> None:
    path = small.job(alone("http:1"))
    applying = small.interrupted(signal.SIGSTOP, Boundary.FENCED, path)
    try:
        wait_until_stopped(applying.pid)
        small.hosts[0].sh(FILL)
    finally:
        os.kill(applying.pid, signal.SIGCONT)
    assert finished(applying, None).code in {INCOMPLETE, FAILED}
    assert running(small) == []

    small.hosts[0].sh("rm /var/lib/orch/filler")
    small.apply(code=None)
    small.orch("run", str(path), code=None)
    assert len(running(small)) <= 1


# ── hosts out of reach ───────────────────────────────────────────────────────────────────────────


def pair(image: str) -> str:
    return alone(image, group=f"count = 2\n{ONE_PER_HOST}", deadline="30s")


def versions(shop: Shop) -> list[str]:
    known = {images.image_id(tag): tag for tag in ("http:1", "http:2")}
    return sorted(known[c["Image"]] for c in running(shop))


@pytest.mark.parametrize("fault", [LabHost.crash, LabHost.partition], ids=["crash", "partition"])
def test_a_host_that_is_down_while_planning_is_left_alone(
    dock: Shop, fault: Callable[[LabHost], None]
) -> None:
    with (dock.repo / "orch.toml").open("a") as config:
        config.write(QUICK)
    dock.job(pair("http:1"))
    dock.apply()
    before = {c["Id"] for c in running(dock)}
    lost = dock.hosts[1]
    fault(lost)
    planned = dock.orch("plan", code=INCOMPLETE)
    assert lost.name in planned.out.partition("Unknown hosts")[2]
    assert "unknown" in dock.orch("status", "alone", code=INCOMPLETE).out
    dock.apply(code=INCOMPLETE)

    lost.heal()
    wait_for(lambda: {c["Id"] for c in running(dock)} == before, "its container to be back")
    dock.assert_nothing_to_do()
    dock.job(pair("http:2"))
    dock.apply()
    assert versions(dock) == ["http:2", "http:2"]
    dock.assert_nothing_to_do()


LOST = [(Boundary.INTENDED, LabHost.crash), (Boundary.STARTED, LabHost.stop_sshd)]


@pytest.mark.parametrize(("boundary", "fault"), LOST, ids=["crash", "sshd"])
def test_a_host_that_goes_down_while_applying_is_taken_over_as_it_is(
    dock: Shop, boundary: Boundary, fault: Callable[[LabHost], None]
) -> None:
    with (dock.repo / "orch.toml").open("a") as config:
        config.write(QUICK)
    dock.job(pair("http:1"))
    dock.apply()
    path = dock.job(pair("http:2"))
    applying = dock.interrupted(signal.SIGSTOP, boundary, path)
    try:
        wait_until_stopped(applying.pid)
        fault(dock.hosts[0])
    finally:
        os.kill(applying.pid, signal.SIGCONT)
    assert finished(applying, None).code in {INCOMPLETE, FAILED}

    dock.hosts[0].heal()
    dock.apply(code=None)
    dock.apply()
    assert versions(dock) == ["http:2", "http:2"]
    decided = {a.id for a in dock.decided("alone").allocs if not a.terminal}
    assert {c["Config"]["Labels"]["orch.alloc"] for c in running(dock)} == decided
    dock.assert_nothing_to_do()
