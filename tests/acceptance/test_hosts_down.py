"""A host that can't be reached is unknown: left alone, said so, and the others go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from executors.boundary import Boundary
from tests.acceptance.harness import Shop, finished
from tests.acceptance.specs import ONE_PER_HOST, Service
from tests.acceptance.test_races import wait_until_stopped
from tests.lab.host import LabHost

pytestmark = pytest.mark.lab

SPREAD = Service(count=3, group=ONE_PER_HOST)
NAMES = ["web.g[0]", "web.g[1]", "web.g[2]"]
QUICK = "[ssh]\nconnect_timeout = 6\n"


def host_of(shop: Shop, name: str) -> LabHost:
    return shop.lab.host(next(x.host for x in shop.live() if x.name == name))


@pytest.mark.parametrize("fault", [LabHost.crash, LabHost.partition], ids=["crash", "partition"])
def test_down_before_a_plan(shop: Shop, fault: Callable[[LabHost], None]) -> None:
    with (shop.repo / "orch.toml").open("a") as config:
        config.write(QUICK)
    path = shop.job(SPREAD.hcl())
    shop.apply()
    before = shop.live_allocs()
    lost = host_of(shop, "web.g[1]")
    fault(lost)
    path.write_text(replace(SPREAD, greeting="changed").hcl())
    shop.commit()

    planned = shop.orch("plan", code=4)
    assert "Unknown hosts" in planned.out
    assert lost.name in planned.out
    assert "unknown" in shop.orch("status", "web", code=4).out
    shop.apply(code=4)

    lost.heal()
    if fault is LabHost.partition:
        assert shop.live_allocs()["web.g[1]"] == before["web.g[1]"]
    shop.apply()
    after = shop.live_allocs()
    assert sorted(after) == NAMES
    assert not set(after.values()) & set(before.values())
    shop.assert_nothing_to_do()


LOST = [(Boundary.INTENDED, LabHost.partition), (Boundary.STARTED, LabHost.stop_sshd)]


@pytest.mark.parametrize(("boundary", "fault"), LOST, ids=["partition", "sshd"])
def test_lost_during_an_apply(
    shop: Shop, boundary: Boundary, fault: Callable[[LabHost], None]
) -> None:
    with (shop.repo / "orch.toml").open("a") as config:
        config.write(QUICK)
    path = shop.job(SPREAD.hcl())
    shop.apply()
    lost = host_of(shop, "web.g[0]")
    path.write_text(replace(SPREAD, greeting="changed", deadline="20s").hcl())
    shop.commit()
    applying = shop.interrupted(signal.SIGSTOP, boundary, path)
    wait_until_stopped(applying.pid)

    fault(lost)
    os.kill(applying.pid, signal.SIGCONT)
    end = finished(applying, None)

    assert end.code in {4, 5}, end.err
    assert lost.name in end.err
    lost.heal()
    assert len(shop.live_allocs()) >= 2
    shop.apply(code=None)
    shop.apply()
    running = shop.live_allocs()
    assert sorted(running) == NAMES
    assert set(running.values()) == {a.id for a in shop.decided("web").allocs if not a.terminal}
    shop.assert_nothing_to_do()
