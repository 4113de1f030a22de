"""Two applies at the same time: of one job one wins, of two both do; a frozen one does no harm."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from executors.boundary import Boundary
from tests.acceptance.harness import Done, Shop, finished
from tests.acceptance.specs import web

pytestmark = pytest.mark.lab


def both(one: Shop, other: Shop, jobs: tuple[str, str], *, at_once: bool) -> tuple[Done, Done]:
    """Apply from two clones that have planned on the same state; return how they ended."""
    running = [
        shop.interrupted(signal.SIGSTOP, Boundary.PLANNED, shop.repo / "jobs" / f"{job}.nomad.hcl")
        for shop, job in zip((one, other), jobs, strict=True)
    ]
    for process in running:
        wait_until_stopped(process.pid)
    first, second = running
    os.kill(first.pid, signal.SIGCONT)
    ended = None if at_once else finished(first, None)
    os.kill(second.pid, signal.SIGCONT)
    return ended or finished(first, None), finished(second, None)


def recorded(shop: Shop) -> set[str]:
    """The ids of all allocations that hosts know of."""
    listed = "".join(h.sh("ls /var/lib/orch/records 2>/dev/null || :") for h in shop.hosts)
    return set(listed.split())


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one after the other"])
def test_of_one_job_one_wins(shop: Shop, at_once: bool) -> None:
    shop.job(web(2, greeting="from one"))
    other = shop.cloned("other")
    other.job(web(2, greeting="from other"))

    ends = both(shop, other, ("web", "web"), at_once=at_once)

    assert sorted(e.code for e in ends) == [0, 3], ends
    winner = (shop, other)[[e.code for e in ends].index(0)]
    running = winner.live_allocs()
    assert sorted(running) == ["web.g[0]", "web.g[1]"]
    assert set(running.values()) == recorded(shop)
    said = {winner.logs(alloc).split(" from web")[0] for alloc in running.values()}
    assert said == {"from one" if winner is shop else "from other"}
    winner.assert_nothing_to_do()
    assert winner.runs() == []


def test_of_two_jobs_both_win(shop: Shop) -> None:
    shop.job(web(2, job="a"), "a")
    shop.job(web(2, job="b"), "b")
    other = shop.cloned("other")

    ends = both(shop, other, ("a", "b"), at_once=True)

    assert [e.code for e in ends] == [0, 0], ends
    assert sorted(shop.live_allocs()) == ["a.g[0]", "a.g[1]", "b.g[0]", "b.g[1]"]
    shop.assert_nothing_to_do()
    assert shop.runs() == []


def test_two_runs_that_enrol_the_same_hosts_agree(shop: Shop) -> None:
    file = shop.job(web(2, job="a"), "a")
    shop.job(web(2, job="b"), "b")
    late = shop.interrupted(signal.SIGSTOP, Boundary.PLANNED, file)
    wait_until_stopped(late.pid)

    shop.orch("apply", "-auto-approve", "jobs/b.nomad.hcl")
    os.kill(late.pid, signal.SIGCONT)

    finished(late)
    assert sorted(shop.live_allocs()) == ["a.g[0]", "a.g[1]", "b.g[0]", "b.g[1]"]
    shop.assert_nothing_to_do()


def roomy(shop: Shop, job: str, greeting: str) -> str:
    """A service of which a host holds three, and not four."""
    megabytes = int(shop.hosts[0].sh("awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo"))
    wanted = f"memory = {megabytes * 28 // 100}"
    return web(job=job, greeting=greeting).replace("memory = 20", wanted)


def test_of_two_updates_that_want_the_last_room_beside_the_old_ones(shop: Shop) -> None:
    (shop.repo / "inventory.yml").write_text(shop.lab.inventory_text(["h1"]))
    for job in ("a", "b"):
        shop.job(roomy(shop, job, "before"), job)
    shop.apply()
    before = shop.live_allocs()
    for job in ("a", "b"):
        shop.job(roomy(shop, job, "after"), job)
        # Each on its own starts first.
        assert "starts first" in shop.orch("plan", f"jobs/{job}.nomad.hcl").out
    other = shop.cloned("other")

    ends = both(shop, other, ("a", "b"), at_once=True)

    assert {e.code for e in ends} <= {0, 4}, ends
    shop.apply()
    after = shop.live_allocs()
    assert sorted(after) == ["a.g[0]", "b.g[0]"]
    assert not set(after.values()) & set(before.values())
    shop.assert_nothing_to_do()
    assert shop.runs() == []


FROZEN = [
    Boundary.BEGUN,
    Boundary.INTENDED,
    Boundary.STARTED,
    Boundary.JUDGED,
    Boundary.CONCLUDED,
]


@pytest.mark.parametrize("boundary", FROZEN, ids=lambda x: x.name)
def test_a_frozen_apply_is_taken_over_and_then_stops(street: Shop, boundary: Boundary) -> None:
    job = boundary.name.lower()
    with (street.repo / "orch.toml").open("a") as config:
        config.write("" if "lease_ttl" in (street.repo / "orch.toml").read_text() else TTL)
    path = street.job(web(2, job=job), job)
    frozen = street.interrupted(signal.SIGSTOP, boundary, path)
    try:
        wait_until_stopped(frozen.pid)

        street.orch("apply", "-auto-approve", str(path))
        taken_over = street.live_allocs(job)
        assert sorted(taken_over) == [f"{job}.g[0]", f"{job}.g[1]"]
        before = street.refs(), street.on_hosts()
    finally:
        os.kill(frozen.pid, signal.SIGCONT)

    end = finished(frozen, 3)
    assert "plan again" in end.err.lower()
    assert (street.refs(), street.on_hosts()) == before
    assert street.live_allocs(job) == taken_over
    assert street.orch("plan", "-detailed-exitcode", str(path)).code == 0


TTL = "lease_ttl = 1\n"


def wait_until_stopped(pid: int) -> None:
    """Return when the process is stopped, or fail when it has ended."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "T":
            return
        assert state not in "ZX", "it ended before it came to the boundary"
        time.sleep(0.05)
    pytest.fail("it did not come to the boundary")
