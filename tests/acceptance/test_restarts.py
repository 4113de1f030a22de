"""The restart policy holds with nobody connected, and tasks are back after the host was down."""

from __future__ import annotations

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import Service
from tests.lab.host import LabHost
from tests.lab.programs import wait_for

pytestmark = pytest.mark.lab

# Lives a second, again and again, and keeps count in a file of its own.
MORTAL = "echo $$ >>$NOMAD_ALLOC_DIR/data/lives; sleep 1; exit 7"
OFTEN = """
    restart {
      attempts = 100
      interval = "30m"
      delay    = "300ms"
    }
"""


def lives(shop: Shop) -> list[str]:
    """What the task itself has written down: one process id for each of its lives."""
    command = "cat /var/lib/orch/alloc/*/alloc/data/lives 2>/dev/null || :"
    return [line for host in shop.hosts for line in host.sh(command).split()]


def connections(shop: Shop) -> str:
    """Open connections to sshd, as the hosts' kernels list them."""
    return "".join(h.sh("ss -Htn state established sport = :22") for h in shop.hosts)


def test_restarts_with_nobody_connected(shop: Shop) -> None:
    service = Service(command=("/bin/sh", "-c", MORTAL), group=OFTEN, healthy_time="300ms")
    shop.job(service.hcl())
    shop.apply()
    wait_for(lambda: not connections(shop), "the end of every connection")
    before = lives(shop)

    wait_for(lambda: len(lives(shop)) >= len(before) + 3, "three more lives")
    assert not connections(shop)
    seen = lives(shop)

    alloc = shop.decided("web").allocs[0].id
    status = shop.orch("status", alloc).out
    assert "Restarting" in status
    assert "Exit Code: 7" in status
    data = shop.orch("status", "-json", alloc).data()
    assert data["TaskStates"]["main"]["Restarts"] >= len(seen) - 1
    assert len(set(seen)) == len(seen)
    shop.assert_nothing_to_do()


def test_with_systemd_tasks_are_back_after_a_reboot(shop: Shop, systemd_host: LabHost) -> None:
    shop.hosts = [systemd_host]
    (shop.repo / "inventory.yml").write_text(shop.lab.inventory_text(["s1"]))
    shop.job(Service(count=2).hcl())
    shop.apply()
    running = shop.live_allocs()
    assert sorted(running) == ["web.g[0]", "web.g[1]"]

    systemd_host.crash()
    systemd_host.heal()

    wait_for(lambda: len(shop.live()) == 2, "the tasks after the reboot")
    assert shop.live_allocs() == running
    status = shop.orch("status", running["web.g[0]"]).out
    assert "running" in status
    shop.assert_nothing_to_do()
    shop.orch("stop", "-yes", "web")
    assert shop.live() == []
    assert "orch-" not in systemd_host.sh("ls /etc/systemd/system")


def test_without_systemd_the_next_apply_brings_tasks_back(shop: Shop) -> None:
    shop.job(Service(count=2).hcl())
    shop.apply()
    running = shop.live_allocs()
    down = {x.host for x in shop.live()}

    for name in down:
        shop.lab.host(name).crash()
        shop.lab.host(name).heal()
    assert shop.live() == []
    assert shop.orch("plan", "-detailed-exitcode", code=2).out
    shop.apply()

    assert shop.live_allocs() == running
    shop.assert_nothing_to_do()
