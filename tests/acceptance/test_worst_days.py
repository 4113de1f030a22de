"""Whatever happens in mid-rollout, nothing runs twice, and the next apply converges."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from executors.boundary import Boundary
from tests.acceptance.docker_specs import alone
from tests.acceptance.harness import Done, Shop, finished
from tests.acceptance.specs import ONE_PER_HOST, Service
from tests.acceptance.test_docker import running
from tests.acceptance.test_docker_killed import CONTAINERS, containers, unbound
from tests.acceptance.test_docker_limits import FAILED, FILL
from tests.acceptance.test_health import NEVER, NO_RESTART, UNWELL
from tests.acceptance.test_killed import two_groups
from tests.acceptance.test_races import wait_until_stopped
from tests.lab import registry
from tests.lab.fixtures import refuse
from tests.lab.host import LabHost
from tests.lab.programs import LabUnavailableError

pytestmark = pytest.mark.lab

SPREAD = Service(count=3, group=ONE_PER_HOST, deadline="20s")
NAMES = ["web.g[0]", "web.g[1]", "web.g[2]"]
QUICK = "[ssh]\nconnect_timeout = 6\nprobe_timeout = 6\n"


def hurry(shop: Shop) -> None:
    """Let the shop wait for silent hosts no longer than it has to."""
    with (shop.repo / "orch.toml").open("a") as config:
        config.write(QUICK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """An apply that waits at a boundary until it is let go."""

    shop: Shop
    file: Path
    boundary: Boundary

    def met_by(self, fault: Callable[[LabHost], object], hosts: Sequence[LabHost]) -> Done:
        """How it ends when that happens to these hosts while it waits."""
        applying = self.shop.interrupted(signal.SIGSTOP, self.boundary, self.file)
        wait_until_stopped(applying.pid)
        for host in hosts:
            fault(host)
        os.kill(applying.pid, signal.SIGCONT)
        return finished(applying, None)


def second_version(shop: Shop, boundary: Boundary) -> Rollout:
    """The service on all hosts, and a rollout that replaces each of its allocations."""
    hurry(shop)
    path = shop.job(SPREAD.hcl())
    shop.apply()
    path.write_text(replace(SPREAD, greeting="changed").hcl())
    shop.commit()
    return Rollout(shop=shop, file=path, boundary=boundary)


def assert_converges(shop: Shop, before: dict[str, str]) -> None:
    """The next apply, or the one after it, leaves the new version alone, each of it once."""
    shop.live_allocs()
    shop.apply(code=None)
    shop.apply()
    after = shop.live_allocs()
    assert sorted(after) == NAMES
    assert not set(after.values()) & set(before.values())
    assert set(after.values()) == {a.id for a in shop.decided("web").allocs if not a.terminal}
    shop.assert_nothing_to_do()


@pytest.mark.parametrize("boundary", [Boundary.INTENDED, Boundary.STARTED], ids=lambda x: x.name)
def test_the_whole_fleet_is_cut_off_and_healed(shop: Shop, boundary: Boundary) -> None:
    rollout = second_version(shop, boundary)
    before = shop.live_allocs()

    end = rollout.met_by(LabHost.partition, shop.hosts)

    assert end.code in {4, 5}, end.err
    shop.lab.heal()
    assert_converges(shop, before)


def test_an_sshd_is_frozen_and_thawed(shop: Shop) -> None:
    rollout = second_version(shop, Boundary.INTENDED)
    before = shop.live_allocs()

    end = rollout.met_by(lambda h: h.sh("pkill -STOP -x sshd"), shop.hosts[:2])

    assert end.code in {4, 5}, end.err
    for host in shop.hosts[:2]:
        host.sh("pkill -CONT -x sshd")
        host.wait_ready()
    assert_converges(shop, before)


def test_a_slow_link_is_enough(shop: Shop) -> None:
    """Modem speed both ways for one host, from its first apply on."""
    shop.hosts[0].slow_down()
    path = shop.job(SPREAD.hcl())
    shop.apply()
    before = shop.live_allocs()
    path.write_text(replace(SPREAD, greeting="changed").hcl())
    shop.commit()

    shop.apply()

    after = shop.live_allocs()
    assert sorted(after) == NAMES
    assert not set(after.values()) & set(before.values())
    shop.assert_nothing_to_do()


# In place of the program by which a host's scripts are told the time.
CLOCK = """\
mv /usr/bin/date /usr/bin/date.true
printf '#!/bin/sh\\nexec /usr/bin/date.true -d "%s" "$@"\\n' >/usr/bin/date
chmod 755 /usr/bin/date
"""


@pytest.mark.parametrize("wrong", ["1 hour", "-1 hour"], ids=["ahead", "behind"])
def test_a_clock_that_is_an_hour_off_hinders_nothing(shop: Shop, wrong: str) -> None:
    off = shop.hosts[0]
    off.sh(CLOCK.replace("%s", wrong))
    assert abs(int(off.sh("date +%s")) - int(off.sh("date.true +%s"))) > 3500
    path = shop.job(SPREAD.hcl())
    shop.apply()
    before = shop.live_allocs()
    path.write_text(replace(SPREAD, greeting="changed").hcl())
    shop.commit()

    shop.apply()

    after = shop.live_allocs()
    assert sorted(after) == NAMES
    assert not set(after.values()) & set(before.values())
    shop.assert_nothing_to_do()


@pytest.fixture
def small(shop: Shop) -> Generator[Shop]:
    """A shop whose first host has room for two allocations, on a disk that can be filled."""
    host = shop.hosts[0]
    host.sh("mkdir -p /var/lib/orch; mount -t tmpfs -o size=700m tmpfs /var/lib/orch")
    yield shop
    host.sh("pkill -f '[s]upervise.sh' || :; umount -l /var/lib/orch")


def test_a_disk_is_full_in_mid_rollout(small: Shop) -> None:
    rollout = second_version(small, Boundary.FENCED)
    before, host = small.live_allocs(), small.hosts[0]
    (old,) = (x.alloc for x in small.live() if x.host == "h1")

    ended = rollout.met_by(lambda h: h.sh(FILL), [host])

    assert ended.code == FAILED
    assert "could not write /var/lib/orch/" in ended.err
    # One a host: the old one had to stop first. The others have not been touched.
    assert small.live_allocs() == {n: a for n, a in before.items() if a != old}
    host.sh("rm /var/lib/orch/filler")
    rollout.file.write_text(replace(SPREAD, greeting="changed again").hcl())
    small.commit()
    assert_converges(small, before)


def test_what_never_gets_healthy_is_taken_back(street: Shop) -> None:
    revert = ("min_healthy_time", "auto_revert      = true\n    min_healthy_time")
    good = Service(job="taken-back", count=2)
    path = street.job(good.hcl().replace(*revert), good.job)
    street.orch("apply", "-auto-approve", str(path))
    before = street.live_allocs(good.job)
    bad = replace(good, command=UNWELL, group=NEVER + NO_RESTART)
    path.write_text(bad.hcl().replace(*revert))
    street.commit()

    failed = street.orch("apply", "-auto-approve", str(path), code=5)

    assert "rolling back to job version 0" in failed.err
    assert "Version 0 runs again, as a new version." in failed.err
    after = street.live_allocs(good.job)
    assert sorted(after) == sorted(before)
    assert {street.logs(a).split(" from")[0] for a in after.values()} == {"hello"}
    planned = street.orch("plan", "-detailed-exitcode", str(path), code=2)
    assert "1 create/destroy update" in planned.out


def test_dockerd_is_restarted(dock: Shop) -> None:
    path = dock.job(two_groups("quay", "hello", CONTAINERS), "quay")
    dock.apply()
    before = containers(dock, "quay")
    path.write_text(two_groups("quay", "changed", CONTAINERS))
    dock.commit()
    rollout = Rollout(shop=dock, file=path, boundary=Boundary.STARTED)

    rollout.met_by(restart_dockerd, dock.hosts)

    containers(dock, "quay")
    dock.apply(code=None)
    dock.apply()
    after = containers(dock, "quay")
    assert sorted(after) == sorted(before)
    assert set(after.values()) & set(before.values()) == {before["quay.kept[0]"]}
    assert unbound(dock) == []
    dock.assert_nothing_to_do()


def restart_dockerd(host: LabHost) -> None:
    """Let it end as its service manager would, and wait for the next one."""
    ended = "while kill -0 $p 2>/dev/null; do sleep 0.1; done"
    host.sh(f"p=$(pgrep -x dockerd); kill $p; {ended}")
    host.wait_ready()


def test_a_registry_is_down_and_comes_back(dock: Shop) -> None:
    tag = "http:2"
    login = f'auth {{\n username = "{registry.USER}"\n password = "{registry.PASSWORD}"\n }}'
    try:
        for host in dock.hosts:
            registry.serve(host, tag)
            registry.forget(host, tag)
            host.sh("pkill -9 -x docker-registry")
    except LabUnavailableError as error:
        refuse(str(error))
    try:
        path = dock.job(alone("http:1"), "alone")
        dock.apply()
        (old,) = running(dock)
        path.write_text(alone(f"{registry.ADDRESS}/{tag}", login))
        dock.commit()
        failed = dock.apply(code=5)
        assert "failed to pull" in " ".join((failed.out + failed.err).split())
        assert [c["Id"] for c in running(dock)] == [old["Id"]]

        for host in dock.hosts:
            registry.serve(host)
        # As in Nomad, what has failed is tried again when the spec says something new.
        assert "is not tried again until the spec changes" in dock.apply(code=5).out
        again = 'meta {\n try = "again"\n }'
        dock.job(alone(f"{registry.ADDRESS}/{tag}", login, group=again), "alone")
        dock.apply()
        (new,) = running(dock)
        assert new["Image"] != old["Image"]
        dock.assert_nothing_to_do()
    finally:
        for host in dock.hosts:
            registry.end(host)
